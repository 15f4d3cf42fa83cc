//! Drafts never leak into hits, totals, facets, suggestions, the graph or the ends of
//! relationships.

use super::make;
use domain::access::rules::Role;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::settings::{chance, full};
use tests::{Node, story};
use uuid::Uuid;

/// A word that only one record has, so that any trace of it shows; no two are similar enough to be
/// a typo of each other.
fn secret(at: usize) -> String {
    let letters = "bdfghklmnprstvwz";
    let pick = |n: usize| letters.chars().nth(n % 16).unwrap();
    let syllables = [at, at / 16, at / 256].map(|n| format!("{0}o{0}a{0}u", pick(n)));
    format!("Q{}", syllables.concat())
}

struct Made {
    id: String,
    kind: &'static str,
    region: &'static str,
    public: bool,
    word: String,
}

/// Random records of two regions and relationships between any of them.
async fn random(node: &Node, rng: &mut StdRng) -> Vec<Made> {
    let mut made: Vec<Made> = Vec::new();
    for at in 0..24 {
        let kind = ["actors", "networks", "projects"][rng.random_range(0..3)];
        let region = ["hessen", "berlin"][rng.random_range(0..2)];
        let publication = ["published", "draft", "review", "archived"][rng.random_range(0..4)];
        let word = secret(at);
        let body = json!({
            "name": format!("Verbund {word}"),
            "summary": "Ein Vorhaben der Gesundheitswirtschaft",
            "home_region": region,
            "publication": publication,
            "places": [{"region": region, "city": word, "point": {"lat": 51.0, "lon": 9.0}}],
        });
        let id = make(node, kind, body).await;
        made.push(Made {
            id,
            kind,
            region,
            public: publication == "published",
            word,
        });
    }
    for _ in 0..40 {
        let (from, to) = (
            rng.random_range(0..made.len()),
            rng.random_range(0..made.len()),
        );
        if from == to {
            continue;
        }
        let end = |one: &Made| json!({"kind": one.kind.trim_end_matches('s'), "id": one.id});
        let publication = ["published", "published", "draft"][rng.random_range(0..3)];
        let body = json!({"type": "related_to", "from": end(&made[from]), "to": end(&made[to]), "publication": publication, "home_region": made[from].region});
        // The same pair may be drawn twice.
        let answer = node.post("/v1/relationships").json(&body).await;
        assert!(
            answer.status == 201 || answer.status == 409,
            "{}",
            answer.text
        );
    }
    made
}

story!(nobody_finds_a_trace_of_what_he_may_not_see, async |node| {
    let mut rng = chance();
    let rounds = if full() { 10 } else { 1 };
    for _ in 0..rounds {
        let made = random(node, &mut rng).await;
        let hessen = region(node, "hessen").await;
        let readers: BTreeMap<&str, (Option<String>, Option<&str>)> = BTreeMap::from([
            ("anonymous", (None, None)),
            (
                "reader of hessen",
                (
                    Some(node.token(Role::Reader, Some(hessen)).await),
                    Some("hessen"),
                ),
            ),
            (
                "editor of hessen",
                (
                    Some(node.token(Role::Editor, Some(hessen)).await),
                    Some("hessen"),
                ),
            ),
        ]);
        for (who, (token, region)) in &readers {
            for one in &made {
                let sees = one.public || *region == Some(one.region);
                looks_for(node, who, token.as_deref(), one, sees, &made).await;
            }
            totals_agree(node, who, token.as_deref(), *region, &made).await;
        }
        for one in made {
            let path = format!("/v1/{}/{}", one.kind, one.id);
            let etag = node
                .get(&path)
                .token(&node.admin)
                .await
                .expect(200)
                .etag()
                .to_owned();
            node.delete(&path).if_match(&etag).await.expect(204);
        }
    }
});

async fn region(node: &Node, slug: &str) -> Uuid {
    let region = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    Uuid::parse_str(region.id()).unwrap()
}

async fn ask(node: &Node, token: Option<&str>, path: &str) -> Value {
    let call = node.get(path);
    let call = match token {
        Some(token) => call.token(token),
        None => call,
    };
    call.await.expect(200).json
}

async fn looks_for(
    node: &Node,
    who: &str,
    token: Option<&str>,
    one: &Made,
    sees: bool,
    made: &[Made],
) {
    let word = &one.word;
    // Published records are visible to everyone; others only on request.
    for (query, found) in [
        (
            format!("/v1/search?q={word}&facets=kind,region,home_region,publication"),
            one.public,
        ),
        (
            format!(
                "/v1/search?q={word}&publication=draft,review,archived,published&facets=kind,seat"
            ),
            sees,
        ),
        (format!("/v1/{}?id={}", one.kind, one.id), one.public),
        (
            format!(
                "/v1/{}?id={}&publication=draft,review,archived,published",
                one.kind, one.id
            ),
            sees,
        ),
    ] {
        let page = ask(node, token, &query).await;
        assert_eq!(page["total"] == 1, found, "{who} asks {query}: {page}");
        assert_eq!(
            page.to_string().contains(&one.id),
            found,
            "{who} asks {query}"
        );
        let counted = page["facets"].to_string().contains("\"count\"");
        assert_eq!(
            counted,
            found && query.contains("facets"),
            "{who} asks {query}: {page}"
        );
    }
    let suggested = ask(node, token, &format!("/v1/suggest?q={word}")).await;
    assert_eq!(
        suggested.to_string().contains(&one.id),
        one.public,
        "{who} types {word}"
    );
    if !sees {
        return;
    }
    // No visible record leads to an invisible one.
    let kind = one.kind.trim_end_matches('s');
    for path in [
        format!("/v1/graph?from={kind}/{}&depth=3", one.id),
        format!(
            "/v1/{}/{}/relationships?limit=200&publication=draft,published",
            one.kind, one.id
        ),
        format!("/v1/{}/{}?include=relationships", one.kind, one.id),
    ] {
        let text = ask(node, token, &path).await.to_string();
        for other in made {
            let visible = other.public || (token.is_some() && other.region == "hessen");
            assert!(
                visible || !text.contains(&other.word),
                "{who} sees {} at {path}",
                other.word
            );
        }
    }
}

/// Totals count only the records that the reader sees.
async fn totals_agree(
    node: &Node,
    who: &str,
    token: Option<&str>,
    region: Option<&str>,
    made: &[Made],
) {
    for kind in ["actors", "networks", "projects"] {
        let of_kind = || made.iter().filter(|one| one.kind == kind);
        let public = of_kind().filter(|one| one.public).count();
        let seen = of_kind()
            .filter(|one| one.public || Some(one.region) == region)
            .count();
        let list = ask(node, token, &format!("/v1/{kind}?facets=seat&q=Verbund")).await;
        assert_eq!(list["total"], public, "{who} lists {kind}");
        let any = "publication=draft,review,archived,published";
        let list = ask(node, token, &format!("/v1/{kind}?{any}&q=Verbund")).await;
        assert_eq!(
            list["total"], seen,
            "{who} lists every publication of {kind}"
        );
    }
}
