//! Reconciliation as `OpenRefine` asks for it, and the graph as `GraphML`. That other programs read them
//! is checked by `tests/formats`.

use super::publish;
use serde_json::{Value, json};
use tests::{Node, story};

/// The candidates of each query of a batch.
async fn reconcile(node: &Node, queries: Value) -> Value {
    node.settled().await;
    let text = tests::call::encoded(&queries.to_string());
    let post = node.post("/reconcile").anonymous();
    let form = format!("queries={text}");
    let answer = post
        .body("application/x-www-form-urlencoded", form)
        .await
        .expect(200);
    let get = node
        .get(&format!("/reconcile?queries={text}"))
        .await
        .expect(200);
    assert_eq!(get.json, answer.json);
    answer.json
}

story!(
    names_identifiers_and_former_names_are_matched,
    async |node| {
        let body = json!({
            "name": "Klinikum Beispielstadt gGmbH", "categories": ["hospital"],
            "names": [{"value": "KBS", "type": "acronym"}, {"value": "Stadtkrankenhaus Beispielstadt", "type": "former"}],
            "identifiers": [{"scheme": "ik", "value": "260326822"}],
            "places": [{"city": "Beispielstadt"}],
        });
        let clinic = publish(node, "actors", body).await;
        publish(node, "actors", json!({"name": "Klinikum Anderswo", "categories": ["hospital"], "places": [{"city": "Anderswo"}]})).await;
        let draft = json!({"name": "Geheimklinik", "publication": "draft"});
        publish(node, "actors", draft).await;
        let found = reconcile(
            node,
            json!({
                "name": {"query": "klinikum beispielstadt ggmbh"},
                "number": {"query": "260326822", "type": "actor"},
                "former": {"query": "Stadtkrankenhaus Beispielstadt", "type": ["actor", "network"]},
                "short": {"query": "KBS", "type": {"id": "actor"}},
                "like": {"query": "Klinikum Beispielstatt", "limit": 3},
                "other": {"query": "Klinikum Beispielstadt gGmbH", "type": "network"},
                "hidden": {"query": "Geheimklinik"},
                "none": {"query": ""},
            }),
        );
        let found = found.await;
        for name in ["name", "number", "former", "short"] {
            let best = &found[name]["result"][0];
            assert_eq!(best["id"], clinic.id(), "{name}: {found}");
            assert_eq!(best["match"], true, "{name}: {found}");
            assert!(best["score"].as_f64().unwrap() >= 95.0);
            assert_eq!(best["type"], json!([{"id": "actor", "name": "Akteur"}]));
        }
        for candidate in found["like"]["result"].as_array().unwrap() {
            assert_eq!(candidate["match"], false);
        }
        for name in ["other", "hidden", "none"] {
            assert_eq!(found[name]["result"], json!([]), "{name}");
        }
    }
);

story!(two_of_one_name_are_for_a_person_to_choose, async |node| {
    for city in ["Kassel", "Fulda"] {
        let body = json!({"name": "Löwen-Apotheke", "categories": ["pharmacy"], "places": [{"city": city}]});
        publish(node, "actors", body).await;
    }
    let found = reconcile(
        node,
        json!({
            "which": {"query": "Löwen-Apotheke", "type": "actor"},
            "kassel": {"query": "Löwen-Apotheke", "type": "actor", "properties": [{"pid": "city", "v": "Kassel"}]},
        }),
    );
    let found = found.await;
    let which = found["which"]["result"].as_array().unwrap();
    assert_eq!(which.len(), 2);
    assert!(which.iter().all(|one| one["match"] == false), "{found}");
    let kassel = found["kassel"]["result"].as_array().unwrap();
    assert_eq!(kassel[0]["match"], true, "{found}");
    let read = format!("/v1/actors/{}", kassel[0]["id"].as_str().unwrap());
    assert_eq!(
        node.get(&read).await.expect(200).json["places"][0]["city"],
        "Kassel"
    );
});

story!(a_wrong_batch_is_refused, async |node| {
    for (queries, named) in [
        ("no json".to_owned(), "an object of queries"),
        (json!([1]).to_string(), "an object of queries"),
        (json!({"q": {}}).to_string(), "a text as \"query\""),
        (
            json!({"q": {"query": "x", "type": "actr"}}).to_string(),
            "actor",
        ),
        (
            json!({"q": {"query": "x", "properties": [{"pid": "ctiy", "v": "x"}]}}).to_string(),
            "city",
        ),
    ] {
        let post = node.post("/reconcile").anonymous();
        let form = format!("queries={}", tests::call::encoded(&queries));
        let refused = post.body("application/x-www-form-urlencoded", form).await;
        let refused = refused.problem(400, "invalid-parameter");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{detail}");
    }
    let many = (0..51).map(|n| (format!("q{n}"), json!({"query": "x"})));
    let many = tests::call::encoded(&many.collect::<Value>().to_string());
    let post = node.post("/reconcile").anonymous();
    let form = format!("queries={many}");
    let refused = post.body("application/x-www-form-urlencoded", form).await;
    refused.problem(400, "invalid-parameter");
    let post = node.post("/reconcile").anonymous();
    post.body("application/x-www-form-urlencoded", "x=1")
        .await
        .problem(400, "invalid-parameter");
    let post = node.post("/reconcile").anonymous();
    post.json(&json!({}))
        .await
        .problem(415, "unsupported-media-type");
});

story!(the_service_says_what_it_offers, Seeded, async |node| {
    let manifest = node.get("/reconcile").await.expect(200).json;
    assert_eq!(manifest["versions"], json!(["0.2"]));
    assert_eq!(
        manifest["view"]["url"],
        format!("{}/v1/search?id={{{{id}}}}", node.base)
    );
    for what in ["entity", "type", "property"] {
        assert_eq!(manifest["suggest"][what]["service_url"], node.base);
    }
    let entities = node
        .get("/reconcile/suggest/entity?prefix=telerad")
        .await
        .expect(200);
    assert!(
        entities.text.contains("Teleradiologieverbund Ruhr"),
        "{}",
        entities.text
    );
    let types = node
        .get("/reconcile/suggest/type?prefix=net")
        .await
        .expect(200);
    assert_eq!(
        types.json,
        json!({"result": [{"id": "network", "name": "Netzwerk"}]})
    );
    let properties = node
        .get("/reconcile/suggest/property?prefix=ort")
        .await
        .expect(200);
    assert_eq!(
        properties.json,
        json!({"result": [{"id": "city", "name": "Ort"}]})
    );
});

story!(the_graph_is_graphml, Seeded, async |node| {
    let around = "from=project/klinikcluster-ruhr&depth=2&lang=de";
    let json = node
        .get(&format!("/v1/graph?{around}"))
        .await
        .expect(200)
        .json;
    let xml = node
        .get(&format!("/v1/graph.graphml?{around}"))
        .await
        .expect(200);
    assert_eq!(
        xml.header("content-type"),
        "application/graphml+xml; charset=utf-8"
    );
    let edges = json["edges"].as_array().unwrap();
    assert_eq!(xml.text.matches("<edge ").count(), edges.len());
    let open = edges.iter().flat_map(|edge| [&edge["from"], &edge["to"]]);
    let open = open.filter(|end| end.get("id").is_none()).count();
    let vertices = json["vertices"].as_array().unwrap().len();
    assert_eq!(xml.text.matches("<node ").count(), vertices + open);
    assert!(
        xml.text
            .contains("<data key=\"name\">wird gefördert von</data>")
            || xml.text.contains("<data key=\"name\">fördert</data>")
    );
    let accept = node.get(&format!("/v1/graph?{around}"));
    let accept = accept
        .header("accept", "application/graphml+xml")
        .await
        .expect(200);
    assert_eq!(accept.text, xml.text);
});
