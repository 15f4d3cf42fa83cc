//! Likely duplicates: visibility, order, and pairs that are not listed.

use domain::access::rules::Role;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::settings::{full, tell};
use tests::{Answer, Intake, Neighbour, Node, story};
use uuid::Uuid;

fn hospital(name: &str, publication: &str, home: &str) -> Value {
    json!({
        "name": name,
        "publication": publication,
        "home_region": home,
        "places": [{"street": "Hufelandstraße 55", "postal_code": "45147", "city": "Essen"}],
    })
}

fn names(answer: &Answer) -> Vec<[String; 2]> {
    let name = |side: &Value| side["name"].as_str().unwrap().to_owned();
    let items = answer.json["items"].as_array().unwrap().iter();
    let mut pairs: Vec<_> = items
        .map(|pair| {
            let mut both = [0, 1].map(|at| name(&pair["records"][at]));
            both.sort();
            both
        })
        .collect();
    pairs.sort();
    pairs
}

async fn listed(node: &Node, query: &str) -> Answer {
    let path = format!("/v1/duplicates?{query}");
    node.get(&path).token(&node.admin).await.expect(200)
}

story!(the_seed_pages_hold_no_duplicates, Seeded, async |node| {
    let listed = listed(node, "").await;
    assert_eq!(names(&listed), Vec::<[String; 2]>::new(), "{}", listed.text);
    assert_eq!(listed.json["total"], 0);
});

story!(a_pair_is_shown_to_who_sees_both, Seeded, async |node| {
    let region = node.get("/v1/regions/nordhessen").await.expect(200);
    let here = Uuid::parse_str(region.id()).unwrap();
    let one = node
        .made(
            "actors",
            hospital("Universitätsklinikum Essen", "published", "nordhessen"),
        )
        .await;
    node.made(
        "actors",
        hospital(
            "Universitaetsklinikum Essen AöR",
            "published",
            "muensterland",
        ),
    )
    .await;
    node.made(
        "actors",
        hospital("Uniklinik Essen", "draft", "muensterland"),
    )
    .await;
    node.made(
        "actors",
        hospital("Universitätsklinikum Essen GmbH", "published", "nordhessen"),
    )
    .await;
    let public = node.get("/v1/duplicates").await.expect(200);
    let reader = node.token(Role::Reader, Some(here)).await;
    let elsewhere = node.get("/v1/duplicates").token(&reader).await.expect(200);
    assert_eq!(names(&public), names(&elsewhere));
    assert!(!public.text.contains("Uniklinik Essen"));
    let all = listed(node, "limit=200").await;
    assert!(all.text.contains("Uniklinik Essen"));
    let found = names(&public);
    assert!(
        found.contains(&[
            "Universitaetsklinikum Essen AöR".to_owned(),
            "Universitätsklinikum Essen".to_owned()
        ]),
        "{found:?}"
    );
    // Two legal forms are two legal entities.
    assert!(
        !found.contains(&[
            "Universitaetsklinikum Essen AöR".to_owned(),
            "Universitätsklinikum Essen GmbH".to_owned()
        ]),
        "{found:?}"
    );
    let pair = &public.json["items"][0];
    assert_eq!(pair["suggestion"], "merge");
    let codes = pair["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap());
    assert!(
        codes.clone().any(|code| code == "same_address"),
        "{codes:?}"
    );
    assert!(pair["reasons"][0]["labels"]["de"].is_string());
    // Publishing, changing and deleting take effect immediately.
    let path = format!("/v1/actors/{one}");
    let draft = json!({"publication": "draft"});
    node.patch(&path)
        .if_match("*")
        .json(&draft)
        .await
        .expect(200);
    assert!(
        !node
            .get("/v1/duplicates")
            .await
            .expect(200)
            .text
            .contains(&one)
    );
    assert!(listed(node, "limit=200").await.text.contains(&one));
    node.delete(&path).if_match("*").await.expect(204);
    assert!(!listed(node, "limit=200").await.text.contains(&one));
});

story!(
    pairs_that_are_settled_are_not_listed,
    Seeded,
    async |node| {
        let one = node
            .made(
                "actors",
                hospital("Klinikum Essen", "published", "nordhessen"),
            )
            .await;
        let other = node
            .made(
                "actors",
                hospital("Klinikum Essen GmbH", "published", "nordhessen"),
            )
            .await;
        let total = async || node.get("/v1/duplicates").await.expect(200).json["total"].clone();
        assert_eq!(total().await, 1);
        let same = |publication: &str| json!({"type": "same_as", "publication": publication, "from": {"kind": "actor", "id": other}, "to": {"kind": "actor", "id": one}});
        let edge = node
            .post("/v1/relationships")
            .json(&same("draft"))
            .await
            .expect(201);
        // A draft does not affect the public list.
        assert_eq!(total().await, 1);
        assert_eq!(listed(node, "").await.json["total"], 0);
        let path = format!("/v1/relationships/{}", edge.id());
        let published = json!({"publication": "published"});
        node.patch(&path)
            .if_match("*")
            .json(&published)
            .await
            .expect(200);
        assert_eq!(total().await, 0);
        node.delete(&path).if_match("*").await.expect(204);
        assert_eq!(total().await, 1);
        let merge = format!("/v1/actors/{one}/merge");
        node.post(&merge)
            .json(&json!({"into": other}))
            .await
            .expect(200);
        assert_eq!(total().await, 0);
        node.delete(&merge).await.expect(200);
        assert_eq!(total().await, 1);
    }
);

story!(
    across_nodes_a_pair_is_the_same_thing,
    Seeded,
    async |node| {
        let own = node.get("/v1/actors/klinikum-kassel").await.expect(200);
        let body = json!({
            "name": own.json["name"], "contact": own.json["contact"],
            "home_region": "hessen", "publication": "published",
        });
        let mut copies = Vec::new();
        for origin in ["dort", "drueben"] {
            let there = Neighbour::start(node.backend, origin).await;
            copies.push(there.made("actors", body.clone()).await);
            let intake = Intake::new(node, origin, &there.base, json!({})).await;
            intake.pull().await;
            there.stop().await;
        }
        node.settled().await;
        let listed = listed(node, "kind=actor").await;
        let items = listed.json["items"].as_array().unwrap();
        // Each with this node's own, but not the two copies with each other.
        assert_eq!(items.len(), 2, "{}", listed.text);
        for pair in items {
            assert_eq!(pair["suggestion"], "same_as");
            let origins = [0, 1].map(|at| &pair["records"][at]["origin"]);
            assert!(origins.contains(&&json!("test-node")), "{pair}");
        }
        assert!(copies.iter().all(|copy| listed.text.contains(copy)));
    }
);

story!(a_pair_ends_when_one_of_the_two_changes, async |node| {
    let one = node
        .made("actors", hospital("Klinikum Essen", "published", "hessen"))
        .await;
    let other = hospital("Klinikum Essen GmbH", "published", "hessen");
    let other = node.made("actors", other).await;
    let total = async || listed(node, "").await.json["total"].clone();
    assert_eq!(total().await, 1);
    let path = format!("/v1/actors/{other}");
    for (name, pairs) in [("Feuerwehr Emden", 0), ("Klinikum Essen", 1)] {
        let patch = json!({"name": name, "places": [{"city": "Essen"}]});
        let patched = node.patch(&path).if_match("*").json(&patch);
        patched.await.expect(200);
        assert_eq!(total().await, pairs, "{name}");
    }
    node.delete(&format!("/v1/actors/{one}"))
        .if_match("*")
        .await
        .expect(204);
    assert_eq!(total().await, 0);
});

story!(pages_and_filters, Seeded, async |node| {
    for number in 0..4 {
        for (form, home) in [("GmbH", "nordhessen"), ("", "muensterland")] {
            let name = format!("Rehazentrum Musterwald {number} {form}");
            let body = json!({"name": name, "publication": "published", "home_region": home});
            node.made("actors", body).await;
        }
    }
    let body =
        json!({"name": "Netz der Muster", "publication": "published", "home_region": "hessen"});
    node.made("networks", body.clone()).await;
    node.made("networks", body).await;
    let all = listed(node, "limit=200").await;
    assert_eq!(all.json["total"], 5);
    let scores: Vec<f64> = all.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let mut paged = Vec::new();
    let mut at = "/v1/duplicates?limit=2".to_owned();
    loop {
        let page = node.get(&at).await.expect(200);
        assert_eq!(page.json["total"], 5);
        paged.extend(page.json["items"].as_array().unwrap().clone());
        let Some(next) = page.json["next"].as_str() else {
            break;
        };
        assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
        next.clone_into(&mut at);
    }
    assert_eq!(json!(paged), all.json["items"]);
    for (query, total) in [
        ("kind=network", 1),
        ("kind=actor,network", 5),
        ("kind=actor&kind=network", 0),
        ("home_region=nordhessen", 4),
        ("home_region=muensterland&home_region=nordhessen", 4),
        ("min_score=1", 0),
        ("min_score=0.5&kind=network", 1),
    ] {
        assert_eq!(listed(node, query).await.json["total"], total, "{query}");
    }
    let first = node.get("/v1/duplicates").await.expect(200);
    let known = node
        .get("/v1/duplicates")
        .header("if-none-match", first.etag())
        .await;
    known.expect(304);
    for (query, code) in [
        ("min_score=0.1", "invalid-parameter"),
        ("min_score=NaN", "invalid-parameter"),
        ("min_score=x", "invalid-parameter"),
        ("limit=0", "invalid-parameter"),
        ("kind=person", "invalid-parameter"),
        ("cursor=AAAA", "invalid-cursor"),
        ("home_region=nirgends", "unknown-reference"),
        ("score=1", "unknown-parameter"),
    ] {
        node.get(&format!("/v1/duplicates?{query}"))
            .await
            .problem(400, code);
    }
    let next = node.get("/v1/duplicates?limit=2").await.expect(200);
    let forged = next.json["next"]
        .as_str()
        .unwrap()
        .replace("limit=2", "limit=3");
    node.get(&forged).await.problem(400, "invalid-cursor");
});

/// An actor among many; the successor of each tenth is its duplicate.
fn one_of_many(number: usize) -> Value {
    let towns = [
        "Kassel",
        "Bochum",
        "Essen",
        "Fulda",
        "Höxter",
        "Münster",
        "Göttingen",
        "Köln",
    ];
    let sorts = [
        "Praxis",
        "Apotheke",
        "Pflegedienst",
        "Klinik",
        "Zentrum",
        "Sanitätshaus",
    ];
    let of = number - usize::from(number % 10 == 1);
    let name = format!("{} {} {}", sorts[of % 6], word(of), word(of / 7));
    json!({
        "kind": "actor",
        "name": name,
        "home_region": "hessen",
        "publication": "published",
        "places": [{
            "street": format!("Straße {} Nr. {}", of % 97, of % 211),
            "city": towns[of % 8],
            "postal_code": format!("{:05}", 10_000 + of % 800),
        }],
        "contact": {"website": format!("https://www.{}.example.org", of % 5000)},
    })
}

// In the long variant, there are twenty thousand.
story!(what_many_share_is_compared_as_it_is_written, async |node| {
    let count = if full() { 20_000 } else { 600 };
    let lines: Vec<String> = (0..count)
        .map(|number| one_of_many(number).to_string())
        .collect();
    // An unoptimized server takes minutes for all of them; a response has ten, and consumers of the
    // log have one.
    let mut compared = Duration::ZERO;
    for part in lines.chunks(2000) {
        let import = node.post("/v1/import").token(&node.admin);
        let import = import.body("application/x-ndjson", part.join("\n"));
        let import = import.await.expect(200);
        assert_eq!(import.json["created"], part.len(), "{}", import.text);
        let begun = Instant::now();
        node.settled().await;
        compared += begun.elapsed();
    }
    let begun = Instant::now();
    let total = listed(node, "").await.json["total"].as_u64().unwrap();
    tell(&format!(
        "{total} pairs of {count} records in {compared:?}, listed in {:?}",
        begun.elapsed()
    ));
    assert!(total >= count as u64 / 10, "{total}");
});

fn word(number: usize) -> String {
    let syllables = ["ba", "ko", "li", "mu", "ne", "ri", "so", "tu", "wa", "zi"];
    let mut rest = number * 7919 + 13;
    let mut word = String::new();
    for _ in 0..5 {
        word.push_str(syllables[rest % 10]);
        rest /= 10;
    }
    word
}
