//! Lists of relationships: filters, order, pages, dates.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Node, story};

async fn list(node: &Node, query: &str) -> Value {
    node.get(&format!("/v1/relationships?{query}"))
        .await
        .expect(200)
        .json
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

story!(pages_neither_overlap_nor_miss, Seeded, async |node| {
    let whole = list(node, "limit=200").await;
    let total = whole["total"].as_u64().unwrap();
    assert!(total > 200);
    for limit in [7, 50, 200] {
        let mut seen = Vec::new();
        let mut next = Some(format!("/v1/relationships?limit={limit}"));
        while let Some(path) = next {
            let page = node.get(&path).await.expect(200);
            assert_eq!(page.json["total"], total);
            let link = page.header("link").to_owned();
            seen.extend(ids(&page.json));
            next = page.json["next"].as_str().map(str::to_owned);
            assert_eq!(
                link,
                next.as_ref()
                    .map_or(String::new(), |next| format!("<{next}>; rel=\"next\""))
            );
        }
        assert_eq!(seen.len() as u64, total, "limit {limit}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len() as u64, total);
        assert_eq!(seen[..20], ids(&list(node, "limit=20").await)[..]);
    }
});

story!(a_cursor_is_good_for_its_query_only, Seeded, async |node| {
    let page = list(node, "type=part_of&limit=5").await;
    let next = page["next"].as_str().unwrap().to_owned();
    node.get(&next).await.expect(200);
    let other = next.replace("part_of", "serves");
    node.get(&other).await.problem(400, "invalid-cursor");
    let forged = format!("{next}x");
    node.get(&forged).await.problem(400, "invalid-cursor");
    let elsewhere = next.replace("/v1/relationships?", "/v1/regions/hessen/relationships?");
    node.get(&elsewhere).await.problem(400, "invalid-cursor");
});

story!(comma_is_or_and_repeating_is_and, Seeded, async |node| {
    let count = async |query: &str| list(node, query).await["total"].as_u64().unwrap();
    let (funds, sister) = (count("type=funds").await, count("type=sister_of").await);
    assert!(funds > 0 && sister > 0);
    assert_eq!(count("type=funds,sister_of").await, funds + sister);
    assert_eq!(count("type=funds&type=sister_of").await, 0);
    assert_eq!(count("type=funds&kind=project").await, funds);
    let kcr = count("to=project/klinikcluster-ruhr&type=funds").await;
    assert_eq!(kcr, 2);
    assert_eq!(count("from=actor/eu,actor/land-nrw&type=funds").await, kcr);
    assert_eq!(
        count("external_id=seed-pages|002/kcr-funded-by-eu").await
            + count("external_id=seed-pages|nothing").await,
        1
    );
    let one = ids(&list(node, "type=sister_of").await)[0].clone();
    assert_eq!(count(&format!("id={one}")).await, 1);
    assert_eq!(
        count("home_region=nordhessen").await + count("home_region=muensterland").await,
        count("home_region=nordhessen,muensterland").await
    );
    assert_eq!(count("origin=verbund").await, 414);
    assert_eq!(count("origin=verbund,test-node").await, count("").await);
    assert_eq!(count("updated_since=2999-01-01T00:00:00Z").await, 0);
    assert_eq!(count("publication=draft").await, 0);
});

story!(
    nonsense_is_refused_with_what_would_be_right,
    Seeded,
    async |node| {
        for (query, hint) in [
            ("type=fundz", "did you mean funds?"),
            ("role=executing_agancy", "did you mean executing_agency?"),
            ("kind=netwrk", "did you mean network?"),
            ("active_on=2010-13", "EDTF"),
            ("limit=0", "from 1 to 200"),
            ("limit=-1", "from 1 to 200"),
            ("limit=1e9", "from 1 to 200"),
            ("limit=201", "from 1 to 200"),
            ("id=abc", "a UUID"),
            ("updated_since=yesterday", "RFC 3339"),
            ("external_id=abc", "system|id"),
            ("certainty=sure", "one of certain, possible"),
            ("limit=1&limit=2", "given once"),
            ("from=%00", "plain text"),
        ] {
            let wrong = node
                .get(&format!("/v1/relationships?{query}"))
                .await
                .problem(400, "invalid-parameter");
            let detail = wrong.json["detail"].as_str().unwrap();
            assert!(detail.contains(hint), "{query}: {detail}");
        }
        for query in [
            "from=actor/nobody",
            "to=nobody",
            "home_region=actor/klinikum-kassel",
            "from=%25",
            "from='; drop table record",
        ] {
            node.get(&format!("/v1/relationships?{query}"))
                .await
                .problem(400, "unknown-reference");
        }
    }
);

story!(around_a_record_both_ways_are_read, Seeded, async |node| {
    let path = "/v1/projects/klinikcluster-ruhr/relationships";
    let around = node
        .get(&format!("{path}?limit=200&lang=de"))
        .await
        .expect(200)
        .json;
    let items = around["items"].as_array().unwrap();
    let keys: Vec<(&str, i64)> = items
        .iter()
        .map(|item| {
            (
                item["type"].as_str().unwrap(),
                item["position"].as_i64().unwrap_or(i64::MAX),
            )
        })
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let of = |r#type: &str| {
        items
            .iter()
            .filter(|item| item["type"] == r#type)
            .collect::<Vec<_>>()
    };
    let funder = of("funds")[0];
    assert_eq!(
        (&funder["direction"], &funder["label"]),
        (&json!("to"), &json!("wird gefördert von"))
    );
    assert_eq!(funder["other"]["slug"], "eu");
    assert_eq!(of("sister_of")[0]["direction"], "both");
    assert_eq!(of("serves")[0]["direction"], "from");
    let english = node
        .get(&format!("{path}?type=funds"))
        .await
        .expect(200)
        .json;
    assert_eq!(english["items"][0]["label"], "is funded by");
    let networks = node
        .get(&format!("{path}?type=participates_in&kind=network"))
        .await
        .expect(200)
        .json;
    assert_eq!(networks["total"], 3);
    let classes = node
        .get("/v1/networks/cluster-gesundheit-nordhessen/relationships?type=member_of&limit=200")
        .await
        .expect(200)
        .json;
    let other = &classes["items"][0]["other"];
    assert!(
        other["class"].is_object() && other["as_stated"].is_string(),
        "{other}"
    );
});

story!(dates_answer_certain_or_possible, Seeded, async |node| {
    let edge = async |valid: Value, number: u32| {
        let body = json!({"type": "serves", "publication": "published", "valid": valid, "note": format!("{number}"),
            "from": {"kind": "network", "slug": "medecon-ruhr-e-v"}, "to": {"kind": "region", "slug": "dortmund"},
            "source": {"as_of": "2020-06-01"}});
        node.post("/v1/relationships").json(&body).await.expect(201);
    };
    edge(json!({"from": "2009"}), 1).await;
    edge(json!({"from": "2009", "to": "2012"}), 2).await;
    edge(json!({"from": "2015", "to": ".."}), 3).await;
    edge(json!({"from": "2009~", "to": "2010"}), 4).await;
    edge(json!({"to": "2008"}), 5).await;
    let told = async |query: &str| {
        let path =
            format!("/v1/relationships?from=network/medecon-ruhr-e-v&to=region/dortmund&{query}");
        let page = node.get(&path).await.expect(200).json;
        let items = page["items"].as_array().unwrap();
        let mut told: Vec<(String, String)> = items
            .iter()
            .map(|item| {
                (
                    item["note"].as_str().unwrap().to_owned(),
                    item["hit"]["certainty"].as_str().unwrap_or("-").to_owned(),
                )
            })
            .collect();
        told.sort();
        told.into_iter()
            .map(|(note, certainty)| format!("{note} {certainty}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told("active_on=2010").await,
        ["1 possible", "2 certain", "4 possible"]
    );
    assert_eq!(
        told("active_on=2010&certainty=certain").await,
        ["2 certain"]
    );
    assert_eq!(told("active_on=2018-03").await, ["1 possible", "3 certain"]);
    assert_eq!(told("active_on=2021").await, ["1 possible", "3 possible"]);
    assert_eq!(told("active_on=2005").await, ["5 possible"]);
    assert_eq!(
        told("active_on=2010~").await,
        ["1 possible", "2 possible", "3 possible", "4 possible"].map(str::to_owned)[..2]
            .iter()
            .cloned()
            .chain(["4 possible".to_owned()])
            .collect::<Vec<_>>()
    );
    assert_eq!(told("").await.len(), 5);
});

story!(
    a_page_that_is_known_is_not_sent_again,
    Seeded,
    async |node| {
        let first = node.get("/v1/relationships?type=funds").await.expect(200);
        assert!(first.etag().starts_with("W/\""));
        node.get("/v1/relationships?type=funds")
            .header("if-none-match", "bad")
            .await
            .problem(400, "invalid-header");
        node.get("/v1/relationships?type=funds")
            .header("if-none-match", &format!("\"x\", {}", first.etag()))
            .await
            .expect(304);
        node.get("/v1/relationships?type=funds")
            .header("if-none-match", first.etag())
            .await
            .expect(304);
    }
);
