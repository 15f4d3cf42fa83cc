//! Events as calendars. That other programs read them is checked by `tests/formats`.

use super::publish;
use domain::access::rules::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{Answer, Node, story};

/// The entries of a calendar, by id: their lines by name, without parameters.
fn entries(answer: &Answer) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let text = answer.text.replace("\r\n ", "");
    for entry in text.split("BEGIN:VEVENT\r\n").skip(1) {
        let (entry, _) = entry.split_once("END:VEVENT").unwrap();
        let lines = entry.lines().map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let lines: BTreeMap<String, String> = lines.collect();
        let id = lines["UID"].split('@').next().unwrap().to_owned();
        assert!(found.insert(id, lines).is_none(), "twice: {entry}");
    }
    found
}

async fn calendar(node: &Node, path: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    node.settled().await;
    let answer = node.get(path).await.expect(200);
    let media_type = "text/calendar; charset=utf-8; method=PUBLISH";
    assert_eq!(answer.header("content-type"), media_type);
    assert!(
        answer.text.starts_with("BEGIN:VCALENDAR\r\n"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.ends_with("END:VCALENDAR\r\n"),
        "{}",
        answer.text
    );
    entries(&answer)
}

async fn event(node: &Node, body: Value) -> String {
    publish(node, "events", body).await.id().to_owned()
}

story!(a_postponed_event_leaves_the_day_that_it_had, async |node| {
    let id = event(
        node,
        json!({"name": "Tagung", "start": "2031-05-01", "end": "2031-05-02"}),
    )
    .await;
    let path = format!("/v1/events/{id}");
    let postpone = node.patch(&path).if_match("\"1\"");
    let body = json!({"status": "postponed", "start": null, "end": null});
    postpone.json(&body).await.expect(200);
    for list in ["/v1/events.ics", &format!("{path}.ics")] {
        let entry = calendar(node, list).await.remove(&id).unwrap();
        assert_eq!(entry["STATUS"], "CANCELLED");
        assert_eq!(entry["SEQUENCE"], "1");
        assert_eq!(entry["COMMENT"], "Postponed\\; there is no new date yet.");
        assert_eq!(entry["DTSTART;VALUE=DATE"], "20310501");
        assert_eq!(entry["DTEND;VALUE=DATE"], "20310503");
    }
    let again = node.patch(&path).if_match("\"2\"");
    again
        .json(&json!({"start": "2032-05-01"}))
        .await
        .expect(200);
    let entry = calendar(node, "/v1/events.ics").await.remove(&id).unwrap();
    assert_eq!(entry["STATUS"], "TENTATIVE");
    assert_eq!(entry["DTSTART;VALUE=DATE"], "20320501");

    // The day of a draft was never public.
    let body = json!({"name": "Geheim", "start": "2031-07-01", "publication": "draft"});
    let id = event(node, body).await;
    let body = json!({"status": "postponed", "start": null, "publication": "published"});
    let publish = node.patch(&format!("/v1/events/{id}")).if_match("\"1\"");
    publish.json(&body).await.expect(200);
    assert!(!calendar(node, "/v1/events.ics").await.contains_key(&id));
});

story!(a_calendar_has_what_its_list_has, async |node| {
    let plain = event(
        node,
        json!({"name": "Workshop", "start": "2031-05-01", "event_type": "workshop"}),
    )
    .await;
    let online = event(node, json!({"name": "Online", "start": "2031-05-02T09:00:00+02:00", "mode": "online", "language": "de", "translations": {"en": {"name": "On the web"}}})).await;
    let draft = event(
        node,
        json!({"name": "Entwurf", "start": "2031-05-03", "publication": "draft"}),
    )
    .await;
    let old = event(node, json!({"name": "Früher", "start": "2015-05-03"})).await;
    let all = calendar(node, "/v1/events.ics").await;
    assert!(all.contains_key(&plain) && all.contains_key(&online));
    assert!(!all.contains_key(&draft) && !all.contains_key(&old));
    let filtered = calendar(node, "/v1/events.ics?event_type=workshop&start_from=2031").await;
    assert_eq!(
        filtered.into_keys().collect::<Vec<_>>(),
        std::slice::from_ref(&plain)
    );
    let past = calendar(node, "/v1/events.ics?start_to=2016").await;
    assert_eq!(past.into_keys().collect::<Vec<_>>(), [old]);
    let english = calendar(node, "/v1/events.ics?mode=online&lang=en").await;
    assert_eq!(english[&online]["SUMMARY"], "On the web");
    assert_eq!(english[&online]["X-VERBUND-CHANGED"], "TRUE");
    assert_eq!(english[&online]["DTSTART"], "20310502T070000Z");
    let german = calendar(node, "/v1/events.ics?mode=online&lang=de").await;
    assert_eq!(german[&online]["SUMMARY"], "Online");
    assert!(!german[&online].contains_key("X-VERBUND-CHANGED"));

    // Editors see drafts in their list only if they ask for them; so in the calendar.
    let editor = node.token(Role::Editor, None).await;
    node.settled().await;
    let drafts = node
        .get("/v1/events.ics?publication=draft")
        .token(&editor)
        .await;
    assert!(entries(&drafts.expect(200)).contains_key(&draft));
    node.get(&format!("/v1/events/{draft}.ics"))
        .await
        .problem(404, "not-found");

    for wrong in ["limit=5", "cursor=abc", "sort=name", "facets=mode"] {
        let refused = node.get(&format!("/v1/events.ics?{wrong}")).await;
        refused.problem(400, "invalid-parameter");
    }
    node.get("/v1/events.ics?strat_from=2020")
        .await
        .problem(400, "unknown-parameter");
    node.get("/v1/networks.ics").await.problem(404, "not-found");
});

story!(what_is_no_entry_is_no_calendar_either, async |node| {
    for body in [
        json!({"name": "Bericht", "start": "2031-05-01", "event_type": "report"}),
        json!({"name": "Im Mai", "start": "2031-05"}),
        json!({"name": "Gemeldet", "posted": "2031-05-01"}),
    ] {
        let id = event(node, body).await;
        for path in [format!("{id}.ics"), format!("{id}?format=ics")] {
            let refused = node.get(&format!("/v1/events/{path}")).await;
            refused.problem(404, "not-found");
        }
        node.get(&format!("/v1/events/{id}")).await.expect(200);
    }
    // A calendar has a component, even without events (RFC 5545, 3.6).
    node.settled().await;
    let empty = node.get("/v1/events.ics?start_from=2099").await.expect(200);
    assert!(entries(&empty).is_empty());
    let zone = "BEGIN:VTIMEZONE\r\nTZID:UTC\r\n";
    assert!(empty.text.contains(zone), "{}", empty.text);
});

story!(the_events_of_a_record_are_a_calendar, async |node| {
    let network = publish(node, "networks", json!({"name": "Netz"})).await;
    let id = event(node, json!({"name": "Treffen", "start": "2031-05-01"})).await;
    let far = event(node, json!({"name": "Anderswo", "start": "2031-05-01", "home_region": "bayern", "places": [{"region": "bayern"}]})).await;
    for relationship in [
        json!({"type": "involved_in", "from": {"kind": "network", "id": network.id()}, "to": {"kind": "event", "id": id}, "roles": ["organiser"]}),
        json!({"type": "part_of", "from": {"kind": "event", "id": id}, "to": {"kind": "event", "id": far}}),
    ] {
        publish(node, "relationships", relationship).await;
    }
    let of = async |path: &str| -> Vec<String> {
        let calendar = calendar(node, &format!("/v1/{path}/events.ics")).await;
        calendar.into_keys().collect()
    };
    assert_eq!(
        of(&format!("networks/{}", network.id())).await,
        std::slice::from_ref(&id)
    );
    assert_eq!(
        of(&format!("events/{far}")).await,
        std::slice::from_ref(&id)
    );
    assert_eq!(of("regions/bayern").await, [far]);
    let page = node.get(&format!("/v1/networks/{}/events", network.id()));
    let page = page.await.expect(200);
    assert_eq!(page.json["total"], 1);
    assert_eq!(page.json["items"][0]["id"], id);
    let filtered = format!("/v1/networks/{}/events?mode=online", network.id());
    assert_eq!(node.get(&filtered).await.expect(200).json["total"], 0);
    node.get("/v1/networks/nirgendwo/events.ics")
        .await
        .problem(404, "not-found");
});

story!(a_subscriber_is_told_that_nothing_changed, async |node| {
    event(node, json!({"name": "Treffen", "start": "2031-05-01"})).await;
    node.settled().await;
    let first = node.get("/v1/events.ics").await.expect(200);
    let etag = first.etag().to_owned();
    let known = node.get("/v1/events.ics").header("if-none-match", &etag);
    assert!(known.clone().await.expect(304).text.is_empty());
    event(node, json!({"name": "Noch eins", "start": "2031-05-01"})).await;
    node.settled().await;
    assert_ne!(known.await.expect(200).etag(), etag);
});

story!(a_large_calendar_is_streamed_whole, async |node| {
    let lines: Vec<String> = (0..1200)
        .map(|n| {
            json!({"kind": "event", "name": format!("Termin {n}"), "start": "2031-05-01", "home_region": "hessen", "publication": "published"})
                .to_string()
        })
        .collect();
    let import = node
        .post("/v1/import")
        .body("application/x-ndjson", lines.join("\n"));
    import.await.expect(200);
    assert_eq!(calendar(node, "/v1/events.ics").await.len(), 1200);
});
