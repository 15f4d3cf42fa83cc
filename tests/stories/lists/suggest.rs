use serde_json::Value;
use tests::{Node, story};

async fn labels(node: &Node, query: &str) -> Vec<String> {
    let found = node
        .get(&format!("/v1/suggest?{query}"))
        .await
        .expect(200)
        .json;
    let items = found["items"].as_array().unwrap().iter();
    items
        .map(|item| item["label"].as_str().unwrap().to_owned())
        .collect()
}

story!(
    suggestions_come_from_the_first_letter_on,
    Seeded,
    async |node| {
        for typed in ["k", "kl", "kli", "klin"] {
            let found = labels(node, &format!("q={typed}&kind=actor,project")).await;
            assert!(
                found.iter().any(|label| label.starts_with("Klini")),
                "{typed}: {found:?}"
            );
        }
        assert_eq!(
            labels(node, "q=Telerad&kind=network").await[0],
            "Teleradiologieverbund Ruhr"
        );
        assert_eq!(labels(node, "q=KCR").await[0], "Klinikcluster Ruhr");
        assert!(labels(node, "q=").await.is_empty());
        assert!(labels(node, "").await.is_empty());
        assert!(labels(node, "q=%20").await.is_empty());
        assert_eq!(labels(node, "q=k&limit=3").await.len(), 3);
        node.get("/v1/suggest?q=k&kind=relationship")
            .await
            .problem(400, "invalid-parameter");
    }
);

story!(suggestions_show_what_was_typed, Seeded, async |node| {
    let found = node
        .get("/v1/suggest?q=telerad&kind=network")
        .await
        .expect(200)
        .json;
    let first = &found["items"][0];
    assert!(
        first["highlight"].as_str().unwrap().contains("<mark>"),
        "{first}"
    );
    assert_eq!(first["kind"], "network");
    let english = node
        .get("/v1/suggest?q=Medizintechnik&kind=topic&lang=en")
        .await
        .expect(200)
        .json;
    assert_eq!(english["items"][0]["label"], "Medical technology");
    let kassel = node
        .get("/v1/suggest?q=klinikum%20kas&kind=actor")
        .await
        .expect(200)
        .json;
    assert_eq!(kassel["items"][0]["label"], "Klinikum Kassel");
    assert_ne!(kassel["items"][0]["place"], Value::Null);
});
