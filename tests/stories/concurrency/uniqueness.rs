//! Uniqueness under concurrent requests.

use super::{between, network, winners};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::audit::audit;
use tests::{Answer, Node, story};

const WRITERS: usize = 16;

/// Sends one body per writer at once.
async fn at_once(node: &Node, plural: &str, body: impl Fn(usize) -> Value) -> Vec<Answer> {
    let path = format!("/v1/{plural}");
    let writers = (0..WRITERS).map(async |writer| node.post(&path).json(&body(writer)).await);
    join_all(writers).await
}

story!(sixteen_of_one_name_get_sixteen_slugs, async |node| {
    for name in ["Gleich", "Größer & Schöner", "Mo.WiN.net"] {
        let answers = at_once(
            node,
            "networks",
            |_| json!({"name": name, "home_region": "hessen"}),
        )
        .await;
        let base = domain::value::text::slugify(name);
        // The first nine are counted, the others get a random suffix.
        let counted = (2..=9).map(|number| format!("{base}-{number}"));
        let expected: BTreeSet<String> = std::iter::once(base.clone()).chain(counted).collect();
        let slugs: BTreeSet<String> = answers
            .into_iter()
            .map(|answer| answer.expect(201).json["slug"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(slugs.len(), WRITERS);
        assert!(slugs.is_superset(&expected), "{slugs:?}");
        for slug in slugs.difference(&expected) {
            let suffix = slug.strip_prefix(&format!("{base}-")).unwrap();
            assert_eq!(suffix.len(), 6, "{slug}");
            assert!(
                suffix.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{slug}"
            );
        }
    }
    audit(node.store.db()).await;
});

story!(what_must_be_unique_is_given_once, async |node| {
    for round in 0..5 {
        let slug = format!("begehrt-{round}");
        let answers = at_once(
            node,
            "actors",
            |writer| json!({"name": format!("Akteur {writer}"), "slug": slug, "home_region": "hessen"}),
        );
        assert_eq!(winners(answers.await, 201, 409, "conflict"), 1);

        let key = json!({"system": "cms", "id": format!("{round}")});
        let answers = at_once(
            node,
            "actors",
            |writer| json!({"name": format!("Akteur {writer}"), "external_id": key, "home_region": "hessen"}),
        );
        assert_eq!(winners(answers.await, 201, 409, "conflict"), 1);

        let identifiers = json!([{"scheme": "wikidata", "value": format!("Q{}", 42 + round)}]);
        let answers = at_once(
            node,
            "actors",
            |writer| json!({"name": format!("Akteur {writer}"), "identifiers": identifiers, "home_region": "hessen"}),
        );
        assert_eq!(winners(answers.await, 201, 409, "conflict"), 1);

        let from = network(node, &format!("Von {round}")).await;
        let to = network(node, &format!("Nach {round}")).await;
        let answers = at_once(node, "relationships", |_| between("member_of", &from, &to));
        assert_eq!(winners(answers.await, 201, 409, "conflict"), 1);
        // Symmetric ones are the same in both directions.
        let answers = at_once(node, "relationships", |writer| match writer % 2 {
            0 => between("cooperates_with", &from, &to),
            _ => between("cooperates_with", &to, &from),
        });
        assert_eq!(winners(answers.await, 201, 409, "conflict"), 1);
    }
    audit(node.store.db()).await;
});

story!(
    a_key_survives_being_deleted_and_supplied_at_once,
    async |node| {
        for round in 0..10 {
            let key = json!({"system": "cms", "id": format!("{round}")});
            let body = json!({"name": "Geliefert", "external_id": key, "home_region": "hessen"});
            let made = node.post("/v1/actors").json(&body).await.expect(201);
            let path = made.header("location").to_owned();
            let (gone, again) = futures::join!(
                node.delete(&path).if_match("\"1\"").into_future(),
                at_once(node, "actors", |_| body.clone()),
            );
            gone.expect(204);
            let revived: Vec<_> = again.into_iter().filter(|one| one.status != 409).collect();
            let told: Vec<&str> = revived.iter().map(|one| one.text.as_str()).collect();
            assert!(revived.len() <= 1, "{told:?}");
            // The current holder of the key can be deleted and supplied again.
            let mut path = path;
            if let Some(one) = revived.into_iter().next() {
                one.expect(201).header("location").clone_into(&mut path);
                node.delete(&path).if_match("*").await.expect(204);
            }
            let last = node.post("/v1/actors").json(&body).await.expect(201);
            assert_eq!(last.header("location"), path);
        }
        audit(node.store.db()).await;
    }
);

story!(
    a_key_that_a_deleted_record_had_can_be_given_to_another,
    async |node| {
        let key = json!({"system": "cms", "id": "17"});
        let body = json!({"name": "Erster", "external_id": key, "home_region": "hessen"});
        let first = node.post("/v1/actors").json(&body).await.expect(201);
        let first = first.header("location");
        node.delete(first).if_match("*").await.expect(204);
        let body = json!({"name": "Zweiter", "home_region": "hessen"});
        let second = node.post("/v1/actors").json(&body).await.expect(201);
        let second = second.header("location");
        let change = json!({"external_id": key});
        let changed = node.patch(second).if_match("*").json(&change).await;
        changed.expect(200);
        node.delete(second).if_match("*").await.expect(204);
        node.get(first)
            .token(&node.admin)
            .await
            .problem(410, "gone");

        // The key revives the last record that had it.
        let body = json!({"name": "Dritter", "external_id": key, "home_region": "hessen"});
        let third = node.post("/v1/actors").json(&body).await.expect(201);
        assert_eq!(third.header("location"), second);
        audit(node.store.db()).await;
    }
);
