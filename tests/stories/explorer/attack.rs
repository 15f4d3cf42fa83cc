//! What visitors type, and what hostile partners feed, neither breaks a page nor leads away from it.

use super::{is_sound, visit};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::call::encoded;
use tests::tables::record;
use tests::{Node, story};

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
        .says("Diesen Eintrag gibt es nicht mehr")
        .says("Der Eintrag wurde gelöscht.")
        .never_says("tombstone");
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

story!(links_lead_to_what_they_say, Seeded, async |node| {
    node.settled().await;
    // What newsletters append to a link.
    for path in [
        "/?utm_source=brief&fbclid=1",
        "/networks/mo-win-net?fbclid=1",
        "/en/networks?network_type=cluster&utm_medium=mail",
    ] {
        visit(node, path).await.expect(200);
    }
    let slash = visit(node, "/en/networks/").await.expect(308);
    assert_eq!(slash.header("location"), "/en/networks");
    for path in [
        "//evil.example/",
        "/en//evil.example/",
        "/%5Cevil.example/",
        "/..//evil.example/",
    ] {
        let page = visit(node, path).await;
        assert_eq!((page.status, page.header("location")), (404, ""), "{path}");
    }
    // A filter in words, whether or not the list has its value.
    let page = visit(node, "/networks?network_type=alliance&q=gibtesnicht").await;
    page.expect(200).says("<strong>Bündnis");
    let regions = visit(node, "/regions").await.expect(200);
    let next = regions.links();
    let next = next.iter().find(|link| link.contains("cursor=")).unwrap();
    let second = visit(node, next).await.expect(200);
    let json = second.links();
    let json = json
        .iter()
        .find(|link| link.starts_with("/v1/regions?"))
        .unwrap();
    node.get(json).anonymous().await.expect(200);
    // As many records as the page of data counts for an origin.
    let data = visit(node, "/data").await.expect(200);
    let links = data.links();
    let origin = links
        .iter()
        .find(|link| link.contains("origin=verbund"))
        .unwrap();
    let counted = data
        .text
        .split("<code>verbund</code></a>: ")
        .nth(1)
        .unwrap();
    let counted = counted.split(' ').next().unwrap();
    visit(node, origin)
        .await
        .expect(200)
        .says(&format!(">{counted} Einträge<"));
    visit(node, "/topics/telemedizin")
        .await
        .expect(200)
        .says(">Digital Health</a>");
});
