//! Filters and orders by begin and end: who joined, who left, what is on, what ends.

use super::{make, names, page};
use serde_json::{Value, json};
use tests::{Node, story};

/// The names of a list in its order.
async fn named(node: &Node, path: &str) -> Vec<String> {
    let page = page(node, path).await;
    let names: Vec<String> = names(&page).into_iter().map(str::to_owned).collect();
    assert_eq!(page["total"], names.len(), "{path}");
    names
}

story!(events_are_on_from_start_to_end, Seeded, async |node| {
    for (name, dates) in [
        (
            "Kongress",
            json!({"start": "2126-11-28", "end": "2126-12-02"}),
        ),
        ("Abend", json!({"start": "2126-11-30T19:00:00+01:00"})),
        ("Irgendwann", json!({"start": "2126"})),
        ("Bericht", json!({"posted": "2126-11-30"})),
        (
            "Danach",
            json!({"start": "2126-12-03", "end": "2126-12-04"}),
        ),
    ] {
        let mut event = json!({"name": name, "event_type": "workshop"});
        let members = event.as_object_mut().unwrap();
        members.extend(dates.as_object().unwrap().clone());
        make(node, "events", event).await;
    }
    let events = async |query: &str| named(node, &format!("events?{query}")).await;
    let on = events("active_on=2126-11-30&sort=start").await;
    assert_eq!(on, ["Irgendwann", "Kongress", "Abend"]);
    let on = events("active_on=2126-11-30&certainty=certain&sort=start").await;
    assert_eq!(on, ["Kongress", "Abend"]);
    let december = "start_from=2126-12-01&start_to=2126-12-31&certainty=certain";
    assert_eq!(events(december).await, ["Danach"]);
    let ending = "end_from=2126-12&end_to=2126-12&certainty=certain&sort=end";
    assert_eq!(events(ending).await, ["Kongress", "Danach"]);
    let ending = "end_from=2126-12&end_to=2126-12&certainty=certain&sort=-end";
    assert_eq!(events(ending).await, ["Danach", "Kongress"]);
    let certainty = page(node, "events?active_on=2126-11-30&sort=start").await;
    let certainty: Vec<&Value> = certainty["items"].as_array().unwrap().iter().collect();
    assert_eq!(certainty[0]["hit"]["certainty"], "possible");
    assert_eq!(certainty[1]["hit"]["certainty"], "certain");
});

story!(projects_end_as_their_phases_say, Seeded, async |node| {
    for (name, dates) in [
        ("Läuft", json!({"period": {"from": "2125", "to": "2127"}})),
        (
            "Vorbei",
            json!({"phases": [
                {"phase": "running", "valid": {"from": "2120"}},
                {"phase": "completed", "valid": {"from": "2126-03"}},
            ]}),
        ),
        ("Fertig", json!({"phases": [{"phase": "completed"}]})),
    ] {
        let mut project = json!({"name": name, "tagline": "Zeitläufte"});
        let members = project.as_object_mut().unwrap();
        members.extend(dates.as_object().unwrap().clone());
        make(node, "projects", project).await;
    }
    let projects = async |query: &str| {
        named(
            node,
            &format!("projects?q=Zeitl%C3%A4ufte&sort=name&{query}"),
        )
        .await
    };
    assert_eq!(projects("active_on=2126-12").await, ["Läuft"]);
    assert_eq!(
        projects("active_on=2126-03&certainty=certain").await,
        ["Läuft"]
    );
    assert_eq!(projects("active_on=2126-03").await, ["Läuft", "Vorbei"]);
    assert_eq!(projects("end_from=2126&end_to=2126").await, ["Vorbei"]);
    assert_eq!(projects("start_from=2120&start_to=2120").await, ["Vorbei"]);
});

story!(bodies_are_founded_and_dissolved, Seeded, async |node| {
    for kind in ["actors", "networks"] {
        for (name, dates) in [
            ("Alt", json!({"founded": "1995", "dissolved": "2016-05"})),
            ("Jung", json!({"founded": "2015-07-01"})),
            ("Zweifel", json!({"founded": "2014~"})),
            ("Zeitlos", json!({})),
        ] {
            let mut body = json!({"name": name, "summary": "Lebenslinie"});
            let members = body.as_object_mut().unwrap();
            members.extend(dates.as_object().unwrap().clone());
            make(node, kind, body).await;
        }
        let bodies =
            async |query: &str| named(node, &format!("{kind}?q=Lebenslinie&{query}")).await;
        let since = "founded_from=2015&sort=founded";
        assert_eq!(bodies(since).await, ["Zweifel", "Jung"]);
        let since = "founded_from=2015&certainty=certain&sort=founded";
        assert_eq!(bodies(since).await, ["Jung"]);
        assert_eq!(
            bodies("dissolved_from=2016&dissolved_to=2016").await,
            ["Alt"]
        );
        let newest = ["Jung", "Zweifel", "Alt", "Zeitlos"];
        assert_eq!(bodies("sort=-founded").await, newest);
        let refused = node.get(&format!("/v1/{kind}?start_from=2015")).await;
        refused.problem(400, "unknown-parameter");
    }
});

story!(who_joined_and_who_left, Seeded, async |node| {
    let network = make(node, "networks", json!({"name": "Wechselbund"})).await;
    for (name, period) in [
        ("Beitritt", json!({"from": "2016-03", "to": ".."})),
        ("Beitritt um", json!({"from": "2015~"})),
        ("Lange her", json!({"from": "2001?", "to": "2004?"})),
        ("Austritt", json!({"from": "2010", "to": "2021-06-30"})),
        ("Ungesagt", json!({})),
    ] {
        let actor = make(node, "actors", json!({"name": name})).await;
        let mut body = json!({
            "type": "member_of", "from": {"kind": "actor", "id": actor}, "to": {"kind": "network", "id": network},
            "home_region": "hessen",
        });
        if period != json!({}) {
            body["valid"] = period;
        }
        make(node, "relationships", body).await;
    }
    let around = async |query: &str| {
        let path = format!("networks/{network}/relationships?{query}");
        let page = page(node, &path).await;
        let items = page["items"].as_array().unwrap().iter();
        let names = items.map(|item| item["other"]["name"].as_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        assert_eq!(page["total"], names.len(), "{path}");
        names
    };
    let joined = "start_from=2016&start_to=2016";
    assert_eq!(around(joined).await, ["Beitritt", "Beitritt um"]);
    let joined = "start_from=2016&start_to=2016&certainty=certain";
    assert_eq!(around(joined).await, ["Beitritt"]);
    assert_eq!(around("end_from=2020").await, ["Austritt"]);
    assert_eq!(
        around("end_from=2020&certainty=certain").await,
        ["Austritt"]
    );
    assert_eq!(around("end_to=2009").await, ["Lange her"]);
    let everywhere = format!("relationships?to={network}&start_from=2016&start_to=2016");
    assert_eq!(page(node, &everywhere).await["total"], 2);
});
