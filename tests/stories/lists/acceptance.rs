//! The acceptance table of the German search over HTTP, on records loaded as a partner would load
//! them.

use super::{names, page};
use domain::access::rules::Caller;
use domain::exchange::sync::PushStatus;
use persistence::load::{CHUNK, LoadMode};
use persistence::transaction::WriteOptions;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::call::encoded;
use tests::generate;
use tests::{Node, story};

const TABLE: &str = include_str!("../../../data/search/acceptance.ndjson");
const FIXTURES: &str = include_str!("../../../data/search/fixtures.ndjson");

#[derive(Debug, Deserialize)]
struct Row {
    says: String,
    typed: Vec<String>,
    #[serde(default)]
    same: bool,
    #[serde(default)]
    finds: Vec<String>,
    #[serde(default)]
    misses: Vec<String>,
    #[serde(default)]
    first: Vec<String>,
    #[serde(default)]
    above: Vec<String>,
}

async fn load(node: &Node, lines: &[String]) {
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    for chunk in lines.chunks(CHUNK) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let outcomes = node
            .store
            .imports()
            .load(&Caller::node(), &chunk, LoadMode::CreateMissing, &options)
            .await
            .unwrap();
        for (line, outcome) in chunk.iter().zip(outcomes) {
            assert!(
                outcome.status() == PushStatus::Created,
                "{outcome:?} {line}"
            );
        }
    }
}

fn homed(mut record: Value) -> String {
    let members = record.as_object_mut().unwrap();
    if members["kind"] != "topic" {
        members.entry("home_region").or_insert(json!("hessen"));
    }
    members.entry("publication").or_insert(json!("published"));
    record.to_string()
}

story!(the_table_holds_over_http, Seeded, async |node| {
    let fixtures = FIXTURES
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<String> = fixtures.map(homed).collect();
    load(node, &lines).await;
    let lines: Vec<String> = generate::records(generate::MANY, 7)
        .into_iter()
        .map(homed)
        .collect();
    load(node, &lines).await;
    node.settled().await;
    let mut wrong = Vec::new();
    for line in TABLE.lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        check(node, &row, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
});

async fn check(node: &Node, row: &Row, wrong: &mut Vec<String>) {
    let mut before: Option<(u64, BTreeSet<String>)> = None;
    for typed in &row.typed {
        let found = page(node, &format!("search?q={}&limit=200", encoded(typed))).await;
        let total = found["total"].as_u64().unwrap();
        let mut hits: Vec<String> = names(&found).into_iter().map(str::to_owned).collect();
        let mut next = found["next"].as_str().map(str::to_owned);
        while let Some(path) = next {
            let more = node.get(&path).await.expect(200).json;
            hits.extend(names(&more).into_iter().map(str::to_owned));
            next = more["next"].as_str().map(str::to_owned);
        }
        let says = format!("{} (typed: {typed})", row.says);
        let missing = row
            .finds
            .iter()
            .chain(&row.above)
            .filter(|name| !hits.contains(name));
        wrong.extend(missing.map(|name| format!("{says}: misses {name}")));
        let surplus = row.misses.iter().filter(|name| hits.contains(name));
        wrong.extend(surplus.map(|name| format!("{says}: finds {name}")));
        let top: BTreeSet<_> = hits.iter().take(row.first.len()).collect();
        if top != row.first.iter().collect() {
            wrong.push(format!("{says}: first are {top:?}, not {:?}", row.first));
        }
        let place = |name: &String| hits.iter().position(|hit| hit == name);
        if let [above, below] = row.above.as_slice()
            && place(above) > place(below)
        {
            wrong.push(format!("{says}: {above} is below {below}"));
        }
        let hits: BTreeSet<String> = hits.into_iter().collect();
        if let Some((known, same)) = &before
            && row.same
            && (*known, same) != (total, &hits)
        {
            let difference: Vec<_> = same.symmetric_difference(&hits).take(5).collect();
            wrong.push(format!(
                "{says}: {total} hits instead of {known}, such as {difference:?}"
            ));
        }
        before.get_or_insert((total, hits));
    }
}
