//! Databases of earlier releases, from `tests/fixtures`.

use crate::database::{Backend, Database, look};
use flate2::read::GzDecoder;
use sea_orm::ConnectionTrait;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(release)
}

/// A copy of a database (`node` or `partner`) of a release; for the node on SQLite with its index.
pub async fn database(backend: Backend, release: &str, name: &str) -> Database {
    let database = Database::blank(backend).await;
    match backend {
        Backend::Sqlite => {
            let to = database.folder().unwrap().join("verbund.sqlite");
            let mut unpack = Command::new("xz");
            unpack.args(["--decompress", "--stdout"]);
            unpack.arg(folder(release).join(format!("{name}.sqlite.xz")));
            unpack.stdout(Stdio::from(File::create(to).unwrap()));
            assert!(unpack.status().unwrap().success());
            if name == "node" {
                let mut unpack = Command::new("tar");
                unpack.arg("--extract").arg("--file");
                unpack.arg(folder(release).join("index.tar.xz"));
                unpack.arg("--directory").arg(database.index());
                assert!(unpack.status().unwrap().success());
            }
        }
        Backend::Postgres => {
            let file = File::open(folder(release).join(format!("{name}.sql.gz"))).unwrap();
            let mut dump = String::new();
            GzDecoder::new(file).read_to_string(&mut dump).unwrap();
            // The dump changes the settings of its session.
            let connection = look(&database.url, 1).await;
            connection.execute_unprepared(&dump).await.unwrap();
            connection.close().await.unwrap();
        }
    }
    database
}
