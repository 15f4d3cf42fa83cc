//! The client of `docs/sync.md`, verbatim.

use super::resync::restore;
use super::{actor, change, delete};
use serde_json::{Value, json};
use std::path::Path;
use tests::{Node, story};
use tokio::process::Command;

const GUIDE: &str = include_str!("../../../docs/sync.md");

/// The programs of the guide: the loop, and the digest.
fn programs() -> Vec<&'static str> {
    let blocks = GUIDE.split("```python\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

async fn python(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("python3");
    let output = command.arg("-c").arg(program).args(arguments).output();
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

async fn catch_up(node: &Node, file: &Path) -> Value {
    let start = "/v1/sync/changes?kind=actor,network&limit=20";
    let file = file.to_str().unwrap();
    let base = node.base.trim_end_matches('/');
    python(programs()[0], &[base, file, start]).await;
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Fails unless the copies add up to the node's digests, by the guide's formula.
async fn adds_up(node: &Node, file: &Path) {
    let path = "/v1/sync/digest?kind=actor,network";
    let digests = node.get(path).await.expect(200);
    for item in digests.json["items"].as_array().unwrap() {
        let rest = "\nimport json, sys\ncopies = json.load(open(sys.argv[1]))[\"copies\"].values()\nprint(*digest(copies, sys.argv[2]))";
        let program = format!("{}{rest}", programs()[1]);
        let kind = item["kind"].as_str().unwrap();
        let sum = python(&program, &[file.to_str().unwrap(), kind]).await;
        let expected = format!("{} {}", item["count"], item["sum"].as_str().unwrap());
        assert_eq!(sum.trim(), expected, "{kind}");
    }
}

#[test]
fn the_loop_is_short() {
    let [the_loop, _] = programs()[..] else {
        panic!("two programs");
    };
    let lines = the_loop.lines().filter(|line| !line.trim().is_empty());
    assert!(lines.count() <= 35);
}

story!(
    the_client_of_the_guide_keeps_in_step,
    Seeded,
    async |node| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copies.json");
        catch_up(node, &file).await;
        adds_up(node, &file).await;

        let (kept, gone, hidden) = (
            actor(node, "Bleibt").await,
            actor(node, "Geht").await,
            actor(node, "Wird Entwurf").await,
        );
        catch_up(node, &file).await;
        change(node, &kept, json!({"summary": "neu"})).await;
        change(node, &hidden, json!({"publication": "draft"})).await;
        delete(node, "actors", &gone).await;
        let held = catch_up(node, &file).await;
        assert_eq!(held["copies"][&kept]["record"]["summary"], "neu");
        assert!(held["copies"].get(&gone).is_none() && held["copies"].get(&hidden).is_none());
        adds_up(node, &file).await;

        // The node is restored from a backup: the client starts from scratch, and drops what no
        // longer exists.
        let backup = node.store.log().head().await.unwrap();
        let lost = actor(node, "Verloren").await;
        let held = catch_up(node, &file).await;
        assert!(held["copies"].get(&lost).is_some());
        restore(node, backup).await;
        let held = catch_up(node, &file).await;
        assert!(held["copies"].get(&lost).is_none());
        adds_up(node, &file).await;
    }
);
