//! Shared parts of the commands: opening the store, failures, output.

use crate::config::Config;
use domain::base::clock::Clock;
use domain::value::text::is_deceptive;
use persistence::Store;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("configuration: {0}")]
    Config(#[from] Box<figment::Error>),
    #[error("{0}")]
    Store(#[from] persistence::StoreError),
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
    #[error("{0}")]
    Told(String),
    /// Everything has been printed already.
    #[error("")]
    Silent,
}

/// Opens the configured store, creating the data directory if needed.
pub(super) async fn open(config: &Config) -> Result<Store, Failure> {
    if config.database_url.is_none() {
        make_private(&config.data_dir)
            .map_err(|why| Failure::Io(config.data_dir.display().to_string(), why))?;
        let file = config.database_file();
        make_private_file(&file).map_err(|why| Failure::Io(file.display().to_string(), why))?;
    }
    let clock = Clock::system(config.timezone);
    Ok(Store::open(&config.database(), config.origin.as_deref(), clock).await?)
}

/// Creates a folder that only its owner may enter: the database contains the signing keys.
fn make_private(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Creates a file that only its owner may read, in case others can enter the folder. The files that
/// `SQLite` adds have the same mode.
fn make_private_file(file: &std::path::Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(file).map(drop)
}

/// An error and the chain of its causes, without repetitions.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

pub(super) fn say(line: &str) {
    // If standard output is closed, there is no way to report it.
    let _ = writeln!(std::io::stdout().lock(), "{}", harmless(line));
}

/// Prints a line to standard error.
pub(super) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(line));
}

/// A text that a terminal prints: what partners and files contain must not control it. Escaped as in
/// JSON, so that JSON stays valid.
fn harmless(text: &str) -> Cow<'_, str> {
    let escaped = |letter: &char| !matches!(letter, '\n' | '\t') && is_deceptive(*letter);
    if !text.chars().any(|letter| escaped(&letter)) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len());
    for letter in text.chars() {
        if !escaped(&letter) {
            harmless.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(harmless, "\\u{unit:04x}");
        }
    }
    Cow::Owned(harmless)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_terminal_is_not_controlled_by_what_is_printed() {
        let sent = "\u{1b}]0;pwned\u{7}ok\r\u{9b}2J \u{202e}\u{e0041}";
        let printed = r"\u001b]0;pwned\u0007ok\u000d\u009b2J \u202e\udb40\udc41";
        assert_eq!(harmless(sent), printed);
        assert_eq!(
            harmless("eins\n\tzwei – ü 👩\u{200d}⚕️"),
            "eins\n\tzwei – ü 👩\u{200d}⚕️"
        );
    }
}
