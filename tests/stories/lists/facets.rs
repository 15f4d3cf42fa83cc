//! Facets agree with the list, and each ignores its own filter.

use super::page;
use serde_json::Value;
use tests::story;

fn counts(page: &Value, facet: &str) -> Vec<(String, u64)> {
    let values = page["facets"][facet].as_array().unwrap().iter();
    let counts = values.map(|one| {
        (
            one["value"].as_str().unwrap().to_owned(),
            one["count"].as_u64().unwrap(),
        )
    });
    counts.collect()
}

story!(
    a_single_valued_facet_adds_up_to_the_total,
    Seeded,
    async |node| {
        for (list, facet) in [
            ("search", "kind"),
            ("regions", "level"),
            ("search", "origin"),
        ] {
            let found = page(node, &format!("{list}?facets={facet}")).await;
            let sum: u64 = counts(&found, facet).iter().map(|(_, count)| count).sum();
            assert_eq!(found["total"], sum, "{list} {facet}");
            for (value, count) in counts(&found, facet) {
                let filtered = page(node, &format!("{list}?{facet}={value}")).await;
                assert_eq!(filtered["total"], count, "{list}?{facet}={value}");
            }
        }
    }
);

story!(each_facet_ignores_its_own_filter, Seeded, async |node| {
    let free = page(node, "networks?facets=network_type,topic").await;
    let chosen = page(
        node,
        "networks?facets=network_type,topic&network_type=cluster",
    )
    .await;
    assert_eq!(
        counts(&chosen, "network_type"),
        counts(&free, "network_type")
    );
    assert_ne!(counts(&chosen, "topic"), counts(&free, "topic"));
    let total = counts(&free, "network_type")
        .into_iter()
        .find(|(code, _)| code == "cluster")
        .unwrap()
        .1;
    assert_eq!(chosen["total"], total);
});

story!(trees_count_everything_below_once, Seeded, async |node| {
    let found = page(
        node,
        "search?facets=region&kind=event,network,actor,project",
    )
    .await;
    for value in found["facets"]["region"].as_array().unwrap() {
        let id = value["value"].as_str().unwrap();
        let path = format!("search?region={id}&kind=event,network,actor,project");
        assert_eq!(page(node, &path).await["total"], value["count"], "{value}");
    }
    let topics = page(node, "networks?facets=topic").await;
    for value in topics["facets"]["topic"].as_array().unwrap() {
        let id = value["value"].as_str().unwrap();
        let found = page(node, &format!("networks?topic={id}")).await;
        assert_eq!(found["total"], value["count"], "{value}");
    }
});

story!(facets_are_labelled_and_few, Seeded, async |node| {
    let german = page(node, "actors?facets=category,topic&lang=de").await;
    let english = page(node, "actors?facets=category,topic&lang=en").await;
    let label = |page: &Value, code: &str| {
        let values = page["facets"]["category"].as_array().unwrap().iter();
        let found = values
            .filter(|one| one["value"] == code)
            .map(|one| one["label"].clone());
        found.collect::<Vec<_>>()
    };
    assert_eq!(label(&german, "hospital"), ["Krankenhaus"]);
    assert_eq!(label(&english, "hospital"), ["Hospital"]);
    let many = "category,sector,value_chain,care_level,size,topic,seat";
    node.get(&format!("/v1/actors?facets={many}"))
        .await
        .problem(400, "invalid-parameter");
    let misspelt = node
        .get("/v1/actors?facets=catgory")
        .await
        .problem(400, "invalid-parameter");
    assert!(
        misspelt.json["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean category")
    );
});
