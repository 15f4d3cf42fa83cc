//! Exports: complete or filtered, as lines, tables and maps, and back again.

use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PushStatus;
use domain::exchange::table;
use persistence::Store;
use persistence::load::{CHUNK, LoadMode};
use persistence::transaction::WriteOptions;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::database::{Database, ORIGIN};
use tests::tables::record;
use tests::{Answer, Content, Node, story};

fn lines(answer: &Answer) -> Vec<Value> {
    let lines = answer.text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

async fn export(node: &Node, query: &str) -> Answer {
    node.settled().await;
    node.get(&format!("/v1/export?{query}")).await.expect(200)
}

/// A table as records, parsed by the crate `csv`.
fn records(kind: Kind, text: &str) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let columns: Vec<_> = headings
        .iter()
        .map(|name| {
            let known = table::columns(kind)
                .iter()
                .find(|column| column.name == name);
            known.unwrap_or_else(|| panic!("{name}"))
        })
        .collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        table::record(columns.iter().copied().zip(row.iter())).unwrap()
    });
    rows.collect()
}

/// Loads lines as an admin's import does; every one must be new.
async fn load(store: &Store, lines: &[&str]) {
    for chunk in lines.chunks(CHUNK) {
        let outcomes = store
            .imports()
            .load(
                &Caller::node(),
                chunk,
                LoadMode::Upsert,
                &WriteOptions::default(),
            )
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

story!(what_is_exported_can_be_imported, Seeded, async |node| {
    // An edit makes an older record reference a younger one.
    let topic = node
        .post("/v1/topics")
        .json(&json!({"name": "Kind", "publication": "published"}))
        .await
        .expect(201);
    let broader = node
        .post("/v1/topics")
        .json(&json!({"name": "Eltern", "publication": "published"}))
        .await
        .expect(201);
    let path = format!("/v1/topics/{}", topic.id());
    node.patch(&path)
        .if_match("\"1\"")
        .json(&json!({"broader": broader.id()}))
        .await
        .expect(200);

    let answer = export(node, &format!("origin={ORIGIN}")).await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let kinds: Vec<String> = lines(&answer)
        .iter()
        .map(|one| one["kind"].as_str().unwrap().to_owned())
        .collect();
    let mut seen = Vec::new();
    for kind in kinds {
        if seen.last() != Some(&kind) {
            seen.push(kind);
        }
    }
    let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(seen, all);

    let empty = Database::new(node.backend, Content::Empty).await;
    let store = Store::open(&empty.url, None, Clock::default())
        .await
        .unwrap();
    let text: Vec<&str> = answer.text.lines().collect();
    load(&store, &text).await;
    let bodies = async |store: &Store| -> BTreeMap<_, _> {
        let rows = record::Entity::find()
            .all(store.db().reader())
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| (row.id, (row.kind, row.slug, row.body)))
            .collect()
    };
    assert_eq!(bodies(&store).await, bodies(&node.store).await);
    store.db().clone().close().await;
    empty.remove().await;
});

story!(tables_come_back_as_they_were, Seeded, async |node| {
    let odd = json!({
        "name": "=HYPERLINK(\"http://x\")", "summary": "+49, \"a\"; b\nc", "goals": ["a;b", "-c", "'=d\\"],
        "home_region": "nordhessen", "publication": "published",
        "places": [{"street": "@Weg;1", "point": {"lat": -51.5, "lon": 9.5}}, {"city": "Kassel"}],
        "translations": {"en": {"name": "=Odd"}},
    });
    node.post("/v1/actors").json(&odd).await.expect(201);
    let mut count = 0;
    for kind in Kind::ALL {
        let query = format!("kind={kind}");
        let answer = export(node, &format!("{query}&format=csv")).await;
        assert_eq!(
            answer.header("content-type"),
            "text/csv; charset=utf-8; header=present"
        );
        let name = answer.header("content-disposition");
        let start = format!("attachment; filename=\"{ORIGIN}-{}-", kind.plural());
        assert!(
            name.starts_with(&start) && name.ends_with(".csv\""),
            "{name}"
        );
        let table = records(*kind, &answer.text);
        let plain = lines(&export(node, &query).await);
        assert_eq!(table.len(), plain.len());
        for (row, record) in table.iter().zip(&plain) {
            if *kind == Kind::Relationship {
                same_ends(row, record, node).await;
            } else {
                assert_eq!(row, record);
            }
        }
        count += table.len();
    }
    assert!(count > 1_000, "{count}");
    // No cell begins as a formula does, but for numbers.
    let answer = export(
        node,
        "kind=actor&format=csv&fields=name,summary,goals,places",
    )
    .await;
    assert!(
        answer.text.contains("\"'=HYPERLINK(\"\"http://x\"\")\""),
        "{}",
        answer.text
    );
    for row in csv::Reader::from_reader(answer.text.as_bytes()).records() {
        for cell in &row.unwrap() {
            let harmless = !cell.starts_with(['=', '+', '@', '-', '\t', '\r']);
            let is_number = |item: &str| item.is_empty() || item.parse::<f64>().is_ok();
            assert!(harmless || cell.split(';').all(is_number), "{cell}");
        }
    }
    assert!(!answer.text.contains("home_region.") && !answer.text.contains("contact.website"));
    for wrong in [
        "format=csv",
        "format=csv&kind=actor,network",
        "fields=name",
        "lang=en&kind=actor",
    ] {
        node.get(&format!("/v1/export?{wrong}"))
            .await
            .problem(400, "invalid-parameter");
    }
});

async fn same_ends(row: &Value, record: &Value, node: &Node) {
    let mut row = row.clone();
    for end in ["from", "to"] {
        if let Some(slug) = row[end]["slug"].as_str() {
            let kind = Kind::parse(row[end]["kind"].as_str().unwrap()).unwrap();
            let (_, id) = node
                .store
                .records()
                .find_named(&Caller::node(), "end", &[kind], slug)
                .await
                .unwrap();
            row[end] = json!({"kind": kind, "id": id});
        }
    }
    assert_eq!(row, *record);
}

story!(an_export_takes_the_filters_of_lists, Seeded, async |node| {
    node.settled().await;
    for (list, query) in [
        (
            "/v1/actors?category=hospital",
            "kind=actor&category=hospital",
        ),
        ("/v1/projects?active_on=2010", "kind=project&active_on=2010"),
        (
            "/v1/networks?region=nordhessen",
            "kind=network&region=nordhessen",
        ),
        ("/v1/search?q=Nordhessen", "q=Nordhessen"),
        (
            "/v1/search?serves=nordhessen&kind=network,actor",
            "serves=nordhessen&kind=network,actor",
        ),
        (
            "/v1/relationships?type=funds",
            "kind=relationship&type=funds",
        ),
        (
            "/v1/relationships?to=project/klinikcluster-ruhr",
            "kind=relationship&to=project/klinikcluster-ruhr",
        ),
    ] {
        let listed = node.get(&format!("{list}&limit=200")).await.expect(200);
        let ids = |items: Vec<Value>| -> BTreeSet<String> {
            items
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let listed = ids(listed.json["items"].as_array().unwrap().clone());
        assert!(!listed.is_empty(), "{list}");
        assert_eq!(ids(lines(&export(node, query).await)), listed, "{query}");
    }
    for (query, near) in [
        ("kind=actor&categori=x", "category"),
        ("kind=actor&phase=x", "category"),
        ("categories=x", ""),
        ("kind=project&limit=5", ""),
        ("kind=relationship&q=x", ""),
    ] {
        let refused = node
            .get(&format!("/v1/export?{query}"))
            .await
            .problem(400, "unknown-parameter");
        assert!(refused.text.contains(near), "{}", refused.text);
    }
    let close = node.get("/v1/export?kind=actor&categori=x").await;
    assert!(
        close.text.contains("Did you mean `category`?"),
        "{}",
        close.text
    );
    node.get("/v1/export?near=51,9")
        .await
        .problem(400, "invalid-parameter");
    node.get("/v1/export?kind=aktor")
        .await
        .problem(400, "invalid-parameter");
    node.get("/v1/export?kind=actor&region=nirgends")
        .await
        .problem(400, "unknown-reference");
});

story!(
    an_export_holds_what_the_caller_may_see,
    Seeded,
    async |node| {
        let body = json!({"name": "Geheim", "home_region": "nordhessen"});
        let made = node.post("/v1/actors").json(&body).await.expect(201);
        let edge = json!({"type": "member_of", "publication": "published",
        "from": {"kind": "actor", "id": made.id()}, "to": {"kind": "network", "slug": "mo-win-net"}});
        let edge = node.post("/v1/relationships").json(&edge).await.expect(201);
        for query in [
            "",
            "publication=draft",
            "kind=actor&publication=draft,published",
            "kind=relationship",
        ] {
            for format in ["ndjson", "geojson"] {
                let answer = export(node, &format!("{query}&format={format}")).await;
                assert!(!answer.text.contains(made.id()) && !answer.text.contains(edge.id()));
            }
        }
        let admin = node
            .get("/v1/export?publication=draft")
            .token(&node.admin)
            .await
            .expect(200);
        assert_eq!(lines(&admin).len(), 1);
        let plain = node
            .get("/v1/export?kind=actor")
            .token(&node.admin)
            .await
            .expect(200);
        assert!(!plain.text.contains(made.id()));
        let head = node
            .call(Method::HEAD, "/v1/export?kind=actor&format=csv")
            .await
            .expect(200);
        assert!(head.text.is_empty() && head.header("content-disposition").contains("actors"));
        assert!(
            export(node, "kind=actor&q=gibtesnicht&format=geojson")
                .await
                .json["features"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    }
);

story!(
    thousands_of_records_come_piece_by_piece,
    Empty,
    async |node| {
        const MANY: usize = 5_000;
        let region = json!({"kind": "region", "name": "Neuland", "slug": "neuland", "home_region": "neuland", "publication": "published"});
        load(&node.store, &[&region.to_string()]).await;
        let text = "Beschreibung ".repeat(300);
        let made: Vec<String> = (0..MANY)
        .map(|n| json!({"kind": "actor", "name": format!("Akteur {n}"), "description": format!("{n} {text}"), "home_region": "neuland", "publication": "published"}).to_string())
        .collect();
        load(
            &node.store,
            &made.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await;
        node.settled().await;
        let url = format!("{}/v1/export?kind=actor", node.base);
        let plain = reqwest::Client::builder()
            .no_gzip()
            .no_brotli()
            .build()
            .unwrap();
        let mut answer = plain.get(url).send().await.unwrap();
        let (mut bytes, mut pieces, mut lines) = (0, 0, 0);
        while let Some(piece) = answer.chunk().await.unwrap() {
            bytes += piece.len();
            pieces += 1;
            lines += piece.split(|byte| *byte == b'\n').count() - 1;
        }
        assert_eq!(lines, MANY);
        // Each chunk is sent before the next one is read.
        assert!(bytes > 20_000_000 && pieces > 25, "{bytes} {pieces}");
    }
);

story!(
    an_export_that_fails_does_not_look_complete,
    Seeded,
    async |node| {
        // The index has seen every record before one of them is corrupted.
        node.settled().await;
        let rows = record::Entity::find()
            .all(node.store.db().reader())
            .await
            .unwrap();
        let last = rows
            .iter()
            .filter(|row| row.kind == "region")
            .map(|row| row.id)
            .max()
            .unwrap();
        record::Entity::update_many()
            .col_expr(record::Column::Publication, Expr::value("odd"))
            .filter(record::Column::Id.eq(last))
            .exec(node.store.db().reader())
            .await
            .unwrap();
        let url = format!("{}/v1/export?kind=region&format=geojson", node.base);
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.is_err());
    }
);
