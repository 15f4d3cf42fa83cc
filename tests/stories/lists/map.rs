//! The map: circles, boxes, distances.

use super::{all, make, names, page};
use serde_json::json;
use tests::story;

story!(near_sorts_by_great_circle_distance, async |node| {
    for (name, lat, lon) in [
        ("Kassel", 51.3127, 9.4797),
        ("Göttingen", 51.5413, 9.9158),
        ("Berlin", 52.52, 13.405),
    ] {
        let body =
            json!({"name": name, "places": [{"city": name, "point": {"lat": lat, "lon": lon}}]});
        make(node, "actors", body).await;
    }
    make(node, "actors", json!({"name": "Ohne Ort"})).await;
    let two = json!({"name": "Zwei Sitze", "places": [{"point": {"lat": 52.5, "lon": 13.4}}, {"point": {"lat": 51.3, "lon": 9.4}}]});
    make(node, "actors", two).await;
    let near = page(node, "actors?near=51.3127,9.4797").await;
    assert_eq!(
        names(&near),
        ["Kassel", "Zwei Sitze", "Göttingen", "Berlin"]
    );
    let metres: Vec<f64> = near["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["hit"]["distance_m"].as_f64().unwrap())
        .collect();
    assert!(metres[0].abs() < f64::EPSILON);
    assert!((metres[2] - 39_500.0).abs() < 500.0, "{metres:?}");
    assert!((metres[3] - 299_000.0).abs() < 2_000.0, "{metres:?}");
    let far = page(node, "actors?near=51.3127,9.4797&sort=-distance").await;
    assert_eq!(names(&far), ["Berlin", "Göttingen", "Zwei Sitze", "Kassel"]);
    let around = page(node, "actors?near=51.3127,9.4797&radius=50km").await;
    assert_eq!(names(&around), ["Kassel", "Zwei Sitze", "Göttingen"]);
    assert_eq!(
        page(node, "actors?near=51.3127,9.4797&radius=10000m").await["total"],
        2
    );
    let paged = all(node, "actors?near=51.3127,9.4797&limit=1").await;
    assert_eq!(paged.len(), 4);
    let boxed = page(node, "actors?bbox=9.0,51.0,10.0,51.4").await;
    assert_eq!(names(&boxed), ["Kassel", "Zwei Sitze"]);
    let facets = page(node, "actors?bbox=9.0,51.0,10.0,51.4&facets=home_region").await;
    assert_eq!(facets["facets"]["home_region"][0]["count"], 2);
});

story!(boxes_cross_the_antimeridian, async |node| {
    for (name, lon) in [("Ost", 179.5), ("West", -179.5), ("Mitte", 0.0)] {
        let body = json!({"name": name, "places": [{"point": {"lat": 1.0, "lon": lon}}]});
        make(node, "actors", body).await;
    }
    let pacific = page(node, "actors?bbox=179,-10,-179,10").await;
    assert_eq!(names(&pacific), ["Ost", "West"]);
    let near = page(node, "actors?near=1,180&radius=100km").await;
    assert_eq!(near["total"], 2);
});

story!(wrong_areas_are_told, async |node| {
    for query in [
        "bbox=1,2,3",
        "bbox=9,52,10,51",
        "bbox=a,b,c,d",
        "bbox=9,51,10,91",
        "near=51",
        "near=91,0",
        "near=NaN,0",
        "near=51,9&radius=5",
        "near=51,9&radius=-5km",
        "near=51,9&radius=inf",
        "radius=5km",
        "sort=distance",
    ] {
        let answer = node.get(&format!("/v1/actors?{query}")).await;
        answer.problem(400, "invalid-parameter");
    }
});
