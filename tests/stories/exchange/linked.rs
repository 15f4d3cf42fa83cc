//! Linked data, the catalogue for data portals, and sitemaps. That other programs read them is
//! checked by `tests/formats`.

use super::publish;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Node, story};

async fn node_of(node: &Node, path: &str) -> Value {
    node.settled().await;
    let answer = node.get(path).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/ld+json");
    assert_eq!(
        answer.json["@context"],
        format!("{}/context.jsonld", node.base)
    );
    answer.json
}

story!(a_record_is_linked_with_what_the_caller_sees, async |node| {
    let network = publish(node, "networks", json!({"name": "Netz"})).await;
    let shown = json!({"name": "Klinik", "categories": ["hospital"]});
    let shown = publish(node, "actors", shown).await;
    let hidden = json!({"name": "Geheim", "publication": "draft"});
    let hidden = publish(node, "actors", hidden).await;
    for actor in [&shown, &hidden] {
        let member = json!({"type": "member_of", "from": {"kind": "actor", "id": actor.id()}, "to": {"kind": "network", "id": network.id()}});
        publish(node, "relationships", member).await;
    }
    let path = format!("/v1/networks/{}.jsonld", network.id());
    let read = node_of(node, &path).await;
    assert_eq!(
        read["@id"],
        format!("{}/v1/networks/{}", node.base, network.id())
    );
    let members = read["member"].as_array().unwrap();
    assert_eq!(members.len(), 1, "{read}");
    assert_eq!(members[0]["member"]["name"], "Klinik");
    assert_eq!(members[0]["member"]["@type"], "Hospital");
    assert!(!read.to_string().contains("Geheim"));
    let editor = node.get(&path).token(&node.admin).await.expect(200);
    assert!(editor.text.contains("Geheim"), "{}", editor.text);
    let accept = node.get(&format!("/v1/networks/{}", network.id()));
    let accept = accept
        .header("accept", "application/ld+json")
        .await
        .expect(200);
    assert_eq!(accept.json, read);

    node.get(&format!("/v1/actors/{}.jsonld", hidden.id()))
        .await
        .problem(404, "not-found");
    let list = node_of(node, "/v1/actors.jsonld?q=Klinik").await;
    assert_eq!(list["numberOfItems"], 1);
    assert_eq!(list["itemListElement"][0]["name"], "Klinik");
});

story!(what_is_not_certain_is_not_stated, async |node| {
    let body = json!({
        "name": "Netz", "founded": "2009~", "dissolved": "2012-05",
        "figures": [
            {"measure": "members", "value": 50, "qualifier": "more_than"},
            {"measure": "sites", "value": 3, "value_to": 5, "qualifier": "about"},
            {"measure": "partners", "value": 1500, "qualifier": "about"},
            {"measure": "projects", "value": 7, "qualifier": "exact"},
        ],
    });
    let network = publish(node, "networks", body).await;
    let read = node_of(node, &format!("/v1/networks/{}.jsonld", network.id())).await;
    assert!(read.get("foundingDate").is_none());
    assert_eq!(read["dissolutionDate"], "2012-05");
    let figures = &read["vb:figure"];
    assert_eq!(
        figures[0],
        json!({"@type": "QuantitativeValue", "minValue": 50, "name": "members", "vb:qualifier": "more_than"})
    );
    assert_eq!(
        (&figures[1]["minValue"], &figures[1]["maxValue"]),
        (&json!(3), &json!(5))
    );
    assert_eq!(figures[1]["vb:qualifier"], "about");
    assert_eq!(
        figures[2],
        json!({"@type": "QuantitativeValue", "value": 1500, "name": "partners", "vb:qualifier": "about"})
    );
    assert_eq!(
        figures[3],
        json!({"@type": "QuantitativeValue", "value": 7, "name": "projects"})
    );
});

story!(
    every_kind_and_every_list_is_linked_data,
    Seeded,
    async |node| {
        for kind in [
            "actors",
            "networks",
            "projects",
            "events",
            "regions",
            "topics",
            "relationships",
        ] {
            let list = node_of(node, &format!("/v1/{kind}.jsonld?limit=3")).await;
            for item in list["itemListElement"].as_array().unwrap() {
                let path = item["@id"].as_str().unwrap();
                let path = path.strip_prefix(&node.base).unwrap();
                let read = node_of(node, &format!("{path}.jsonld")).await;
                assert_eq!(read["@id"], item["@id"]);
                assert_eq!(read["@type"], item["@type"]);
            }
            let next = list["vb:next"].as_str().unwrap_or_default();
            if let Some(next) = next.strip_prefix(&node.base) {
                node_of(node, next).await;
            }
        }
        let search = node_of(node, "/v1/search.jsonld?q=teleradiologie").await;
        assert!(search["numberOfItems"].as_u64().unwrap() > 0);
        let words = node.get("/context.jsonld").await.expect(200);
        assert_eq!(words.json["@context"]["@vocab"], "https://schema.org/");
    }
);

story!(a_catalogue_has_a_dataset_for_each_kind, async |node| {
    let other = node.beside(|config| {
        let licence = "https://www.govdata.de/dl-de/by-2-0".to_owned();
        config.licence = Some(licence.try_into().unwrap());
        let id = "http://dcat-ap.de/def/contributors/beispiel".to_owned();
        config.contributor_id = Some(id.try_into().unwrap());
        config.publisher = Some("Amt für \"A & B\" <x>".to_owned());
    });
    let other = other.await;
    let catalogue = other.call(Method::GET, "/dcat.jsonld").await.expect(200);
    let datasets = catalogue.json["dcat:dataset"].as_array().unwrap();
    assert_eq!(datasets.len(), 7);
    for dataset in datasets {
        let id = json!([{"@id": "http://dcat-ap.de/def/contributors/beispiel"}]);
        assert_eq!(dataset["dcatde:contributorID"], id);
        let distributions = dataset["dcat:distribution"].as_array().unwrap();
        assert!(distributions.len() >= 4, "{dataset}");
        for distribution in distributions {
            let licence = json!([{"@id": "http://dcat-ap.de/def/licenses/dl-by-de/2.0"}]);
            assert_eq!(distribution["dct:license"], licence);
            // Only an export is a file; the others are pages, or a calendar, and say so.
            let address = distribution["dcat:accessURL"][0]["@id"].as_str().unwrap();
            let whole = address.contains("/v1/export?");
            let file = distribution.get("dcat:downloadURL");
            assert_eq!(file.is_some(), whole, "{distribution}");
            let described = distribution.get("dct:description");
            assert_eq!(described.is_none(), whole, "{distribution}");
        }
    }
    let rdf = other.call(Method::GET, "/dcat.rdf").await.expect(200);
    assert!(
        rdf.text.contains("Amt für &quot;A &amp; B&quot; &lt;x&gt;"),
        "{}",
        rdf.text
    );
    // Without these settings they are left out.
    let plain = node.get("/dcat.jsonld").await.expect(200);
    assert!(!plain.text.contains("contributorID") && !plain.text.contains("dct:license"));
});

story!(sitemaps_have_own_public_records, async |node| {
    // A draft is not even the name of a page.
    let hidden = json!({"name": "Entwurf", "publication": "draft"});
    let hidden = publish(node, "networks", hidden).await;
    let shown = publish(node, "networks", json!({"name": "Netz"})).await;
    let index = node.get("/sitemap.xml").await.expect(200);
    assert!(!index.text.contains(hidden.id()), "{}", index.text);
    let begin = format!("<loc>{}/sitemap/networks.", node.base);
    let (_, rest) = index.text.split_once(&begin).unwrap();
    let (first, _) = rest.split_once("</loc>").unwrap();
    let page = node
        .get(&format!("/sitemap/networks.{first}"))
        .await
        .expect(200);
    let address = format!("{}/networks/netz", node.base);
    let listed = format!("<loc>{address}</loc>");
    assert!(page.text.contains(&listed), "{}", page.text);
    // It is the address that the page itself states.
    let shown_page = node.get("/networks/netz").header("Accept", "text/html");
    let canonical = format!("<link rel=\"canonical\" href=\"{address}\">");
    let shown_page = shown_page.await.expect(200);
    assert!(shown_page.text.contains(&canonical), "{}", shown_page.text);
    let updated = shown.json["updated_at"].as_str().unwrap();
    assert!(page.text.contains(&format!("<lastmod>{updated}</lastmod>")));
    assert!(!page.text.contains(hidden.id()));
    for name in [
        "networks.xml",
        "networks.1.xml",
        "clubs.0193e5a0-0000-7000-8000-000000000000.xml",
        "x",
    ] {
        node.get(&format!("/sitemap/{name}"))
            .await
            .problem(404, "not-found");
    }
    let robots = node.get("/robots.txt").await.expect(200);
    let sitemap = format!("Sitemap: {}/sitemap.xml", node.base);
    assert!(robots.text.contains(&sitemap), "{}", robots.text);
    // The catalogue sends data portals there.
    assert!(!robots.text.contains("/v1/export"), "{}", robots.text);
    // There is no mailbox.
    node.get("/.well-known/security.txt")
        .await
        .problem(404, "not-found");
    let other = node.beside(|config| {
        config.contact_email = Some("daten@beispiel.example".to_owned().try_into().unwrap());
    });
    let other = other.await;
    let security = other.call(Method::GET, "/.well-known/security.txt");
    let security = security.await.expect(200);
    assert!(
        security
            .text
            .starts_with("Contact: mailto:daten@beispiel.example\nExpires: ")
    );
});
