//! Lists and changes as Atom feeds. That other programs read them is checked by `tests/formats`.

use super::publish;
use serde_json::json;
use tests::{Answer, Intake, Neighbour, Node, story};

async fn feed(node: &Node, path: &str) -> Answer {
    node.settled().await;
    let answer = node.get(path).await.expect(200);
    assert_eq!(
        answer.header("content-type"),
        "application/atom+xml; charset=utf-8"
    );
    assert!(answer.text.ends_with("</feed>"), "{}", answer.text);
    answer
}

/// The address in a link of the feed.
fn link<'a>(feed: &'a Answer, rel: &str) -> Option<&'a str> {
    let begin = format!("<link rel=\"{rel}\" href=\"");
    let (_, rest) = feed.text.split_once(&begin)?;
    rest.split('"').next()
}

fn count(feed: &Answer, what: &str) -> usize {
    feed.text.matches(what).count()
}

story!(a_list_is_a_feed_with_pages, async |node| {
    for number in 0..60 {
        publish(
            node,
            "topics",
            json!({"name": format!("Thema {number} <&>")}),
        )
        .await;
    }
    let first = feed(node, "/v1/topics.atom").await;
    assert_eq!(count(&first, "<entry"), 50);
    assert!(
        first.text.contains("<title>Thema 59 &lt;&amp;&gt;</title>"),
        "{}",
        first.text
    );
    assert_eq!(
        link(&first, "self"),
        Some(format!("{}/v1/topics.atom", node.base).as_str())
    );
    let next = link(&first, "next").unwrap().replace("&amp;", "&");
    let second = feed(node, next.strip_prefix(&node.base).unwrap()).await;
    assert!(count(&second, "<entry") >= 10);
    assert!(!second.text.contains("Thema 59 "));
    assert_eq!(link(&second, "first"), link(&first, "self"));

    // By `Accept` the next page needs no header either.
    let page = node
        .get("/v1/topics?limit=3")
        .header("accept", "application/atom+xml");
    let page = page.await.expect(200);
    assert_eq!(count(&page, "<entry"), 3);
    let next = link(&page, "next").unwrap().replace("&amp;", "&");
    let next = feed(node, next.strip_prefix(&node.base).unwrap()).await;
    assert_eq!(count(&next, "<entry"), 3);
    let etag = page.etag().to_owned();
    let known = node
        .get("/v1/topics?limit=3")
        .header("accept", "application/atom+xml");
    known.header("if-none-match", &etag).await.expect(304);
});

story!(a_copy_is_in_a_feed_when_it_arrives, async |node| {
    let body = json!({"name": "Fern"});
    let far = publish(node, "networks", body).await.id().to_owned();
    let here = Neighbour::start(node.backend, "hier").await;
    // It is younger than the copy, but was here before.
    let body = json!({"name": "Eigen"});
    let own = publish(&here, "networks", body).await.id().to_owned();
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    intake.pull().await;
    let list = feed(&here, "/v1/networks.atom").await;
    let at = |id: &str| list.text.find(&format!("<id>urn:uuid:{id}</id>")).unwrap();
    assert!(at(&far) < at(&own), "{}", list.text);
    let entries = list.text.split("<entry").skip(1);
    let times: Vec<&str> = entries
        .map(|entry| {
            let (_, rest) = entry.split_once("<updated>").unwrap();
            rest.split('<').next().unwrap()
        })
        .collect();
    let mut sorted = times.clone();
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(times, sorted);
    here.stop().await;
});

story!(deletions_are_only_in_the_feed_of_changes, async |node| {
    let body = json!({"name": "Öffentlich", "summary": "Ein Text"});
    let shown = publish(node, "networks", body).await.id().to_owned();
    let body = json!({"name": "Entwurf", "publication": "draft"});
    let draft = publish(node, "networks", body).await.id().to_owned();
    let changes = "/v1/changes.atom?kind=network";
    let before = feed(node, changes).await;
    assert!(before.text.contains(&shown) && !before.text.contains(&draft));
    let updated = node.get(&format!("/v1/networks/{shown}")).await.expect(200);
    let updated = updated.json["updated_at"].as_str().unwrap().to_owned();
    assert!(
        before
            .text
            .contains(&format!("<updated>{updated}</updated>")),
        "{}",
        before.text
    );

    for id in [&shown, &draft] {
        let path = format!("/v1/networks/{id}");
        node.delete(&path).if_match("\"1\"").await.expect(204);
    }
    let after = feed(node, changes).await;
    assert_eq!(count(&after, "<at:deleted-entry"), 1);
    assert!(
        after
            .text
            .contains(&format!("<at:deleted-entry ref=\"urn:uuid:{shown}\""))
    );
    assert!(!after.text.contains(&draft) && !after.text.contains("Ein Text"));
    let list = feed(node, "/v1/networks.atom").await;
    assert!(!list.text.contains("deleted-entry"));
});

story!(
    what_is_withdrawn_or_moves_is_deleted_for_its_readers,
    async |node| {
        let region = async |slug: &str| {
            let region = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
            region.id().to_owned()
        };
        let (hessen, bayern) = (region("hessen").await, region("bayern").await);
        let id = publish(node, "networks", json!({"name": "Netz"}))
            .await
            .id()
            .to_owned();
        let path = format!("/v1/networks/{id}");
        let move_it = node.patch(&path).if_match("\"1\"");
        move_it
            .json(&json!({"home_region": "bayern"}))
            .await
            .expect(200);
        let of = async |home: &str| {
            let path = format!("/v1/changes.atom?kind=network&home_region={home}");
            feed(node, &path).await
        };
        assert_eq!(count(&of(&hessen).await, "<at:deleted-entry"), 1);
        assert_eq!(count(&of(&bayern).await, "<entry"), 1);
        let withdraw = node.patch(&path).if_match("\"2\"");
        withdraw
            .json(&json!({"publication": "draft"}))
            .await
            .expect(200);
        node.delete(&path).if_match("\"3\"").await.expect(204);
        let changes = feed(node, "/v1/changes.atom?kind=network").await;
        assert_eq!(
            (
                count(&changes, "<entry"),
                count(&changes, "<at:deleted-entry")
            ),
            (0, 1)
        );
        assert_eq!(count(&of(&hessen).await, "<at:deleted-entry"), 1);
    }
);

story!(the_feed_of_changes_has_every_record_once, async |node| {
    let id = publish(node, "networks", json!({"name": "Netz"}))
        .await
        .id()
        .to_owned();
    let path = format!("/v1/networks/{id}");
    let change = node.patch(&path).if_match("\"1\"");
    change.json(&json!({"summary": "Neu"})).await.expect(200);
    let (mut next, mut ids) = (Some("/v1/changes.atom".to_owned()), Vec::new());
    while let Some(path) = next {
        let page = feed(node, &path).await;
        let mut found = page.text.split("<id>urn:uuid:").skip(2);
        ids.extend(
            found
                .by_ref()
                .map(|rest| rest.get(..36).unwrap().to_owned()),
        );
        next = link(&page, "next").map(|next| {
            let path = next.strip_prefix(&node.base).unwrap();
            path.replace("&amp;", "&")
        });
    }
    assert_eq!(ids[0], id);
    let total = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), total);
    assert!(total > 100, "{total}");
    node.get("/v1/changes.atom?cursor=abc")
        .await
        .problem(400, "invalid-cursor");
});
