//! The explorer: pages for people over the same functions as the JSON.

mod looks;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, REFERER};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::time::{Duration, Instant};
use tests::call::encoded;
use tests::tables::record;
use tests::{Neighbour, Node, story};

/// What browsers send.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A page as a browser without script gets it.
struct Page {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Page {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text} is not in {}", self.text);
        self
    }

    #[track_caller]
    fn never_says(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text} is in {}", self.text);
        self
    }

    /// The addresses of links, with entities resolved.
    fn links(&self) -> Vec<String> {
        let parts = self.text.split(" href=\"").skip(1);
        parts
            .map(|part| part.split('"').next().unwrap().replace("&amp;", "&"))
            .collect()
    }
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([]);
    client.build().unwrap()
}

async fn visit_as(
    node: &Node,
    path: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
) -> Page {
    let mut request = client().get(format!("{}{path}", node.base));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response = request.send().await.unwrap();
    Page {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

async fn visit(node: &Node, path: &str) -> Page {
    visit_as(node, path, &[(ACCEPT, BROWSER)]).await
}

/// Creates a public record; returns its id.
async fn publish(node: &Node, kind: &str, mut body: Value) -> String {
    let members = body.as_object_mut().unwrap();
    members.entry("publication").or_insert(json!("published"));
    members.entry("home_region").or_insert(json!("hessen"));
    let made = node.post(&format!("/v1/{kind}")).json(&body).await;
    made.expect(201).id().to_owned()
}

fn start(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Fails unless a page is complete, loads from this server only, and has nothing that is executed.
#[track_caller]
fn is_sound(path: &str, page: &Page) {
    let text = &page.text;
    assert!(text.starts_with("<!DOCTYPE html>"), "{path}");
    let english = path == "/en" || path.starts_with("/en/") || path.starts_with("/en?");
    let lang = if english {
        "<html lang=\"en\">"
    } else {
        "<html lang=\"de\">"
    };
    assert!(text.contains(lang), "{path}");
    assert_eq!(text.matches("<h1").count(), 1, "{path}");
    assert_eq!(text.matches("<main").count(), 1, "{path}");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'self';"),
        "{path}: {policy}"
    );
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(page.header("set-cookie"), "", "{path}");
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    for script in text.split("<script").skip(1) {
        let fine = script.starts_with(" defer src=\"/assets/")
            || script.starts_with(" type=\"application/ld+json\">");
        assert!(fine, "{path}: <script{}", start(script));
    }
    for (attribute, what) in [
        (" src=\"", "loads"),
        (" style=\"", "styles"),
        (" onclick=", "runs"),
        ("<iframe", "frames"),
    ] {
        for rest in text.split(attribute).skip(1) {
            assert!(
                attribute == " src=\"" && rest.starts_with("/assets/"),
                "{path} {what} {}",
                start(rest)
            );
        }
    }
    let ids: Vec<&str> = text
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let different: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), different.len(), "{path}: an id twice in {ids:?}");
}

story!(
    every_link_of_the_pages_leads_somewhere,
    Seeded,
    async |node| {
        node.settled().await;
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut waiting: VecDeque<String> = VecDeque::new();
        for path in [
            "/",
            "/en/",
            "/data",
            "/calendar?past=true",
            "/networks/cluster-gesundheit-nordhessen",
            "/en/projects/klinikcluster-ruhr",
        ] {
            seen.insert(path.to_owned());
            waiting.push_back(path.to_owned());
        }
        let (mut visited, mut pages) = (0, 0);
        while let Some(path) = waiting.pop_front() {
            visited += 1;
            // Enough of each kind; the filters of filters are endless.
            if visited > 250 {
                break;
            }
            let page = visit(node, &path).await;
            if (300..400).contains(&page.status) {
                let to = page.header("location").to_owned();
                assert!(to.starts_with('/'), "{path} -> {to}");
                if seen.insert(to.clone()) {
                    waiting.push_front(to);
                }
                continue;
            }
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            if !page.header("content-type").starts_with("text/html") || path.starts_with("/docs/") {
                continue;
            }
            is_sound(&path, &page);
            pages += 1;
            for link in page.links() {
                let link = link.split('#').next().unwrap().to_owned();
                let link = if link.starts_with('?') {
                    format!("{}{link}", path.split('?').next().unwrap())
                } else {
                    link
                };
                let filtered = link.matches('&').count() > 1;
                if link.starts_with('/')
                    && !link.starts_with("//")
                    && !filtered
                    && seen.insert(link.clone())
                {
                    waiting.push_back(link);
                }
            }
        }
        assert!(pages > 60, "{pages} pages of {visited}");
    }
);

story!(
    people_get_pages_and_programs_get_json,
    Seeded,
    async |node| {
        node.settled().await;
        let json = "application/json";
        for (path, accept, status, content) in [
            ("/", BROWSER, 200, "text/html; charset=utf-8"),
            ("/", "*/*", 200, json),
            ("/", json, 200, json),
            ("/?format=json", BROWSER, 200, json),
            ("/v1/networks/mo-win-net", "*/*", 200, json),
            ("/v1/networks/mo-win-net", json, 200, json),
            ("/v1/networks/mo-win-net?format=json", BROWSER, 200, json),
            (
                "/v1/networks/mo-win-net.geojson",
                BROWSER,
                200,
                "application/geo+json",
            ),
            ("/v1/networks?limit=1", BROWSER, 200, json),
            ("/v1/networks/mo-win-net", BROWSER, 303, ""),
            ("/v1/networks/nobody", json, 404, "application/problem+json"),
            ("/networks/nobody", json, 404, "application/problem+json"),
            ("/networks/nobody", BROWSER, 404, "text/html; charset=utf-8"),
            ("/nowhere", BROWSER, 404, "text/html; charset=utf-8"),
            ("/v1/nowhere", BROWSER, 404, "application/problem+json"),
        ] {
            let page = visit_as(node, path, &[(ACCEPT, accept)]).await;
            assert_eq!(page.status, status, "{path} {accept}");
            assert_eq!(page.header("content-type"), content, "{path} {accept}");
            if path == "/" || path == "/v1/networks/mo-win-net" {
                let varies: Vec<_> = page
                    .headers
                    .get_all("vary")
                    .iter()
                    .map(|one| one.to_str().unwrap())
                    .collect();
                assert!(
                    varies.join(",").contains("accept"),
                    "{path} {accept}: {varies:?}"
                );
            }
        }
        let there = visit(node, "/v1/networks/mo-win-net").await;
        assert_eq!(there.header("location"), "/en/networks/mo-win-net");
        let german = visit_as(
            node,
            "/v1/networks/mo-win-net",
            &[
                (ACCEPT, BROWSER),
                (ACCEPT_LANGUAGE, "de-DE,de;q=0.9,en;q=0.8"),
            ],
        )
        .await;
        assert_eq!(german.header("location"), "/networks/mo-win-net");
        // A program with a token gets what it asks for.
        let program = node
            .get("/v1/networks/mo-win-net")
            .token(&node.admin)
            .header("accept", "text/html, application/json;q=0.5");
        program.await.expect(200);
        // A link by id ends at the address with the slug.
        let id = node.get("/v1/networks/mo-win-net").await.id().to_owned();
        let by_id = visit(node, &format!("/networks/{id}")).await.expect(302);
        assert_eq!(by_id.header("location"), "/networks/mo-win-net");
    }
);

story!(the_language_is_in_the_address, Seeded, async |node| {
    node.settled().await;
    let english = [
        (ACCEPT, BROWSER),
        (ACCEPT_LANGUAGE, "en-GB,en;q=0.9,de;q=0.5"),
    ];
    let first = visit_as(node, "/", &english).await.expect(302);
    assert_eq!(first.header("location"), "/en/");
    // Only the first page: someone who reads German pages stays there.
    let from = format!("{}/networks", node.base);
    let mut inside = english.to_vec();
    inside.push((REFERER, &from));
    visit_as(node, "/", &inside)
        .await
        .expect(200)
        .says("lang=\"de\"");
    visit_as(node, "/?q=Klinik", &english)
        .await
        .expect(200)
        .says("lang=\"de\"");
    visit_as(node, "/calendar", &english)
        .await
        .expect(200)
        .says("Kalender");
    visit(node, "/en/calendar")
        .await
        .expect(200)
        .says("Calendar");
    let page = visit(node, "/en/?q=Klinik").await.expect(200);
    page.says("href=\"/?q=Klinik\" lang=\"de\"");
    // Texts in another language say so, and topics are translated.
    let page = visit(node, "/en/networks/cluster-gesundheit-nordhessen")
        .await
        .expect(200);
    page.says("lang=\"de\">Cluster Gesundheit Nordhessen</h1>")
        .says("Health economy");
});

story!(pages_say_what_the_api_says, Seeded, async |node| {
    node.settled().await;
    let page = visit(node, "/?q=Klinik").await.expect(200);
    let found = node
        .get("/v1/search?q=Klinik&lang=de")
        .await
        .expect(200)
        .json;
    page.says(&format!("{} Einträge", found["total"]));
    let mut at = 0;
    for item in found["items"].as_array().unwrap() {
        // In the same order.
        let href = format!(
            "href=\"/{}s/{}\"",
            item["kind"].as_str().unwrap(),
            item["slug"].as_str().unwrap()
        );
        let place = page.text.get(at..).unwrap().find(&href);
        at += place.unwrap_or_else(|| panic!("{href} after {at}"));
    }
    // The filters of the form mean OR, as a comma does.
    let form = visit(
        node,
        "/actors?q=&category=hospital&category=company&region=",
    )
    .await
    .expect(200);
    let comma = node
        .get("/v1/actors?category=hospital,company")
        .await
        .expect(200)
        .json;
    form.says(&format!("{} Eintr", comma["total"]));
    // A draft is on no page.
    let body = json!({"name": "Geheime Klinik", "home_region": "nordhessen"});
    node.post("/v1/actors").json(&body).await.expect(201);
    node.settled().await;
    visit(node, "/actors/geheime-klinik").await.expect(404);
    visit(node, "/?q=Geheime+Klinik")
        .await
        .expect(200)
        .says("0 Einträge");
    // The licence is stated, or that there is none.
    visit(node, "/data")
        .await
        .expect(200)
        .says("Herausgeber")
        .says("nicht angegeben");
    // The facts of a record, as stated.
    visit(node, "/networks/cluster-gesundheit-nordhessen")
        .await
        .expect(200)
        .says("rund 50")
        .says("rund 50 Mitglieder")
        .says("wird betrieben von")
        .says("Start-ups")
        .says("Hessen Trade &amp; Invest GmbH")
        .says("/v1/networks/cluster-gesundheit-nordhessen?include=")
        .says("rel=\"canonical\"")
        .says("property=\"og:title\"");
    // Each page of a list leads to the next.
    let first = visit(node, "/regions?level=district").await.expect(200);
    let next = first
        .links()
        .into_iter()
        .find(|link| link.contains("cursor="))
        .unwrap();
    let second = visit(node, &next).await.expect(200);
    second.says("Zurück zum Anfang");
    // A cursor is for one language.
    let mut links = second.links().into_iter();
    let other = links.find(|link| link.starts_with("/en/regions?"));
    assert_eq!(other.unwrap(), "/en/regions?level=district");
    // A page is not sent twice.
    let tag = first.header("etag").to_owned();
    let again = visit_as(
        node,
        "/regions?level=district",
        &[(ACCEPT, BROWSER), (reqwest::header::IF_NONE_MATCH, &tag)],
    )
    .await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
});

story!(json_ld_describes_the_record, Seeded, async |node| {
    let page = visit(node, "/networks/cluster-gesundheit-nordhessen")
        .await
        .expect(200);
    let data = page
        .text
        .split("<script type=\"application/ld+json\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["@context"], "https://schema.org");
    assert_eq!(data["@type"], "Organization");
    assert_eq!(data["name"], "Cluster Gesundheit Nordhessen");
    assert_eq!(
        data["url"],
        format!("{}/networks/cluster-gesundheit-nordhessen", node.base)
    );
});

story!(mistakes_are_explained_on_the_page, Seeded, async |node| {
    node.settled().await;
    for (path, status, says) in [
        (
            "/networks?netwrk_type=cluster",
            400,
            "href=\"/networks?network_type=cluster\"",
        ),
        (
            "/networks?network_type=clustr&q=a",
            400,
            "href=\"/networks?network_type=cluster&amp;q=a\"",
        ),
        ("/en/?regoin=hessen", 400, "href=\"/en/?region=hessen\""),
        ("/?region=nirgendwo&q=a", 400, "href=\"/?q=a\""),
        ("/?limit=3", 400, "Hier gibt es keinen Parameter"),
        ("/en/graph", 400, "is missing"),
        ("/graph?from=network/nobody", 400, "nennt nichts"),
        (
            "/en/graph?from=network/mo-win-net&depth=9",
            400,
            "a number from 1 to 3",
        ),
        ("/calendar?strat_from=2020", 400, "start_from"),
        (
            "/?cursor=x",
            400,
            "Der Cursor gehört nicht zu dieser Abfrage",
        ),
        (
            "/networks/mo-win-net?x=y",
            400,
            "Hier gibt es keinen Parameter",
        ),
        ("/nowhere", 404, "Diese Seite gibt es nicht"),
        ("/en/networks/nobody", 404, "There is no such page"),
        ("/networks/nobody/history", 404, "Diese Seite gibt es nicht"),
        ("/networks/it-netzwerk-nordhessen/x", 404, "name=\"q\""),
        (
            "/assets/explorer.000000000000.css",
            404,
            "Diese Seite gibt es nicht",
        ),
    ] {
        let page = visit(node, path).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        is_sound(path, &page);
        page.says(says).says("role=\"search\"");
    }
    // A deleted record, a merged one, and one with another slug.
    let made =
        |name: &str| json!({"name": name, "home_region": "nordhessen", "publication": "published"});
    let gone = node.post("/v1/actors").json(&made("Weg")).await.expect(201);
    node.delete("/v1/actors/weg")
        .if_match(gone.etag())
        .await
        .expect(204);
    visit(node, "/actors/weg")
        .await
        .expect(410)
        .says("Der Eintrag wurde gelöscht.");
    let old = node.post("/v1/actors").json(&made("Alt")).await.expect(201);
    node.patch(&format!("/v1/actors/{}", old.id()))
        .if_match("*")
        .json(&json!({"slug": "neu"}))
        .await
        .expect(200);
    let moved = visit(node, "/en/actors/alt").await.expect(308);
    assert_eq!(moved.header("location"), "/en/actors/neu");
});

story!(what_visitors_type_is_escaped, Seeded, async |node| {
    node.settled().await;
    for attack in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "\" onfocus=\"alert(1)",
        "</title><svg/onload=alert(1)>",
        "{{7*7}}",
    ] {
        let typed = encoded(attack);
        for path in [
            format!("/?q={typed}"),
            format!("/en/actors?q={typed}&region=hessen"),
            format!("/?{typed}=1"),
            format!("/networks?network_type={typed}"),
            format!("/?region={typed}"),
            format!("/{typed}"),
            format!("/networks/{typed}"),
            format!("/graph?from={typed}"),
            format!("/graph?from=network/mo-win-net&active_on={typed}"),
            format!("/calendar?{typed}={typed}"),
        ] {
            let page = visit(node, &path).await;
            assert!(
                [200, 400, 404].contains(&page.status),
                "{path} {}",
                page.status
            );
            is_sound(&path, &page);
            page.never_says("<script>alert")
                .never_says("<img src=x")
                .never_says("<svg/onload")
                .never_says("\" onfocus=\"");
        }
    }
});

story!(no_address_leads_to_another_server, async |node| {
    for path in [
        "/en//evil.example/x",
        "/en///evil.example/x",
        "/en/\\evil.example/x",
        "//evil.example/x",
        "/calendar//evil.example/x",
    ] {
        let page = visit(node, path).await;
        assert!([400, 404].contains(&page.status), "{path} {}", page.status);
        for link in page.links() {
            let leaves = link.starts_with("//") || link.starts_with("/\\");
            assert!(!leaves, "{path}: {link}");
        }
    }
});

story!(events_have_the_time_of_their_place, async |node| {
    for (name, start, zone) in [
        ("Auftakt", "2031-07-01T08:00:00Z", Some("Europe/Berlin")),
        ("Nachts", "2031-06-30T22:30:00Z", None),
        (
            "Lissabon",
            "2031-07-02T10:00:00+02:00",
            Some("Europe/Lisbon"),
        ),
    ] {
        let mut body = json!({"name": name, "start": start});
        if let Some(zone) = zone {
            body["timezone"] = json!(zone);
        }
        publish(node, "events", body).await;
    }
    node.settled().await;
    visit(node, "/events/auftakt")
        .await
        .expect(200)
        .says("1. Juli 2031, 10:00 Uhr")
        .never_says("Zeitzone");
    visit(node, "/en/events/auftakt")
        .await
        .expect(200)
        .says("1 July 2031, 10:00");
    visit(node, "/events/lissabon")
        .await
        .expect(200)
        .says("2. Juli 2031, 09:00 Uhr")
        .says("Europe/Lisbon");
    visit(node, "/calendar")
        .await
        .expect(200)
        .says("1. Juli 2031, 10:00 Uhr")
        .says("1. Juli 2031, 00:30 Uhr")
        .says("2. Juli 2031, 09:00 Uhr")
        .never_says("Juni 2031");
    visit(node, "/events").await.expect(200).says("10:00 Uhr");
});

story!(the_calendar_has_what_is_going_on, async |node| {
    for mut body in [
        json!({"name": "Dauerhaft", "start": "2001-01-01", "end": "2099-12-31"}),
        json!({"name": "Irgendwann", "start": "2099-05-01"}),
        json!({"name": "Vorbei", "start": "2001-01-01", "end": "2001-01-02"}),
        json!({"name": "Damals", "start": "2001-05-01"}),
    ] {
        body["event_type"] = json!("workshop");
        publish(node, "events", body).await;
    }
    node.settled().await;
    let page = visit(node, "/calendar?event_type=workshop")
        .await
        .expect(200);
    page.says("Dauerhaft")
        .says("Irgendwann")
        .never_says("Vorbei")
        .never_says("Damals");
    let links = page.links();
    for link in [
        "/calendar?event_type=workshop",
        "/calendar?event_type=workshop&past=true",
        "/v1/events.ics?event_type=workshop&lang=de",
        "/v1/events?event_type=workshop&format=atom&lang=de",
    ] {
        assert!(links.iter().any(|one| one == link), "{link}: {links:?}");
    }
    visit(node, "/calendar?event_type=workshop&past=true")
        .await
        .expect(200)
        .says("Damals")
        .says("Vorbei");
    let english = visit(node, "/en/calendar").await.expect(200);
    let links = english.links();
    assert!(
        links.iter().any(|one| one == "/v1/events.ics?lang=en"),
        "{links:?}"
    );
});

story!(only_what_is_in_a_calendar_is_offered_as_one, async |node| {
    let day = publish(
        node,
        "events",
        json!({"name": "Tag", "start": "2031-05-01"}),
    )
    .await;
    let report = json!({"name": "Bericht", "start": "2031-05-01", "event_type": "report"});
    publish(node, "events", report).await;
    let link = format!("/v1/events/{day}?format=ics&lang=de");
    let page = visit(node, "/events/tag").await.expect(200);
    let links = page.links();
    assert!(links.contains(&link), "{links:?}");
    visit(node, "/events/bericht")
        .await
        .expect(200)
        .says("format=jsonld&amp;lang=de")
        .never_says("format=ics");
    let network = publish(node, "networks", json!({"name": "Netz"})).await;
    visit(node, "/networks/netz")
        .await
        .expect(200)
        .never_says("/events.ics");
    let organiser = json!({"type": "involved_in", "roles": ["organiser"], "from": {"kind": "network", "id": network}, "to": {"kind": "event", "id": day}});
    publish(node, "relationships", organiser).await;
    visit(node, "/en/networks/netz")
        .await
        .expect(200)
        .says(&format!("/v1/networks/{network}/events.ics?lang=en"));
});

story!(other_ends_are_in_the_language_of_the_page, async |node| {
    let body =
        json!({"name": "Klinik", "language": "de", "translations": {"en": {"name": "Clinic"}}});
    let actor = publish(node, "actors", body).await;
    let network = publish(node, "networks", json!({"name": "Netz"})).await;
    let member = json!({"type": "member_of", "from": {"kind": "actor", "id": actor}, "to": {"kind": "network", "id": network}, "valid": {"from": "2009"}});
    let member = publish(node, "relationships", member).await;
    visit(node, "/en/networks/netz")
        .await
        .expect(200)
        .says(">Clinic</a>")
        .says("from 2009 (end not stated)");
    visit(node, "/networks/netz")
        .await
        .expect(200)
        .says(">Klinik</a>")
        .says("ab 2009 (Ende nicht genannt)");
    for path in [
        format!("/en/graph?from=network/{network}"),
        format!("/en/relationships/{member}"),
    ] {
        visit(node, &path).await.expect(200).says("Clinic");
    }
    for (query, name, language) in [
        ("", "Klinik", Value::Null),
        ("?lang=en", "Clinic", json!("en")),
        ("?lang=de", "Klinik", json!("de")),
    ] {
        let path = format!("/v1/networks/{network}/relationships{query}");
        let around = node.get(&path).await.expect(200).json;
        let other = &around["items"][0]["other"];
        assert_eq!(
            (&other["name"], &other["language"]),
            (&json!(name), &language)
        );
    }
});

story!(places_and_dates_are_filters_with_names, async |node| {
    node.settled().await;
    let page = visit(
        node,
        "/actors?near=51.31,9.48&radius=25km&founded_from=2000",
    )
    .await
    .expect(200);
    page.says("In der Nähe von: ")
        .says("51.31,9.48 (25km)")
        .says("Gegründet ab: ");
    // The chip removes both.
    let links = page.links();
    assert!(
        links.iter().any(|one| one == "?founded_from=2000"),
        "{links:?}"
    );
});

story!(
    versions_are_compared_with_the_public_one_before,
    async |node| {
        publish(
            node,
            "networks",
            json!({"name": "Netz", "summary": "Erste"}),
        )
        .await;
        let change = async |body: Value| {
            let patch = node.patch("/v1/networks/netz").if_match("*");
            patch.json(&body).await.expect(200);
        };
        change(json!({"publication": "draft"})).await;
        change(json!({"publication": "published", "summary": "Dritte"})).await;
        // The third version is the last of the first page.
        for version in 4..=12 {
            change(json!({"summary": format!("Nummer {version}")})).await;
        }
        let page = visit(node, "/networks/netz/history").await.expect(200);
        page.says("<del>Erste</del>")
            .says("<ins>Dritte</ins>")
            .never_says("nicht öffentlich");
        let mut links = page.links().into_iter();
        let next = links.find(|link| link.starts_with("?cursor=")).unwrap();
        visit(node, &format!("/networks/netz/history{next}"))
            .await
            .expect(200)
            .says("Angelegt");
    }
);

/// Stores a body as it is, as a copy of a hostile partner would be.
async fn store_as_is(node: &Node, slug: &str, more: Value) {
    let row = record::Entity::find()
        .filter(record::Column::Slug.eq(slug))
        .one(node.store.db().reader())
        .await
        .unwrap()
        .unwrap();
    let mut body: Value = serde_json::from_str(&row.body).unwrap();
    domain::base::json::merge_patch(&mut body, &more);
    record::Entity::update_many()
        .col_expr(record::Column::Body, Expr::value(body.to_string()))
        .filter(record::Column::Id.eq(row.id))
        .exec(node.store.db().reader())
        .await
        .unwrap();
}

story!(a_hostile_copy_cannot_inject, Seeded, async |node| {
    let bad = "javascript:alert(1)";
    store_as_is(node, "cluster-gesundheit-nordhessen", json!({
        "summary": "<script>alert(1)</script>",
        "description": "<script>alert(1)</script>\n\n[hier](javascript:alert(1)) ![x](https://evil.example/x.png) <img src=x onerror=alert(1)>\n\n</script><script>alert(2)</script>",
        "language": "de\" onmouseover=\"alert(1)",
        "names": [{"value": "</script><script>alert(3)</script>", "type": "brand"}],
        "contact": {"website": bad, "email": "x@y.example?cc=z\"><script>alert(4)</script>", "contact_form": "data:text/html,x"},
        "links": [{"rel": "more", "url": bad, "title": "<b>fett</b>"}, {"rel": "more", "url": "https://fine.example/", "title": "gut"}],
        "media": [{"type": "logo", "url": "https://evil.example/logo.png", "caption": "Logo"}, {"type": "image", "url": bad}],
        "figures": [{"measure": "<i>", "value": 1, "qualifier": "<u>", "unit": "<s>"}, {"measure": 5, "value": {"a": []}}],
        "places": [{"city": "<b>", "point": {"lat": "x", "lon": []}}, 7, null],
        "topics": ["<b>", 3],
        "identifiers": [{"scheme": "<a>", "value": "<b>"}],
        "founded": "<b>", "joining": {"how": "<b>", "url": bad, "open": "<b>"}, "source": {"url": bad, "publisher": "<b>"},
        "network_type": "<script>", "sector": ["<b>"],
    })).await;
    for path in [
        "/networks/cluster-gesundheit-nordhessen",
        "/en/networks/cluster-gesundheit-nordhessen",
        "/networks/cluster-gesundheit-nordhessen/history",
    ] {
        let page = visit(node, path).await.expect(200);
        is_sound(path, &page);
        page.never_says("<script>alert")
            .never_says("href=\"javascript")
            .never_says("href=\"data:")
            .never_says("<img src=x")
            .never_says("<b>")
            .never_says("src=\"https://evil")
            .never_says("onmouseover=\"");
    }
    let page = visit(node, "/networks/cluster-gesundheit-nordhessen").await;
    page.says("href=\"https://fine.example/\" rel=\"nofollow noopener noreferrer\"");
    // Members may be of any other type.
    let wrong = json!({"summary": 1, "description": [], "names": "x", "places": {}, "contact": [], "links": 1, "media": null, "figures": "x",
        "topics": "x", "source": 3, "joining": [], "slug": 4, "language": 5, "identifiers": {}, "founded": {}});
    store_as_is(node, "mo-win-net", wrong).await;
    node.settled().await;
    for path in [
        "/networks/mo-win-net",
        "/en/graph?from=network/cluster-gesundheit-nordhessen&depth=2",
        "/networks",
        "/",
    ] {
        let page = visit(node, path).await;
        assert!(
            page.status == 200 || page.status == 302,
            "{path} {}: {}",
            page.status,
            page.text
        );
    }
});

story!(contact_persons_are_in_the_text_only, Seeded, async |node| {
    let path = "/v1/networks/mo-win-net/contact_persons";
    let person = json!({"name": "Erika Öffentlich", "email": "erika@a.example", "role": "Leitung", "purpose": "Ansprechpartnerin", "visibility": "public",
        "consent": {"from": "2020-01-01T00:00:00Z"}});
    node.post(path).json(&person).await.expect(201);
    let hidden = json!({"name": "Horst Intern", "purpose": "Verteiler"});
    node.post(path).json(&hidden).await.expect(201);
    let page = visit(node, "/networks/mo-win-net").await.expect(200);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("etag"), "");
    page.says("Erika Öffentlich")
        .says("mailto:erika@a.example")
        .never_says("Horst Intern");
    let head = page.text.split("</head>").next().unwrap();
    assert!(!head.contains("Erika"), "{head}");
});

story!(a_copy_is_shown_with_its_node, Seeded, async |node| {
    let change = node.patch("/v1/networks/mo-win-net").if_match("*");
    change.json(&json!({"summary": "Neu"})).await.expect(200);
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = tests::Intake::new(&here, "nachbar", &node.base, json!({})).await;
    intake.pull().await;
    here.settled().await;
    let id = node.get("/v1/networks/mo-win-net").await.id().to_owned();
    // Slugs of copies may be taken here, so links to them are by id.
    let list = visit(&here, "/networks?q=Mo.WiN.net").await.expect(200);
    list.says(&format!("href=\"/networks/{id}\""));
    let page = visit(&here, &format!("/networks/{id}")).await.expect(200);
    page.says(&node.store.node().origin).says("Mo.WiN.net");
    // The versions before its arrival never came along.
    visit(&here, &format!("/networks/{id}/history"))
        .await
        .expect(200)
        .says("Die Fassung davor ist nicht mehr vorhanden.");
    here.stop().await;
});

story!(
    pages_are_small_and_files_stay_in_caches,
    Seeded,
    async |node| {
        node.settled().await;
        let page = visit(node, "/").await.expect(200);
        let mut total = page.text.len();
        let files: BTreeSet<String> = page
            .text
            .split('"')
            .filter(|part| part.starts_with("/assets/"))
            .map(|part| part.split('#').next().unwrap().to_owned())
            .collect();
        assert!(files.len() >= 4, "{files:?}");
        for file in &files {
            let served = visit(node, file).await.expect(200);
            assert_eq!(
                served.header("cache-control"),
                "public, max-age=31536000, immutable",
                "{file}"
            );
            // The map is a file of its own.
            if !file.contains("europe") {
                total += served.text.len();
            }
        }
        assert!(total < 120_000, "{total} bytes");
        for path in [
            "/networks/cluster-gesundheit-nordhessen",
            "/graph?from=network/cluster-gesundheit-nordhessen&depth=2",
        ] {
            let page = visit(node, path).await.expect(200);
            assert!(
                page.text.len() < 120_000,
                "{path}: {} bytes",
                page.text.len()
            );
        }
        // A page costs little more than its request: both are timed side by side, and most of a page is
        // the request. The first ones fill caches.
        let mut best = [Duration::MAX; 2];
        let request = "/v1/search?facets=kind,topic,region,origin&fields=name,slug,summary&lang=de";
        for _ in 0..10 {
            for (at, path) in [(0, request), (1, "/")] {
                let begun = Instant::now();
                visit(node, path).await.expect(200);
                best[at] = best[at].min(begun.elapsed());
            }
        }
        // The tests are compiled without optimisation.
        assert!(
            best[1] < best[0] * 3 + Duration::from_millis(30),
            "{best:?}"
        );
    }
);

story!(a_large_network_stays_usable, async |node| {
    let hub = json!({"name": "Mitte", "home_region": "nordhessen-x", "publication": "published"});
    let region = json!({"name": "Nordhessen X", "level": "region", "home_region": "hessen", "publication": "published"});
    node.post("/v1/regions").json(&region).await.expect(201);
    let hub = node.post("/v1/networks").json(&hub).await.expect(201);
    let mut lines = String::new();
    for at in 0..1100 {
        let actor = json!({"kind": "actor", "name": format!("Akteur {at}"), "home_region": "nordhessen-x", "publication": "published", "external_id": {"system": "probe", "id": format!("a{at}")}});
        let member = json!({"kind": "relationship", "type": "member_of", "from": {"kind": "actor", "external_id": {"system": "probe", "id": format!("a{at}")}},
            "to": {"kind": "network", "id": hub.id()}, "home_region": "nordhessen-x", "publication": "published", "external_id": {"system": "probe", "id": format!("r{at}")}});
        writeln!(lines, "{actor}\n{member}").unwrap();
    }
    node.post("/v1/import")
        .body("application/x-ndjson", lines)
        .await
        .expect(200);
    node.settled().await;
    let from = format!("/graph?from=network/{}&limit=1000", hub.id());
    let begun = Instant::now();
    let page = visit(node, &from).await.expect(200);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    page.says("Das Netzwerk ist größer");
    assert_eq!(page.text.matches("class=\"node\"").count(), 999);
    assert_eq!(page.text.matches("<tr>").count(), 1000);
    // The record page has its relationships in parts.
    let page = visit(node, "/networks/mitte").await.expect(200);
    page.says("Weitere Beziehungen")
        .says("1100")
        .says("Gezeigt werden nur die ersten 200 von 1100 Beziehungen.")
        .says(&format!(
            "/v1/networks/{}/relationships?limit=200",
            hub.id()
        ))
        // The groups are those of the page.
        .never_says("hat als Mitglied <span class=\"count\">");
    let linked = node.get(&format!("/v1/networks/{}.jsonld", hub.id()));
    let linked = linked.await.expect(200).json;
    assert!(linked["vb:includedTotal"].as_u64().unwrap() > 1000);
    let more = page
        .links()
        .into_iter()
        .find(|link| link.contains("cursor="))
        .unwrap();
    visit(node, more.split('#').next().unwrap())
        .await
        .expect(200)
        .says("Gezeigt werden nur weitere 200 von 1100 Beziehungen.")
        .says("Weitere Beziehungen");
});

story!(head_options_and_other_methods, Seeded, async |node| {
    let send = async |method: reqwest::Method, path: &str| {
        client()
            .request(method, format!("{}{path}", node.base))
            .header(ACCEPT, BROWSER)
            .send()
            .await
            .unwrap()
    };
    let head = send(reqwest::Method::HEAD, "/networks").await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(send(reqwest::Method::POST, "/networks").await.status(), 405);
    assert_eq!(
        send(reqwest::Method::DELETE, "/calendar").await.status(),
        405
    );
});
