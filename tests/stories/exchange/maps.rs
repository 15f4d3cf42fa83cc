//! OGC API – Features. That programs for maps read it is checked by `tests/formats`.

use super::publish;
use serde_json::{Value, json};
use tests::{Node, story};

/// The address in a link.
fn link<'a>(of: &'a Value, rel: &str) -> Option<&'a str> {
    let mut links = of["links"].as_array().unwrap().iter();
    links.find(|link| link["rel"] == rel)?["href"].as_str()
}

/// What a link leads to.
async fn follow(node: &Node, of: &Value, rel: &str) -> Value {
    let href = link(of, rel).unwrap();
    node.get(href.strip_prefix(&node.base).unwrap())
        .await
        .expect(200)
        .json
}

story!(
    a_program_for_maps_finds_everything_by_links,
    Seeded,
    async |node| {
        node.settled().await;
        let landing = node.get("/ogc").await.expect(200).json;
        for rel in ["service-desc", "conformance", "data"] {
            follow(node, &landing, rel).await;
        }
        let data = follow(node, &landing, "data").await;
        let collections = data["collections"].as_array().unwrap();
        assert_eq!(collections.len(), 6);
        for collection in collections {
            assert_eq!(follow(node, collection, "self").await, *collection);
            let mut page = follow(node, collection, "items").await;
            let (total, mut read) = (page["numberMatched"].as_u64().unwrap(), 0);
            loop {
                let features = page["features"].as_array().unwrap();
                assert_eq!(page["numberReturned"], features.len());
                assert_eq!(page["numberMatched"], total);
                read += features.len() as u64;
                if link(&page, "next").is_none() {
                    break;
                }
                page = follow(node, &page, "next").await;
            }
            assert_eq!(read, total, "{collection}");
        }
    }
);

story!(features_are_filtered_by_place_and_time, async |node| {
    let point = |lat: f64, lon: f64| json!([{"point": {"lat": lat, "lon": lon}}]);
    let here = publish(
        node,
        "events",
        json!({"name": "Hier", "start": "2031-05-01", "places": point(51.0, 9.0)}),
    )
    .await;
    let there = publish(
        node,
        "events",
        json!({"name": "Dort", "start": "2032-05-01", "places": point(48.0, 11.0)}),
    )
    .await;
    publish(node, "events", json!({"name": "Entwurf", "start": "2031-05-01", "publication": "draft", "places": point(51.0, 9.0)})).await;
    node.settled().await;
    let names = async |query: &str| -> Vec<String> {
        let page = node
            .get(&format!("/ogc/collections/events/items?{query}"))
            .await
            .expect(200);
        assert_eq!(page.header("content-type"), "application/geo+json");
        let features = page.json["features"].as_array().unwrap().iter();
        features
            .map(|one| one["properties"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("limit=1000").await, ["Dort", "Hier"]);
    assert_eq!(names("bbox=8,50,10,52").await, ["Hier"]);
    assert_eq!(names("datetime=2032-01-01/..").await, ["Dort"]);
    assert_eq!(names("datetime=../2031-12-31").await, ["Hier"]);
    assert_eq!(
        names("datetime=2031-05-01T00:00:00Z/2031-05-02T00:00:00Z").await,
        ["Hier"]
    );
    assert_eq!(names("datetime=2031-05-01").await, ["Hier"]);
    for wrong in [
        "bbox=1,2,3",
        "datetime=gestern",
        "datetime=2031-05-01x/..",
        "limit=0",
    ] {
        let refused = node
            .get(&format!("/ogc/collections/events/items?{wrong}"))
            .await;
        refused.problem(400, "invalid-parameter");
    }
    node.get("/ogc/collections/events/items?box=1,2,3,4")
        .await
        .problem(400, "unknown-parameter");
    let item = node.get(&format!("/ogc/collections/events/items/{}", here.id()));
    let item = item.await.expect(200).json;
    assert_eq!(item["geometry"]["coordinates"], json!([9.0, 51.0]));
    assert_eq!(item["id"], here.id());
    let other = format!("/ogc/collections/networks/items/{}", there.id());
    node.get(&other).await.problem(404, "not-found");
    node.get("/ogc/collections/clubs")
        .await
        .problem(404, "not-found");
});
