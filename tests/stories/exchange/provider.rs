//! Licence and provider of the data, and the address of the server.

use super::publish;
use reqwest::Method;
use serde_json::json;
use tests::story;

const CC_BY: &str = "https://creativecommons.org/licenses/by/4.0/";

story!(a_node_states_its_licence_and_provider, async |node| {
    let silent = node.get("/").await.expect(200);
    for member in ["licence", "publisher", "contact_email"] {
        assert!(silent.json.get(member).is_none(), "{}", silent.text);
    }
    assert!(
        node.get("/v1/export")
            .await
            .expect(200)
            .header("link")
            .is_empty()
    );
    let other = node.beside(|config| {
        config.licence = Some(CC_BY.to_owned().try_into().unwrap());
        config.publisher = Some("Gesundheitsregion Beispiel".to_owned());
        config.contact_email = Some("daten@beispiel.example".to_owned().try_into().unwrap());
    });
    let other = other.await;
    let service = other.call(Method::GET, "/").await.expect(200);
    assert_eq!(service.json["licence"], CC_BY);
    assert_eq!(service.json["publisher"], "Gesundheitsregion Beispiel");
    assert_eq!(service.json["contact_email"], "daten@beispiel.example");
});

story!(a_page_tells_licences_apart, async |node| {
    let other = node.beside(|config| {
        config.licence = Some(CC_BY.to_owned().try_into().unwrap());
    });
    let other = other.await;
    let source = json!({"publisher": "Stadt", "licence": "https://quelle.example/lizenz"});
    let body = json!({"name": "Netz", "source": source});
    publish(node, "networks", body).await;
    let zero = "https://creativecommons.org/publicdomain/zero/1.0/";
    publish(node, "networks", json!({"name": "Frei", "licence": zero})).await;
    for (slug, licence) in [("netz", CC_BY), ("frei", zero)] {
        let page = other.call(Method::GET, &format!("/networks/{slug}"));
        let page = page.header("accept", "text/html").await.expect(200);
        let stated = format!("<dt>Lizenz</dt><dd><a class=\"external\" href=\"{licence}\"");
        let text = page.text.as_str();
        assert!(text.contains(&stated), "{text}");
        let of_source = "<dt>Lizenz der Quelle</dt><dd><a class=\"external\" href=\"https://quelle.example/lizenz\"";
        assert_eq!(text.contains(of_source), slug == "netz", "{text}");
    }
});

story!(a_record_may_have_a_licence_of_its_own, async |node| {
    let zero = "https://creativecommons.org/publicdomain/zero/1.0/";
    let body = json!({"name": "Frei", "licence": zero});
    let made = publish(node, "networks", body).await;
    assert_eq!(made.json["licence"], zero);
    let patch = node.patch(&format!("/v1/networks/{}", made.id()));
    let wrong = patch
        .if_match("\"1\"")
        .json(&json!({"licence": "CC0"}))
        .await;
    let faults = wrong.problem(422, "validation-failed").faults();
    assert_eq!(faults, [("/licence".to_owned(), "url".to_owned())]);
});

story!(without_an_address_there_are_no_addresses, async |node| {
    let anywhere = node
        .beside(|config| config.listen = ([0, 0, 0, 0], 0).into())
        .await;
    for path in [
        "/v1/events.ics",
        "/v1/events.atom",
        "/v1/changes.atom",
        "/v1/events?format=atom",
    ] {
        let refused = anywhere.call(Method::GET, path).await;
        let refused = refused.problem(503, "public-url-missing");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.contains("`public_url`"), "{detail}");
    }
    let accept = anywhere.call(Method::GET, "/v1/events");
    let accept = accept.header("accept", "text/calendar");
    accept.await.problem(503, "public-url-missing");
    let named = node.beside(|config| {
        config.listen = ([0, 0, 0, 0], 0).into();
        let url = "https://verzeichnis.example/".to_owned();
        config.public_url = Some(url.try_into().unwrap());
    });
    let named = named.await;
    let feed = named.call(Method::GET, "/v1/changes.atom?kind=event");
    let feed = feed.await.expect(200);
    let own = "rel=\"self\" href=\"https://verzeichnis.example/v1/changes.atom?kind=event\"";
    assert!(feed.text.contains(own), "{}", feed.text);
});
