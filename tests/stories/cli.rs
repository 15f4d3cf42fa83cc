//! The command line, as used in a terminal.

use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tests::database::Database;
use tests::{Backend, Content};

fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.ancestors().nth(2).unwrap().join("verbund");
    assert!(
        binary.exists(),
        "{} is missing; run cargo build -p api first",
        binary.display()
    );
    binary
}

/// Runs `verbund` in an empty folder without the caller's environment.
fn verbund(folder: &Path, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(binary())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A separate database on each backend, for `--database-url`.
fn on_both(story: impl Fn(&Path, &str)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let runtime = actix_web::rt::System::new();
        let database = runtime.block_on(Database::new(backend, Content::Empty));
        let folder = tempfile::tempdir().unwrap();
        story(folder.path(), &database.url);
        runtime.block_on(database.remove());
    }
}

#[test]
fn openapi_prints_the_document_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let printed = verbund(folder.path(), &["openapi"], &[], "");
    assert_eq!(
        text(&printed.stdout),
        include_str!("../../openapi/openapi.json")
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_database() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    // In an existing folder that others can read.
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let done = verbund(folder.path(), &["migrate", "--data-dir", "."], &[], "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    // Wherever the database and the index are.
    let url = ["migrate", "--database-url", "sqlite://other.sqlite"];
    let done = verbund(folder.path(), &url, &[], "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let index = [("VERBUND_INDEX_DIR", "elsewhere/index")];
    let done = verbund(folder.path(), &["reindex", "--data-dir", "."], &index, "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let mode = |name: &str| {
        let found = metadata(folder.path().join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    for database in ["verbund.sqlite", "other.sqlite"] {
        assert_eq!(mode(database), 0o600, "{database}");
    }
    for index in ["elsewhere", "elsewhere/index"] {
        assert_eq!(mode(index), 0o700, "{index}");
    }
}

#[test]
fn without_flags_there_is_a_database_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let done = verbund(folder.path(), &["migrate", "--origin", "kassel"], &[], "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(folder.path().join("verbund-data/verbund.sqlite").exists());
    // An origin is chosen once.
    let again = verbund(folder.path(), &["migrate", "--origin", "ruhr"], &[], "");
    assert!(!again.status.success());
    assert!(
        text(&again.stderr).contains("belongs to the origin \"kassel\""),
        "{}",
        text(&again.stderr)
    );
    for bad in ["verbund", "ab", "Groß"] {
        let elsewhere = tempfile::tempdir().unwrap();
        let refused = verbund(elsewhere.path(), &["migrate", "--origin", bad], &[], "");
        assert!(
            text(&refused.stderr).contains("cannot be an origin"),
            "{bad}"
        );
    }
}

#[test]
fn reindex_rebuilds_the_index() {
    on_both(|folder, url| {
        for _ in 0..2 {
            let done = verbund(folder, &["reindex", "--database-url", url], &[], "");
            assert!(done.status.success(), "{}", text(&done.stderr));
            assert!(text(&done.stdout).contains("is complete up to entry"));
            assert!(folder.join("verbund-data/index/meta.json").exists());
        }
    });
}

#[test]
fn import_reports_every_line() {
    on_both(|folder, url| {
        let lines = concat!(
            "{\"kind\":\"region\",\"name\":\"Neuland\",\"slug\":\"neuland\",\"home_region\":\"neuland\",\"external_id\":{\"system\":\"csv\",\"id\":\"1\"}}\n",
            "\n",
            "{\"kind\":\"actor\",\"nmae\":\"X\",\"home_region\":\"neuland\"}\n",
            "{\"kind\":\"aktor\"}\n",
            "no json\n",
            "{\"kind\":\"actor\",\"name\":\"A\",\"home_region\":\"neuland\",\"external_id\":{\"system\":\"csv\",\"id\":\"2\"},\"identifiers\":[{\"scheme\":\"vat\",\"value\":\"DE136695970\"}]}\n",
        );
        let run = |arguments: &[&str], input: &str| {
            let mut all = vec!["import", "-", "--database-url", url];
            all.extend(arguments);
            let output = verbund(folder, &all, &[], input);
            let report: Vec<Value> = text(&output.stdout)
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            (output.status.code(), report, text(&output.stderr))
        };
        let told = |report: &[Value]| -> Vec<String> {
            report
                .iter()
                .map(|one| format!("{} {}", one["line"], one["status"].as_str().unwrap()))
                .collect()
        };
        let (code, report, _) = run(&["--dry-run"], lines);
        assert_eq!(code, Some(1));
        assert_eq!(
            told(&report),
            ["1 created", "3 failed", "4 failed", "5 failed", "6 created"]
        );
        let (_, report, summary) = run(&[], lines);
        assert_eq!(
            told(&report),
            ["1 created", "3 failed", "4 failed", "5 failed", "6 created"]
        );
        assert_eq!(report[1]["problem"]["errors"][0]["pointer"], "/nmae");
        assert!(
            report[2]["problem"]["errors"][0]["message"]
                .as_str()
                .unwrap()
                .contains("did you mean \"actor\"?")
        );
        assert_eq!(report[4]["warnings"][0]["code"], "identifier-check-digit");
        assert!(
            summary.contains(
                "2 created, 0 updated (0 overwritten without a version), 0 unchanged, 3 failed"
            ),
            "{summary}"
        );
        let good: Vec<&str> = lines
            .lines()
            .filter(|line| line.contains("external_id"))
            .collect();
        let good = good.join("\n");
        let (code, report, _) = run(&[], &good);
        assert_eq!(
            (code, told(&report)),
            (
                Some(0),
                vec!["1 unchanged".to_owned(), "2 unchanged".to_owned()]
            )
        );
        let changed = good.replace("\"name\":\"A\"", "\"name\":\"B\"");
        let (_, report, _) = run(&["--create-missing"], &changed);
        assert_eq!(told(&report)[1], "2 unchanged");
        let (_, report, _) = run(&[], &changed);
        assert_eq!(
            (told(&report)[1].as_str(), &report[1]["overwritten"]),
            ("2 updated", &Value::Bool(true))
        );
        let (_, report, _) = run(
            &[],
            &changed.replace("\"kind\":\"actor\"", "\"kind\":\"actor\",\"version\":1"),
        );
        assert_eq!(
            report[1]["problem"]["type"],
            "/problems/precondition-failed"
        );
    });
}

#[test]
fn a_dry_run_foretells_the_import() {
    on_both(|folder, url| {
        // More lines than one transaction has, all of which need the first.
        let region = "{\"kind\":\"region\",\"name\":\"Neuland\",\"slug\":\"neuland\",\"home_region\":\"neuland\"}\n";
        let actors = (0..206).map(|number| {
            let name = if number == 204 { "" } else { "Praxis" };
            format!("{{\"kind\":\"actor\",\"name\":\"{name}\",\"home_region\":\"neuland\",\"external_id\":{{\"system\":\"liste\",\"id\":\"{number}\"}}}}\n")
        });
        let lines = format!("{region}{}", actors.collect::<String>());
        let run = |arguments: &[&str]| {
            let all = [&["import", "-", "--database-url", url], arguments].concat();
            let output = verbund(folder, &all, &[], &lines);
            let told = text(&output.stdout);
            let report = told.lines().map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                format!("{} {}", line["line"], line["status"])
            });
            report.collect::<Vec<_>>()
        };
        let rehearsed = run(&["--dry-run"]);
        assert_eq!(
            rehearsed
                .iter()
                .filter(|line| line.ends_with("\"failed\""))
                .count(),
            1,
            "{rehearsed:?}"
        );
        assert_eq!(run(&[]), rehearsed);
    });
}

#[test]
fn import_reads_tables_as_the_server_does() {
    on_both(|folder, url| {
        let region = "{\"kind\":\"region\",\"name\":\"Neuland\",\"slug\":\"neuland\",\"home_region\":\"neuland\"}";
        let run = |file: &str, arguments: &[&str], content: &str| {
            std::fs::write(folder.join(file), content).unwrap();
            let all = [&["import", file, "--database-url", url], arguments].concat();
            let output = verbund(folder, &all, &[], "");
            (
                output.status.code(),
                text(&output.stdout),
                text(&output.stderr),
            )
        };
        let (code, _, told) = run("region.ndjson", &[], &format!("\u{feff}{region}"));
        assert_eq!(code, Some(0), "{told}");
        let table = "\u{feff}name;home_region;external_id.system;external_id.id\r\nKäthe;neuland;liste;1\r\nEins\r\n;neuland;liste;2\r\n";
        let (code, report, told) = run("actors.csv", &["--kind", "actor"], table);
        assert_eq!(code, Some(1), "{told}");
        let report: Vec<Value> = report
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let statuses: Vec<_> = report
            .iter()
            .map(|one| (&one["line"], &one["status"]))
            .collect();
        assert_eq!(
            statuses,
            [
                (&json!(2), &json!("created")),
                (&json!(3), &json!("failed")),
                (&json!(4), &json!("failed"))
            ]
        );
        let (code, _, told) = run("list.txt", &["--format", "csv"], table);
        assert_eq!(code, Some(1));
        assert!(told.contains("`kind` is missing"), "{told}");
    });
}

#[test]
fn token_makes_an_account_and_prints_its_token_last() {
    on_both(|folder, url| {
        let run = |arguments: &[&str]| {
            let mut all = vec!["token", "--database-url", url];
            all.extend(arguments);
            verbund(folder, &all, &[], "")
        };
        let made = run(&["--role", "editor", "--region", "hessen", "--descendants"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let token = text(&made.stdout).lines().last().unwrap().to_owned();
        assert_eq!(token.split('.').count(), 3);
        assert!(text(&made.stderr).contains("editor in hessen"));
        let wrong = run(&["--role", "edtor"]);
        assert!(
            text(&wrong.stderr).contains("did you mean editor?"),
            "{}",
            text(&wrong.stderr)
        );
        let nowhere = run(&["--role", "editor", "--region", "atlantis"]);
        assert!(text(&nowhere.stderr).contains("no region \"atlantis\""));
    });
}

#[test]
fn doctor_says_what_is_well_and_what_is_not() {
    on_both(|folder, url| {
        let well = verbund(
            folder,
            &["doctor", "--database-url", url],
            &[("VERBUND_LISTEN", "127.0.0.1:1")],
            "",
        );
        assert!(well.status.success(), "{}", text(&well.stdout));
        assert!(text(&well.stdout).contains("server does not run"));
        let needed = verbund(
            folder,
            &["doctor", "--server", "--database-url", url],
            &[("VERBUND_LISTEN", "127.0.0.1:1")],
            "",
        );
        assert!(!needed.status.success());
        assert!(text(&needed.stdout).contains("FAIL  server"));
    });
    let folder = tempfile::tempdir().unwrap();
    let ill = verbund(
        folder.path(),
        &[
            "doctor",
            "--database-url",
            "postgres://nobody:secret@127.0.0.1:1/x",
        ],
        &[],
        "",
    );
    assert!(!ill.status.success());
    assert!(text(&ill.stdout).contains("FAIL  database"));
    assert!(
        !text(&ill.stdout).contains("secret"),
        "{}",
        text(&ill.stdout)
    );
}

#[test]
fn every_layer_of_the_configuration_counts_and_typos_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut all = vec!["doctor"];
        all.extend(arguments);
        let output = verbund(folder.path(), &all, environment, "");
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    std::fs::write(
        folder.path().join("verbund.toml"),
        "data_dir = \"from-file\"\nlisten = \"127.0.0.1:1\"\n",
    )
    .unwrap();
    assert!(doctor(&[], &[]).contains("from-file/verbund.sqlite"));
    assert!(doctor(&[("VERBUND_DATA_DIR", "from-env")], &[]).contains("from-env/verbund.sqlite"));
    assert!(
        doctor(
            &[("VERBUND_DATA_DIR", "from-env")],
            &["--data-dir", "from-flag"]
        )
        .contains("from-flag/verbund.sqlite")
    );
    let typo = doctor(&[("VERBUND_DATADIR", "x")], &[]);
    assert!(
        typo.contains("datadir") && typo.contains("data_dir"),
        "{typo}"
    );
    std::fs::write(
        folder.path().join("other.toml"),
        "lisen = \"127.0.0.1:1\"\n",
    )
    .unwrap();
    let typo = doctor(&[], &["--config", "other.toml"]);
    assert!(typo.contains("lisen") && typo.contains("listen"), "{typo}");
    let missing = doctor(&[], &["--config", "none.toml"]);
    assert!(missing.contains("none.toml"), "{missing}");
}

#[test]
fn people_and_programs_get_accounts() {
    on_both(|folder, url| {
        let run = |arguments: &[&str], input: &str| {
            let mut all = arguments.to_vec();
            all.extend(["--database-url", url]);
            let output = verbund(folder, &all, &[], input);
            (
                output.status.success(),
                text(&output.stdout),
                text(&output.stderr),
            )
        };
        let editor = ["--role", "editor", "--region", "hessen", "--descendants"];
        let (done, password, told) = run(&[&["user", "add", "anna"][..], &editor].concat(), "");
        assert!(done, "{told}");
        assert_eq!(
            password.trim().len(),
            23,
            "a generated password: {password}"
        );
        let (done, said, told) = run(
            &["user", "add", "berta", "--password-stdin"],
            "correct horse battery\n",
        );
        assert!(done && said.is_empty(), "{told}");
        let (done, _, told) = run(&["user", "add", "carla", "--password-stdin"], "short\n");
        assert!(!done && told.contains("at least 12 characters"), "{told}");
        let (done, _, told) = run(&["user", "add", "anna"], "");
        assert!(!done && told.contains("already"), "{told}");
        let (done, _, told) = run(&["user", "add", "Anna"], "");
        assert!(!done && told.contains("a-z"), "{told}");
        let external = ["--issuer", "https://id.example", "--subject", "4711"];
        let (done, said, told) = run(&[&["user", "add", "dora"][..], &external].concat(), "");
        assert!(done && said.is_empty(), "{told}");
        let (done, _, told) = run(&["user", "set-password", "dora"], "");
        assert!(!done && told.contains("signs in elsewhere"), "{told}");
        let (done, new, told) = run(&["user", "set-password", "anna"], "");
        assert!(done && new != password, "{told}");
        let (done, _, told) = run(&["user", "disable", "anna"], "");
        assert!(done, "{told}");
        let (_, list, _) = run(&["user", "list"], "");
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines.len(), 3, "{list}");
        assert!(lines[0].contains("anna\tlocked since"), "{list}");
        assert!(lines[0].contains("editor in "), "{list}");
        assert!(lines[1].contains("berta\tactive"), "{list}");
        assert!(lines[2].contains("4711 at https://id.example"), "{list}");
        assert!(!list.contains("argon2"), "{list}");

        let (done, made, told) = run(&["client", "add", "cms-import"], "");
        assert!(done, "{told}");
        let lines: Vec<&str> = made.lines().collect();
        assert_eq!((lines[0].len(), lines[1].len()), (36, 43), "{made}");
        let (done, _, told) = run(&["client", "revoke", "cms-import"], "");
        assert!(done, "{told}");
        let (_, list, _) = run(&["client", "list"], "");
        assert!(list.contains("cms-import\tlocked since"), "{list}");
        let (done, _, told) = run(&["client", "revoke", "nobody"], "");
        assert!(!done && told.contains("there is no \"nobody\""), "{told}");

        for arguments in [&["key", "rotate"][..], &["key", "rotate", "--forget-old"]] {
            let (done, said, told) = run(arguments, "");
            assert!(done && said.contains("new signing key"), "{told}");
        }
        let (done, _, told) = run(&["doctor"], "");
        assert!(done, "{told}");
    });
}

#[test]
fn records_are_erased_and_personal_data_told() {
    on_both(|folder, url| {
        let run = |arguments: &[&str], input: &str| {
            let mut all = arguments.to_vec();
            all.extend(["--database-url", url]);
            verbund(folder, &all, &[], input)
        };
        let done = |arguments: &[&str], input: &str| {
            let output = run(arguments, input);
            assert!(output.status.success(), "{}", text(&output.stderr));
            text(&output.stdout)
        };
        let line = r#"{"kind": "actor", "name": "Weg", "slug": "weg", "home_region": "hessen", "contact": {"email": "erika@beispiel.example"}}"#;
        done(&["import", "-"], line);
        let about = ["personal-data", "--email", "Erika@beispiel.example"];
        let told: Value = serde_json::from_str(&done(&about, "")).unwrap();
        assert_eq!(told["mentions"][0]["place"], "record");
        assert!(
            !run(&["erase", "actor", "weg", "--version", "1"], "")
                .status
                .success()
        );
        let said = done(&["erase", "actor", "weg", "--reason", "Art. 17"], "");
        assert!(said.starts_with("erased actor "), "{said}");
        assert!(!run(&["erase", "actor", "weg"], "").status.success());
        assert!(!run(&["erase", "person", "weg"], "").status.success());
        let told: Value = serde_json::from_str(&done(&about, "")).unwrap();
        assert_eq!(told["mentions"], Value::Array(Vec::new()));
        assert!(!run(&["personal-data"], "").status.success());
        done(&["vacuum"], "");
        done(&["doctor"], "");
    });
}

#[test]
fn partners_are_managed_and_the_log_trimmed_without_a_server() {
    on_both(|folder, url| {
        let run = |arguments: &[&str]| {
            let all: Vec<&str> = ["--database-url", url]
                .iter()
                .chain(arguments)
                .copied()
                .collect();
            let output = verbund(folder, &all, &[], "");
            let told = [text(&output.stdout), text(&output.stderr)].concat();
            (output.status.success(), told)
        };
        let done = |arguments: &[&str]| {
            let (success, told) = run(arguments);
            assert!(success, "{arguments:?}: {told}");
            told
        };
        let refused = |arguments: &[&str], why: &str| {
            let (success, told) = run(arguments);
            assert!(!success && told.contains(why), "{arguments:?}: {told}");
        };
        let add = ["partner", "add", "https://verzeichnis.example"];
        let made = done(&[&add[..], &["--kind", "actor", "--kind", "network"]].concat());
        assert!(
            made.contains("actor,network") && made.contains("not reached yet"),
            "{made}"
        );
        refused(&add, "--name");
        done(&[&add[..], &["--name", "zweiter"]].concat());
        let only = |name, origin| [&add[..], &["--name", name, "--only-origin", origin]].concat();
        assert!(done(&only("dritter", "muensterland")).contains("muensterland"));
        refused(&only("vierter", "muensterland"), "dritter");
        refused(&only("vierter", "Nicht so"), "a-z");
        done(&["partner", "remove", "dritter"]);
        refused(&["partner", "add", "https://10.0.0.1"], "public");
        refused(&[&add[..], &["--kind", "starship"]].concat(), "actor");
        assert_eq!(done(&["partner", "list"]).lines().count(), 2);
        assert!(done(&["partner", "pause", "zweiter"]).contains("paused"));
        assert!(done(&["partner", "resume", "zweiter"]).contains("active"));
        done(&["partner", "approve-deletions", "zweiter"]);
        done(&["partner", "remove", "zweiter", "--with-copies"]);
        refused(&["partner", "show", "zweiter"], "verbund partner list");
        refused(&["log", "prune"], "--days");
        refused(&["log", "prune", "--days", "10"], "90");
        assert!(done(&["log", "prune", "--days", "90"]).contains("0 entries pruned"));
    });
}

#[test]
fn webhooks_are_managed_without_a_server() {
    on_both(|folder, url| {
        let run = |arguments: &[&str]| {
            let all = [&["--database-url", url], arguments].concat();
            let output = verbund(folder, &all, &[], "");
            (
                output.status.success(),
                text(&output.stdout),
                text(&output.stderr),
            )
        };
        let done = |arguments: &[&str]| {
            let (success, said, told) = run(arguments);
            assert!(success, "{arguments:?}: {told}");
            said
        };
        let refused = |arguments: &[&str], why: &str| {
            let (success, _, told) = run(arguments);
            assert!(!success && told.contains(why), "{arguments:?}: {told}");
        };
        let secret = |said: &str| said.lines().last().unwrap().to_owned();
        let add = ["webhook", "add", "https://website.example/hook"];
        let made = done(&[&add[..], &["--kind", "actor", "--kind", "network"]].concat());
        assert!(made.contains("actor,network"), "{made}");
        let first = secret(&made);
        assert!(first.starts_with("whsec_") && first.len() == 50, "{first}");
        refused(&add, "--name");
        done(&[&add[..], &["--name", "zweiter"]].concat());
        refused(&["webhook", "add", "https://10.0.0.1"], "public");
        refused(&[&add[..], &["--kind", "starship"]].concat(), "actor");
        let second = secret(&done(&["webhook", "rotate", "website.example"]));
        assert_ne!(first, second);
        let list = done(&["webhook", "list"]);
        assert_eq!(list.lines().count(), 2);
        let off = done(&["webhook", "disable", "website.example"]);
        assert!(off.contains("disabled") && off.contains("admin"), "{off}");
        assert!(done(&["webhook", "list"]).contains("disabled admin"));
        done(&["webhook", "enable", "website.example"]);
        let actor = r#"{"kind": "actor", "name": "Neu", "home_region": "hessen", "publication": "published"}"#;
        let imported = verbund(folder, &["import", "-", "--database-url", url], &[], actor);
        assert!(imported.status.success(), "{}", text(&imported.stderr));
        let replay = ["webhook", "replay", "website.example"];
        let told = done(&[&replay[..], &["--since", "0"]].concat());
        assert_eq!(told, "deliveries queued: 1\n");
        let shown = done(&["webhook", "show", "website.example"]);
        assert!(shown.contains("actor.created"), "{shown}");
        assert!(!shown.contains("whsec_") && !list.contains("whsec_"));
        let delivery = shown.lines().last().unwrap().trim();
        let delivery = delivery.split(' ').next().unwrap();
        done(&[&replay[..], &["--delivery", delivery]].concat());
        let unknown = "0193e5a0-0000-7000-8000-000000000000";
        refused(
            &[&replay[..], &["--delivery", unknown]].concat(),
            "no delivery",
        );
        refused(&[&replay[..], &["--since", "gestern"]].concat(), "moment");
        refused(&replay, "--since");
        done(&["webhook", "remove", "zweiter"]);
        refused(&["webhook", "show", "zweiter"], "verbund webhook list");
    });
}
