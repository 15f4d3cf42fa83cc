//! The real program as a child process, which can be killed.

use crate::database::Database;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

#[derive(Debug)]
pub struct Process {
    pub base: String,
    child: Child,
    // Read continuously, so that the program never blocks on its output.
    _output: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
}

const LOG: &str = "log";

/// Prefix of the pipes that control which system calls fail.
const CONTROL: &str = "fiu";

fn fiu_run() -> String {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    let program = std::env::var("FIU_RUN");
    program.expect("FIU_RUN names no fiu-run; ./test sets it, or: eval \"$(tests/setup/fiu.sh)\"")
}

/// The program that cargo has built next to the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    let program = folder.join("verbund");
    assert!(
        program.exists(),
        "{} is missing; run cargo build -p api first",
        program.display()
    );
    program
}

/// The program with its database, without the environment of the tests.
fn command(database: &Database, folder: &TempDir) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .current_dir(folder.path())
        // Stories send more requests than people do; those about the limits set their own.
        .env("VERBUND_REQUESTS_PER_MINUTE_CLIENT", "1000000000")
        .env("VERBUND_REQUESTS_PER_MINUTE_ADDRESS", "1000000000")
        .env("VERBUND_AUTH_FAILURES_PER_MINUTE", "1000000000")
        // Partners of a story are on this machine.
        .env("VERBUND_OUTBOUND_ALLOWLIST", r#"["127.0.0.0/8"]"#)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match database.folder() {
        Some(folder) => command.arg("--data-dir").arg(folder),
        None => command.arg("--database-url").arg(&database.url),
    };
    command
}

/// A token as `verbund token` prints it: the last line.
pub async fn admin_token(database: &Database) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = command(database, &folder)
        .args(["token", "--role", "admin"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().last().unwrap().to_owned()
}

/// How much of a core this machine gives a thread that never waits: 1 if it has nothing else to do.
///
/// Takes 200 ms. A story that bounds a time divides the bound by it, so that other work of the machine
/// does not count.
#[must_use]
pub fn share_of_a_core() -> f64 {
    // Nanoseconds on a processor, and waiting for one.
    let spent = || {
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let mut numbers = statistics.split(' ').map(|one| one.parse::<f64>().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    let (running, waiting) = spent();
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(200) {
        std::hint::spin_loop();
    }
    let (running, waiting) = (spent().0 - running, spent().1 - waiting);
    running / (running + waiting).max(1.0)
}

impl Process {
    /// Starts the program on a free port and waits until it prints the address.
    pub async fn serve(database: &Database) -> Self {
        Self::serve_with(database, &[]).await
    }

    pub async fn serve_with(database: &Database, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let command = command(database, &folder);
        Self::start(command, folder, settings).await
    }

    /// Starts the program so that its system calls can be made to fail; see [`Self::fails`].
    pub async fn serve_fallibly(database: &Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain = command(database, &folder);
        let plain = plain.as_std();
        let mut command = Command::new(fiu_run());
        command
            .env_clear()
            .envs(
                plain
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("PATH", "/usr/bin:/bin")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .arg("-x")
            .arg("-f")
            .arg(folder.path().join(CONTROL))
            .arg(plain.get_program())
            .args(plain.get_args());
        Self::start(command, folder, &[]).await
    }

    /// Starts the program with so many descriptors, and no way to get more.
    pub async fn serve_with_descriptors(database: &Database, most: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain = command(database, &folder);
        let plain = plain.as_std();
        let mut command = Command::new("/bin/sh");
        let envs = plain.get_envs();
        command
            .env_clear()
            .envs(envs.filter_map(|(name, value)| Some((name, value?))))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .arg("-c")
            .arg(format!("ulimit -n {most} && exec \"$0\" \"$@\""))
            .arg(plain.get_program())
            .args(plain.get_args());
        Self::start(command, folder, &[]).await
    }

    async fn start(mut command: Command, folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let log = folder.path().join(LOG);
        let mut child = command
            .env("VERBUND_LOG", "warn")
            .envs(settings.iter().copied())
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", "2"])
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = output.next_line().await.unwrap() {
            let Some(base) = line.trim().strip_prefix("API ") else {
                continue;
            };
            return Self {
                base: base.trim().trim_end_matches('/').to_owned(),
                child,
                _output: output,
                folder,
            };
        }
        panic!("{}", std::fs::read_to_string(log).unwrap());
    }

    /// Waits until the index answers.
    pub async fn searchable(&self) {
        let url = format!("{}/v1/search", self.base);
        for _ in 0..60 {
            // Each waits two seconds for the index.
            let answer = reqwest::get(&url).await.unwrap();
            if answer.status() == 200 {
                return;
            }
        }
        panic!("the index is never complete");
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(LOG)).unwrap()
    }

    /// Resident set size in bytes (`/proc`).
    pub fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
        kibibytes.parse::<u64>().unwrap() * 1024
    }

    /// Processor time that the program and its threads have used (`/proc`).
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id().unwrap()));
        let stat = stat.unwrap();
        // The name of the program may contain spaces.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|one| one.parse::<u64>().unwrap()).sum();
        // Linux counts in hundredths of a second.
        Duration::from_millis(ticks * 10)
    }

    /// Makes a system call fail with this error from now on (libfiu's name, `posix/io/rw/pwrite`),
    /// or `once` only.
    pub async fn fails(&self, call: &str, errno: i32, once: bool) {
        let once = if once { ",onetime" } else { "" };
        self.control(&format!("enable name={call},failinfo={errno}{once}"))
            .await;
    }

    pub async fn works(&self, call: &str) {
        self.control(&format!("disable name={call}")).await;
    }

    async fn control(&self, command: &str) {
        let id = self.child.id().unwrap();
        let pipe = self.folder.path().join(format!("{CONTROL}-{id}"));
        let [to, from] = ["in", "out"].map(|end| pipe.with_extension(end));
        let command = format!("{command}\n");
        tokio::fs::write(to, command).await.unwrap();
        let answer = tokio::fs::read_to_string(from).await.unwrap();
        assert_eq!(answer.trim(), "0", "{call}", call = pipe.display());
    }

    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks the process to stop (SIGTERM).
    pub async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(told.unwrap().success());
    }

    pub async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }
}
