//! The meaning of filters, and that a typo never means "no filter".

use super::{all, ids, make, names, page};
use serde_json::json;
use tests::{Node, story};

async fn count(node: &Node, path: &str) -> u64 {
    page(node, path).await["total"].as_u64().unwrap()
}

story!(every_filter_of_every_kind_is_taken, Seeded, async |node| {
    let document = tests::conform::document();
    for kind in [
        "actors", "networks", "regions", "projects", "events", "topics",
    ] {
        let parameters = &document["paths"][format!("/v1/{kind}")]["get"]["parameters"];
        let names = parameters.as_array().unwrap().iter();
        let names = names.filter(|one| one["in"] == "query");
        let names = names.map(|one| one["name"].as_str().unwrap().to_owned());
        let names: Vec<String> = names.collect();
        assert!(names.len() > 25, "{kind}: {names:?}");
        for name in &names {
            // No record and no number is called `nope`; the value is rejected.
            let answer = node.get(&format!("/v1/{kind}?{name}=n%C3%B6pe%3A!")).await;
            let code = answer.json["type"].as_str().unwrap_or_default();
            assert_ne!(code, "/problems/unknown-parameter", "{kind} {name}");
            assert!(
                answer.status == 200 || answer.status == 400,
                "{kind} {name}: {}",
                answer.text
            );
        }
        let misspelt = node.get(&format!("/v1/{kind}?topc=pflege")).await;
        let problem = misspelt.problem(400, "unknown-parameter");
        assert!(problem.json["detail"].as_str().unwrap().contains("`topic`"));
    }
});

story!(
    comma_is_or_repeating_is_and_others_are_and,
    Seeded,
    async |node| {
        let all = count(node, "networks").await;
        let cluster = count(node, "networks?network_type=cluster").await;
        let association = count(node, "networks?network_type=association").await;
        assert!(cluster > 0 && association > 0 && cluster + association < all);
        let either = count(node, "networks?network_type=cluster,association").await;
        assert_eq!(either, cluster + association);
        assert_eq!(
            count(
                node,
                "networks?network_type=cluster&network_type=association"
            )
            .await,
            0
        );
        let both = count(node, "networks?network_type=association&document=002").await;
        assert!(both <= association);
    }
);

story!(
    relationships_are_filters_on_both_sides,
    Seeded,
    async |node| {
        let path = "networks?operated_by=regionalmanagement-nordhessen";
        let run = page(node, path).await;
        assert_eq!(
            names(&run),
            [
                "Cluster Gesundheit Nordhessen",
                "IT-Netzwerk Nordhessen",
                "Mo.WiN.net"
            ]
        );
        let back = page(node, "actors?operates=network/mo-win-net").await;
        assert_eq!(names(&back), ["Regionalmanagement Nordhessen"]);
        let executing = "actors?participates_in=klinikcluster-ruhr:executing";
        assert_eq!(names(&page(node, executing).await), ["MedEcon Ruhr GmbH"]);
        let unknown = node.get("/v1/actors?participates_in=klinikcluster-ruhr:exekuting");
        let told = unknown.await.problem(400, "invalid-parameter");
        assert!(told.json["detail"].as_str().unwrap().contains("executing"));
        let nobody = node.get("/v1/actors?participates_in=klinik-cluster").await;
        nobody.problem(400, "unknown-reference");
        let funders = page(node, "actors?funds=project/klinikcluster-ruhr").await;
        assert_eq!(names(&funders), ["EU", "Land NRW"]);
    }
);

story!(
    trees_include_what_is_below_and_what_is_the_same,
    async |node| {
        let health = make(
            node,
            "regions",
            json!({"name": "Gesundheitsregion Nord", "level": "health_region"}),
        )
        .await;
        let town = make(
            node,
            "regions",
            json!({"name": "Neustadt am See", "level": "municipality"}),
        )
        .await;
        let twin = make(node, "regions", json!({"name": "Neustadt a. S."})).await;
        let edge = |r#type: &str, from: &str, to: &str| json!({"type": r#type, "from": {"kind": "region", "id": from}, "to": {"kind": "region", "id": to}});
        make(node, "relationships", edge("part_of", &town, &health)).await;
        make(node, "relationships", edge("same_as", &twin, &town)).await;
        let clinic = json!({"name": "Seeklinik", "places": [{"region": twin}]});
        make(node, "actors", clinic).await;
        for region in [&health, &town, &twin] {
            for filter in ["region", "seat"] {
                let found = page(node, &format!("actors?{filter}={region}")).await;
                assert_eq!(names(&found), ["Seeklinik"], "{filter}");
            }
        }
        assert_eq!(count(node, &format!("actors?serves={health}")).await, 0);

        let parent = make(node, "networks", json!({"name": "Dachverbund"})).await;
        let child = make(node, "networks", json!({"name": "Teilverbund"})).await;
        let grandchild = make(node, "networks", json!({"name": "Arbeitskreis"})).await;
        for (from, to) in [(&child, &parent), (&grandchild, &child)] {
            let body = json!({"type": "part_of", "from": {"kind": "network", "id": from}, "to": {"kind": "network", "id": to}});
            make(node, "relationships", body).await;
        }
        let below = page(node, &format!("networks?part_of={parent}")).await;
        assert_eq!(names(&below), ["Arbeitskreis", "Teilverbund"]);
        let direct = page(node, &format!("networks?part_of.direct={parent}")).await;
        assert_eq!(names(&direct), ["Teilverbund"]);
    }
);

story!(
    a_tree_changes_with_each_step_that_comes_or_goes,
    async |node| {
        let found = async |region: &str| count(node, &format!("actors?region={region}")).await;
        let region = async |name: &str| make(node, "regions", json!({"name": name})).await;
        let (state, town, twin) = (
            region("Nordland").await,
            region("Altstadt").await,
            region("Alt-Stadt").await,
        );
        let clinic = json!({"name": "Seeklinik", "places": [{"region": town}]});
        make(node, "actors", clinic).await;
        let edge = json!({
            "type": "part_of",
            "from": {"kind": "region", "id": town}, "to": {"kind": "region", "id": state},
        });
        let edge = make(node, "relationships", edge).await;
        assert_eq!(found(&state).await, 1);

        // An edit that moves nothing, a withdrawal, and a return.
        let (step, place) = (
            format!("/v1/relationships/{edge}"),
            format!("/v1/regions/{town}"),
        );
        node.patch(&place)
            .if_match("*")
            .json(&json!({"summary": "Am See"}))
            .await
            .expect(200);
        assert_eq!(found(&state).await, 1);
        for path in [&step, &place] {
            for (publication, expected) in [("draft", 0), ("published", 1)] {
                let body = json!({"publication": publication});
                node.patch(path).if_match("*").json(&body).await.expect(200);
                assert_eq!(found(&state).await, expected, "{path} {publication}");
            }
        }

        // A merge with something that is in no tree, and its end.
        let path = format!("/v1/regions/{town}/merge");
        node.post(&path)
            .json(&json!({"into": twin}))
            .await
            .expect(200);
        assert_eq!((found(&state).await, found(&twin).await), (1, 1));
        node.delete(&path).await.expect(200);
        assert_eq!((found(&state).await, found(&twin).await), (1, 0));

        node.delete(&step).if_match("*").await.expect(204);
        assert_eq!(found(&state).await, 0);
        assert_eq!(found(&town).await, 1);
    }
);

story!(records_are_found_by_their_keys, Seeded, async |node| {
    let some = page(node, "actors?limit=5").await;
    let wanted = ids(&some);
    let batch = page(node, &format!("actors?id={}", wanted.join(","))).await;
    assert_eq!(batch["total"], 5);
    assert_eq!(ids(&batch), wanted);
    let key = "actors?external_id=seed-pages%7C002%2Feu";
    assert_eq!(names(&page(node, key).await), ["EU"]);
    make(
        node,
        "actors",
        json!({"name": "Haus am Wald", "identifiers": [{"scheme": "ik", "value": "260326822"}]}),
    )
    .await;
    let found = page(node, "actors?identifier=ik%7C260326822").await;
    assert_eq!(names(&found), ["Haus am Wald"]);
    let malformed = node.get("/v1/actors?identifier=260326822").await;
    malformed.problem(400, "invalid-parameter");
});

story!(a_programme_is_found_by_its_words, Seeded, async |node| {
    for programme in [
        "WIR!",
        "Wandel%20durch%20Innovation",
        "WIR%21%20%E2%80%93%20Wandel",
    ] {
        let found = page(node, &format!("projects?programme={programme}")).await;
        assert_eq!(
            names(&found),
            ["Digital Health Factory Ruhr"],
            "{programme}"
        );
    }
    assert_eq!(
        count(node, "projects?programme=Wandel%20ohne%20Innovation").await,
        0
    );
});

story!(what_changed_lately_is_found, Seeded, async |node| {
    let before = all(node, "actors?sort=-updated_at").await;
    let newest = before[0]["updated_at"].as_str().unwrap().to_owned();
    let id = make(node, "actors", json!({"name": "Neuling"})).await;
    let since = page(
        node,
        &format!("actors?updated_since={newest}&sort=-updated_at"),
    )
    .await;
    assert_eq!(ids(&since)[0], id);
    let later = node.get("/v1/actors?updated_since=gestern").await;
    later.problem(400, "invalid-parameter");
});

story!(words_are_and_across_kinds, Seeded, async |node| {
    let found = page(node, "search?q=Teleradiologieverbund").await;
    assert_eq!(names(&found)[0], "Teleradiologieverbund Ruhr");
    let networks = page(node, "search?q=Teleradiologieverbund&kind=network").await;
    assert!(networks["total"].as_u64() < found["total"].as_u64());
    let marked = page(node, "search?q=Teleradio&highlights=true&limit=1").await;
    let highlights = &marked["items"][0]["hit"]["highlights"]["/name"];
    assert!(
        highlights.as_str().unwrap().contains("<mark>Teleradio"),
        "{highlights}"
    );
    let long = "x".repeat(501);
    node.get(&format!("/v1/search?q={long}"))
        .await
        .problem(400, "invalid-parameter");
    for odd in [
        "%22",
        "%25",
        "_",
        "'%3B%20drop%20table",
        ".*",
        "AND",
        "-",
        "%28%29",
        "name%3Ax",
        "*",
    ] {
        node.get(&format!("/v1/search?q={odd}")).await.expect(200);
        node.get(&format!("/v1/suggest?q={odd}")).await.expect(200);
    }
});
