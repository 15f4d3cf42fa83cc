//! The explorer: pages for people over the same functions as the JSON.

mod attack;
mod events;
mod looks;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, REFERER};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::time::{Duration, Instant};
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

    /// From a text to the end of the section that it is in.
    #[track_caller]
    fn part(&self, from: &str) -> &str {
        let part = self.text.split_once(from).expect(from).1;
        part.split("</section>").next().unwrap()
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
