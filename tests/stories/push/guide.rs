//! The commands of `docs/pushing.md`, verbatim.

use serde_json::{Value, json};
use std::path::Path;
use tests::{Node, story};
use tokio::process::Command;

const GUIDE: &str = include_str!("../../../docs/pushing.md");

/// The fenced blocks: the token, a first table, planning it, applying the plan, the table of the
/// next edition, telling what columns mean, and pushing from a program.
fn blocks() -> [&'static str; 7] {
    let blocks: Vec<_> = GUIDE.split("```\n").skip(1).step_by(2).collect();
    blocks.try_into().unwrap()
}

struct Reader<'a> {
    folder: &'a Path,
    /// The command that sets `$TOKEN`.
    token: String,
}

impl Reader<'_> {
    /// Runs a command of the guide, and returns its output.
    async fn types(&self, node: &Node, command: &str) -> String {
        let script = format!("set -e\n{}\n{command}", self.token);
        let script = script.replace(
            "https://verzeichnis.example",
            node.base.trim_end_matches('/'),
        );
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(script).current_dir(self.folder);
        let output = shell.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn write(&self, table: &str) {
        std::fs::write(self.folder.join("praxen.csv"), table).unwrap();
    }

    /// Plans the file; returns the counts.
    async fn plans(&self, node: &Node) -> Value {
        self.types(node, blocks()[2]).await;
        let plan = std::fs::read_to_string(self.folder.join("plan.json")).unwrap();
        let mut counts = serde_json::from_str::<Value>(&plan).unwrap()["counts"].take();
        let members = counts.as_object_mut().unwrap();
        members.retain(|_, count| *count != 0);
        counts
    }

    async fn carries_out(&self, node: &Node) -> String {
        let done = self.types(node, blocks()[3]).await;
        let done: Value = serde_json::from_str(&done).unwrap();
        assert_eq!(done["applied"], true, "{done}");
        node.settled().await;
        self.types(node, blocks()[4]).await;
        std::fs::read_to_string(self.folder.join("praxen.csv")).unwrap()
    }
}

/// Creates what the guide requires, and returns the token of its feeder as a command.
async fn prepare(node: &Node) -> String {
    let region = json!({"name": "Nordhessen", "slug": "nordhessen", "level": "health_region", "home_region": "hessen", "publication": "published"});
    node.post("/v1/regions").json(&region).await.expect(201);
    let network = json!({"name": "MO-WiN.net", "slug": "mo-win-net", "home_region": "nordhessen", "publication": "published"});
    node.post("/v1/networks").json(&network).await.expect(201);
    let grant = json!({"role": "feeder", "region": "nordhessen", "system": "cms"});
    let client = json!({"name": "cms-import", "grants": [grant]});
    let client = node.post("/v1/clients").json(&client).await.expect(201);
    let text = |member: &str| client.json[member].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    format!("CLIENT_ID={id}\nCLIENT_SECRET={secret}\n{}", blocks()[0])
}

story!(whoever_follows_the_guide_loses_nothing, async |node| {
    let folder = tempfile::tempdir().unwrap();
    let reader = Reader {
        folder: folder.path(),
        token: prepare(node).await,
    };
    reader.write(blocks()[1]);
    assert_eq!(reader.plans(node).await, json!({"created": 2}));
    let table = reader.carries_out(node).await;

    // A row is added, without a publication.
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let headings = rows.headers().unwrap().clone();
    assert_eq!(rows.records().count(), 2, "{table}");
    let cells = headings.iter().map(|heading| match heading {
        "external_id.id" => "3",
        "name" => "Praxis am Wald",
        "home_region" => "nordhessen",
        _ => "",
    });
    let cells: Vec<&str> = cells.collect();
    reader.write(&format!("{table}{}\r\n", cells.join(",")));
    let expected = json!({"created": 1, "unchanged": 2});
    assert_eq!(reader.plans(node).await, expected);
    let table = reader.carries_out(node).await;
    assert!(table.contains("Praxis am Wald"), "{table}");
    // Sent back as it is, nothing changes.
    assert_eq!(reader.plans(node).await, json!({"unchanged": 3}));
    // Other callers neither get it nor could mistake it for everything there is.
    let public = "/v1/export?kind=actor&format=csv&publication=draft,published";
    let public = node.get(public).anonymous().await.expect(200);
    assert!(!public.text.contains("Praxis am Wald"));

    let columns = reader.types(node, blocks()[5]).await;
    let columns: Value = serde_json::from_str(&columns).unwrap();
    assert_eq!(columns["columns"]["Krankenhaus"], "name", "{columns}");

    let pushed = reader.types(node, blocks()[6]).await;
    let pushed: Value = serde_json::from_str(&pushed).unwrap();
    let items = pushed["items"].as_array().unwrap();
    let statuses: Vec<&str> = items
        .iter()
        .map(|item| item["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["created", "created", "unchanged"], "{pushed}");
});
