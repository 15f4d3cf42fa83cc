//! Lists and records on a map: GeoJSON (RFC 7946), validated against the schemas of geojson.org and
//! parsed by the crate `geojson`.

use geojson::{GeoJson, GeometryValue};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tests::{Answer, Node, story};

const GEO: &str = "application/geo+json";

fn schema(text: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

static FEATURE: LazyLock<Validator> =
    LazyLock::new(|| schema(include_str!("../geojson-schema/Feature.json")));
static COLLECTION: LazyLock<Validator> =
    LazyLock::new(|| schema(include_str!("../geojson-schema/FeatureCollection.json")));

/// The features of a text that others take for GeoJSON too.
pub(crate) fn features(text: &str) -> Vec<geojson::Feature> {
    let value: Value = serde_json::from_str(text).unwrap();
    let validator = if value["type"] == "Feature" {
        &*FEATURE
    } else {
        &*COLLECTION
    };
    let wrong: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let features = match text.parse::<GeoJson>().unwrap() {
        GeoJson::Feature(one) => vec![one],
        GeoJson::FeatureCollection(all) => all.features,
        GeoJson::Geometry(other) => panic!("{other}"),
    };
    for feature in &features {
        assert!(feature.id.is_some() && feature.properties.is_some());
    }
    features
}

async fn map(node: &Node, path: &str) -> (Answer, Vec<geojson::Feature>) {
    node.settled().await;
    let answer = node.get(path).header("accept", GEO).await.expect(200);
    assert_eq!(answer.header("content-type"), GEO);
    assert!(answer.etag().starts_with("W/\""));
    let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
    let vary = vary
        .iter()
        .any(|value| value.to_str().unwrap().contains("accept"));
    assert!(vary, "{:?}", answer.headers);
    let features = features(&answer.text);
    (answer, features)
}

story!(every_seed_record_can_be_drawn, Seeded, async |node| {
    let mut drawn = 0;
    for kind in [
        "regions",
        "topics",
        "actors",
        "networks",
        "projects",
        "events",
        "relationships",
    ] {
        let mut next = Some(format!("/v1/{kind}?limit=200"));
        while let Some(path) = next {
            let (page, features) = map(node, &path).await;
            let plain = node.get(&path).await.expect(200);
            let items = plain.json["items"].as_array().unwrap().iter();
            let shown = page.json["features"].as_array().unwrap().iter();
            for (item, feature) in items.zip(shown) {
                assert_eq!(feature["properties"], *item);
                assert_eq!(feature["id"], item["id"]);
            }
            assert_eq!(page.json["total"], plain.json["total"]);
            drawn += features.len();
            next = page.json["next"].as_str().map(str::to_owned);
            assert_eq!(next.is_some(), !page.header("link").is_empty());
        }
    }
    assert!(drawn > 1_000, "{drawn}");
    let (page, found) = map(node, "/v1/search?q=Nordhessen&facets=kind&highlights=true").await;
    assert!(found.len() > 2);
    assert!(page.json["facets"]["kind"].is_array());
    assert!(page.json["features"][0]["properties"]["hit"]["highlights"].is_object());
    for path in [
        "/v1/networks/cluster-gesundheit-nordhessen",
        "/v1/topics?limit=1",
    ] {
        let (answer, _) = map(node, path).await;
        let again = node
            .get(path)
            .header("accept", GEO)
            .header("if-none-match", answer.etag());
        again.await.expect(304);
        // The tag of a Feature is not a version for writing.
        assert_ne!(node.get(path).await.expect(200).etag(), answer.etag());
    }
});

story!(places_become_points, Seeded, async |node| {
    let place = |lat: f64, lon: f64| json!({"point": {"lat": lat, "lon": lon}});
    for (name, places, expected) in [
        (
            "Pol",
            json!([place(90.0, 0.0)]),
            json!({"type": "Point", "coordinates": [0.0, 90.0]}),
        ),
        (
            "Datumsgrenze",
            json!([place(-16.5, 180.0), place(-17.0, -180.0)]),
            json!({"type": "MultiPoint", "coordinates": [[180.0, -16.5], [-180.0, -17.0]]}),
        ),
        ("Irgendwo", json!([{"city": "Kassel"}]), Value::Null),
        (
            "Zweimal",
            json!([place(51.25, 9.5), {"city": "Kassel"}, place(51.25, 9.5)]),
            json!({"type": "Point", "coordinates": [9.5, 51.25]}),
        ),
    ] {
        let body = json!({"name": name, "home_region": "nordhessen", "publication": "published", "places": places});
        let made = node.post("/v1/actors").json(&body).await.expect(201);
        let path = format!("/v1/actors/{}", made.id());
        let (one, _) = map(node, &path).await;
        assert_eq!(number(&one.json["geometry"]), number(&expected), "{name}");
        assert_eq!(one.json["properties"], made.json);
        let (listed, _) = map(node, &format!("/v1/actors?id={}", made.id())).await;
        assert_eq!(listed.json["features"][0], one.json);
    }
    let (short, _) = map(node, "/v1/actors/zweimal?fields=name&include=home_region").await;
    let members: Vec<&String> = short.json["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert!(!members.contains(&&"places".to_owned()));
    assert_eq!(short.json["geometry"]["type"], "Point");
    assert_eq!(short.json["included_total"], 1);
    let (english, _) = map(node, "/v1/regions/deutschland?lang=en").await;
    assert_eq!(english.json["properties"]["name"], "Germany");
    assert_eq!(english.header("content-language"), "en");
    let near = "/v1/actors?bbox=179,-20,-179,-10&near=-16.5,180";
    let (page, _) = map(node, near).await;
    assert_eq!(
        page.json["features"][0]["properties"]["hit"]["distance_m"],
        0.0
    );
});

/// Compares numbers by value, not by notation.
fn number(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(number).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), number(value)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

story!(regions_are_drawn_with_their_area, Seeded, async |node| {
    let square = domain::value::geometry::example();
    let many = json!({"type": "MultiPolygon", "coordinates": [
        [[[179.0, -17.0], [180.0, -17.0], [180.0, -16.0], [179.0, -16.0], [179.0, -17.0]]],
        [[[-180.0, -17.0], [-179.0, -17.0], [-179.0, -16.0], [-180.0, -16.0], [-180.0, -17.0]]],
    ]});
    for (slug, area) in [("bochum", &square), ("nordhessen", &many)] {
        let path = format!("/v1/regions/{slug}/geometry");
        let put = node.put(&path).header("if-none-match", "*");
        put.body(GEO, area.to_string()).await.expect(200);
    }
    let (bochum, features) = map(node, "/v1/regions/bochum").await;
    assert_eq!(number(&bochum.json["geometry"]), number(&square));
    let geometry = features[0].geometry.as_ref().unwrap();
    assert!(matches!(geometry.value, GeometryValue::Polygon { .. }));
    // Lists contain points unless areas are requested.
    let list = "/v1/regions?q=Bochum";
    let (points, _) = map(node, list).await;
    assert_ne!(points.json["features"][0]["geometry"]["type"], "Polygon");
    let (areas, _) = map(node, &format!("{list}&geometry=true")).await;
    assert_eq!(areas.json["features"][0]["geometry"]["type"], "Polygon");
    let (exported, all) = map_export(node, "kind=region&geometry=true").await;
    let found: Vec<_> = all
        .iter()
        .filter_map(|one| one.geometry.as_ref())
        .filter(|one| {
            matches!(
                one.value,
                GeometryValue::Polygon { .. } | GeometryValue::MultiPolygon { .. }
            )
        })
        .collect();
    assert_eq!(found.len(), 2, "{}", exported.len());
    for wrong in ["/v1/regions?geometry=true", "/v1/export?geometry=true"] {
        node.get(wrong).await.problem(400, "invalid-parameter");
    }
});

async fn map_export(node: &Node, query: &str) -> (String, Vec<geojson::Feature>) {
    node.settled().await;
    let answer = node
        .get(&format!("/v1/export?format=geojson&{query}"))
        .await
        .expect(200);
    let features = features(&answer.text);
    (answer.text, features)
}

story!(the_caller_chooses_the_media_type, Seeded, async |node| {
    node.settled().await;
    for (accept, media_type) in [
        (
            "application/geo+json;q=0.9, application/json",
            "application/json",
        ),
        ("application/json;q=0.5, application/geo+json", GEO),
        ("application/json;q=0, */*", GEO),
        ("*/*", "application/json"),
    ] {
        let answer = node
            .get("/v1/events?limit=1")
            .header("accept", accept)
            .await
            .expect(200);
        assert_eq!(answer.header("content-type"), media_type, "{accept}");
        assert!(answer.headers.contains_key("vary"));
    }
    let named = node
        .get("/v1/export?kind=event&event_type=workshop&format=geojson")
        .header("accept", "text/html")
        .await
        .expect(200);
    assert_eq!(named.header("content-type"), GEO);
    let drawn = features(&named.text);
    let is_one = |one: &geojson::Feature| one.property("event_type") == Some(&json!("workshop"));
    assert!(!drawn.is_empty() && drawn.iter().all(is_one));
    for (path, accept) in [
        ("/v1/events", "text/csv"),
        ("/v1/vocabularies", GEO),
        ("/v1/events/x/relationships", GEO),
        ("/v1/export", "text/html"),
    ] {
        node.get(path)
            .header("accept", accept)
            .await
            .problem(406, "not-acceptable");
    }
    for path in [
        "/v1/events?format=csv",
        "/v1/events?format=",
        "/v1/events?format=json&format=json",
        "/v1/search?format=ndjson",
        "/v1/relationships?format=workshop",
        "/v1/networks/mo-win-net?format=csv",
        "/v1/export?format=json",
        "/v1/export?kind=actor&format=workshop&format=csv",
        "/v1/export?kind=event&format=csv&format=geojson",
    ] {
        node.get(path).await.problem(400, "invalid-parameter");
    }
});

story!(a_link_can_name_the_format, Seeded, async |node| {
    node.settled().await;
    for path in [
        "/v1/events?limit=1",
        "/v1/search?limit=1",
        "/v1/relationships?limit=1",
        "/v1/networks/mo-win-net?lang=en",
    ] {
        for (format, media_type) in [
            ("json", "application/json"),
            ("application/json", "application/json"),
            ("geojson", GEO),
            // A plus in a query is a space.
            ("application/geo+json", GEO),
            ("application%2Fgeo%2Bjson", GEO),
        ] {
            let answer = node
                .get(&format!("{path}&format={format}"))
                .header("accept", "text/html")
                .await
                .expect(200);
            assert_eq!(answer.header("content-type"), media_type, "{path} {format}");
            let mut varies = answer.headers.get_all("vary").iter();
            assert!(varies.any(|one| one == "accept"), "{path} {format}");
            if media_type == GEO {
                features(&answer.text);
            }
        }
    }
    // The next page has the same format.
    let first = node.get("/v1/events?limit=1&format=geojson").await;
    let next = first.json["next"].as_str().unwrap().to_owned();
    let second = node.get(&next).await.expect(200);
    assert_eq!(second.header("content-type"), GEO);
    assert_ne!(first.json["features"], second.json["features"]);
    // A mistake is answered with what would be right.
    let wrong = node
        .get("/v1/actors?format=geojsno")
        .header("accept-language", "de")
        .await
        .problem(400, "invalid-parameter");
    let expected = "`format=geojsno` ist falsch; erwartet: eines von json, geojson, \
        jsonld, atom, application/json, application/geo+json, application/ld+json, \
        application/atom+xml (gemeint ist vielleicht geojson).";
    assert_eq!(wrong.json["detail"], expected);
    // Where there is one format, there is nothing to choose.
    for path in [
        "/v1/vocabularies?format=json",
        "/v1/networks/mo-win-net/relationships?format=json",
        "/v1/networks.geojson?format=json",
    ] {
        node.get(path).await.problem(400, "unknown-parameter");
    }
});

story!(drafts_are_on_no_map, Seeded, async |node| {
    let body = json!({"name": "Geheimhaus", "home_region": "nordhessen", "places": [{"point": {"lat": 51.3, "lon": 9.5}}]});
    let made = node.post("/v1/actors").json(&body).await.expect(201);
    let path = format!("/v1/actors/{}", made.id());
    let drawn = || node.get(&path).header("accept", GEO);
    drawn().await.problem(404, "not-found");
    drawn().token(&node.admin).await.expect(200);
    let (_, found) = map(node, "/v1/actors?q=Geheimhaus").await;
    assert!(found.is_empty());
    let (text, _) = map_export(node, "").await;
    assert!(!text.contains("Geheimhaus"));
});
