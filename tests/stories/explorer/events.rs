//! The calendar, and the times of events.

use super::{publish, visit};
use serde_json::json;
use tests::story;

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

story!(a_record_has_its_next_events, async |node| {
    let host = publish(node, "actors", json!({"name": "Gastgeber"})).await;
    let alone = publish(node, "actors", json!({"name": "Ohne Termine"})).await;
    for (name, start) in [
        ("Später", "2099-02-01"),
        ("Bald", "2099-01-01"),
        ("Vorbei", "2001-01-01"),
    ] {
        let places = json!([{"region": "hessen"}]);
        let event = json!({"name": name, "start": start, "places": places});
        let event = publish(node, "events", event).await;
        let involved = json!({
            "type": "involved_in",
            "from": {"kind": "actor", "id": host},
            "to": {"kind": "event", "id": event},
        });
        publish(node, "relationships", involved).await;
    }
    let draft = json!({"name": "Entwurf", "start": "2099-01-02", "publication": "draft"});
    publish(node, "events", draft).await;
    node.settled().await;
    let page = visit(node, "/actors/gastgeber").await.expect(200);
    let next = page.part("id=\"events\"");
    assert!(next.find("Bald") < next.find("Später"), "{next}");
    assert!(!next.contains("Vorbei") && !next.contains("Entwurf"));
    let address = format!("/v1/actors/{host}/events.ics?lang=de");
    assert!(page.links().contains(&address), "{:?}", page.links());
    let none = visit(node, "/actors/ohne-termine").await.expect(200);
    none.never_says("Veranstaltungen abonnieren");
    assert!(!none.text.contains("id=\"events\""), "{alone}");
    // A region has those that take place in it.
    let region = visit(node, "/en/regions/hessen").await.expect(200);
    let next = region.part("id=\"events\"");
    assert!(next.contains("Bald") && !next.contains("Entwurf"), "{next}");
    let links = region.links();
    let calendar = |one: &String| one.starts_with("/en/calendar?region=");
    assert!(links.iter().any(calendar), "{links:?}");
});
