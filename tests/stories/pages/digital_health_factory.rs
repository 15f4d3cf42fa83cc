//! 004: Digital Health Factory Ruhr, with the timeline of its events.

use super::page::Page;
use super::render::{
    around, exactly, figure, follow, items, label, lines, long_date, named, other, others, record,
    short_date, text, texts, told,
};
use serde_json::{Value, json};
use tests::{Node, story};

const PAGE: &str = include_str!("../../pages/004.txt");
const PROJECT: &str = "projects/digital-health-factory-ruhr";

/// The events of the project, in the order of the page.
async fn events<const N: usize>(node: &Node) -> [Value; N] {
    let mut events = Vec::new();
    for item in around(node, PROJECT, "concerns").await {
        assert_eq!(
            (&item["direction"], &item["other"]["kind"]),
            (&json!("to"), &json!("event"))
        );
        events.push(follow(node, &item, "").await);
    }
    exactly(events)
}

fn date(event: &Value) -> &Value {
    event.get("start").unwrap_or(&event["posted"])
}

/// An entry of the timeline: its date is below it.
fn entry(event: &Value) -> String {
    let [more] = items(event, "links");
    assert_eq!(
        (&more["truncated"], &more["url"]),
        (&json!(true), &Value::Null)
    );
    let [name, summary] = ["/name", "/summary"].map(|member| text(event, member));
    format!(
        "{name} {summary} {} {}",
        text(more, "/title"),
        long_date(date(event))
    )
}

story!(the_page, Seeded, async |node| {
    let project = record(node, PROJECT).await;
    let mut shown = vec![
        text(&project, "/name").to_owned(),
        text(&project, "/tagline").to_owned(),
    ];
    shown.extend(lines(text(&project, "/description")));
    shown.extend(events::<6>(node).await.iter().map(entry));
    let mut page = Page::of(PAGE);
    page.shows(&shown);
    assert_eq!(page.leftovers(), ["Der Verlauf"]);
});

story!(its_facts, Seeded, async |node| {
    let project = record(node, PROJECT).await;
    let [region] = exactly(around(node, PROJECT, "serves").await);
    let region = follow(node, &region, "").await;
    let [area, _] = exactly(named(&region, "as_stated"));
    let [challenge] = texts(&project, "challenges");
    let [goal] = texts(&project, "goals");

    let mut facts = vec![
        text(&project, "/name").to_owned(),
        text(&project, "/tagline").to_owned(),
        format!("im langanhaltenden Strukturwandel des {area}s"),
        challenge.to_owned(),
        goal.to_owned(),
        alliance(node).await,
        workshops(&project),
    ];
    facts.extend(programme(node, &project).await);
    facts.extend(timeline(node).await);
    Page::of(PAGE).states(&facts);
});

async fn alliance(node: &Node) -> String {
    let participants = around(node, PROJECT, "participates_in").await;
    let [.., alliance]: [&Value; 7] = exactly(&participants);
    let path = format!("networks/{}", text(alliance, "/other/id"));
    let members = around(node, &path, "member_of").await;
    let [industry, health, science, municipalities] = others(&members);
    let name = format!("Bündnis von {industry}, {health}, {science} und {municipalities}");
    assert_eq!(other(alliance), name);
    format!("In einem {name} wollen wir")
}

/// The three components, each of which builds on the one before.
fn workshops(project: &Value) -> String {
    let [data, innovation, learning] = items(project, "components").map(|component| {
        let [title, what] = ["/title", "/description"].map(|member| text(component, member));
        format!("{what} („{title}“)")
    });
    format!("Sie dienen {data}, {innovation} sowie {learning}.")
}

async fn programme(node: &Node, project: &Value) -> Vec<String> {
    let [funding] = exactly(around(node, PROJECT, "funds").await);
    let funder = follow(node, &funding, "").await;
    let [acronym] = exactly(named(&funder, "acronym"));
    let [phase] = items(project, "phases");
    let phase = label(node, "project_phase", &phase["phase"]).await;
    let participants = around(node, PROJECT, "participates_in").await;
    let [
        medecon,
        fraunhofer,
        university,
        companies,
        institutes,
        municipalities,
        _,
    ] = others(&participants);
    let [milestone] = items(project, "milestones");
    vec![
        format!(
            "Dazu wird im Rahmen des {acronym}-Programms „{}“ aktuell ein {phase} für",
            text(&funding, "/subject"),
        ),
        format!(
            "{medecon} hat sich hierzu mit dem {fraunhofer} und der {university} und einem großen Kreis von {companies}, {institutes} und {municipalities} zusammengetan, um {}.",
            text(milestone, "/title"),
        ),
        format!("bis zum {} auszuarbeiten.", long_date(&milestone["date"])),
        format!("Gefördert vom {}", other(&funding)),
    ]
}

async fn timeline(node: &Node) -> Vec<String> {
    let [report, bochum, dortmund, local, chronic, kickoff] = events(node).await;
    let [quarter, city] = whereabouts(&bochum);
    let [nordstadt, other_city] = whereabouts(&dortmund);
    let bochum_focus = focus(&bochum);
    let level = record(node, "regions/wattenscheid").await;
    let level = label(node, "region_level", &level["level"]).await;
    let local_count = figure(node, &local, "attendance").await;
    let chronic_count = figure(node, &chronic, "attendance").await;
    let kickoff_count = figure(node, &kickoff, "attendance").await;
    let on = |event: &Value| {
        assert_eq!(event["mode"], "online", "{event:#}");
        event["start"].clone()
    };
    vec![
        format!("{} Trotz", text(&report, "/name")),
        long_date(&report["posted"]),
        format!(
            "{} Schwerpunkt: {bochum_focus} Der {city}er {level} {quarter} gilt",
            text(&bochum, "/name")
        ),
        long_date(&bochum["posted"]),
        format!(
            "{} Schwerpunkt: {} Die {other_city}er {nordstadt} ist",
            text(&dortmund, "/name"),
            focus(&dortmund),
        ),
        long_date(&dortmund["posted"]),
        format!(
            "{} {} {local_count} fanden sich am {} zu diesem virtuellen Workshop",
            text(&local, "/name"),
            focus(&local),
            short_date(&on(&local)),
        ),
        long_date(&local["start"]),
        format!(
            "{} {} Zu diesem Workshop kamen am {} {chronic_count} aus den unterschiedlichen Bereichen online",
            text(&chronic, "/name"),
            focus(&chronic),
            long_date(&on(&chronic)),
        ),
        long_date(&chronic["start"]),
        format!(
            "Am {} wurde eine {} mit insgesamt {kickoff_count} im digitalen Format durchgeführt.",
            short_date(&on(&kickoff)),
            text(&kickoff, "/name"),
        ),
        long_date(&kickoff["start"]),
    ]
}

fn focus(event: &Value) -> &str {
    let [focus] = texts(event, "focus");
    focus
}

fn whereabouts(event: &Value) -> [&str; 2] {
    let [place] = items(event, "places");
    ["/quarter", "/city"].map(|member| text(place, member))
}

story!(its_traps, Seeded, async |node| {
    // Which of the two is „Die MedEcon Ruhr"? The page does not say.
    let participants = around(node, PROJECT, "participates_in").await;
    assert_eq!(
        participants[0]["from"],
        json!({"as_stated": "Die MedEcon Ruhr"})
    );
    for supporter in &participants[3..6] {
        assert_eq!(supporter["roles"], json!(["supporter"]));
        assert_eq!(supporter["other"]["id"], Value::Null);
    }

    // In the timeline the date follows its entry, newest first.
    let events = events::<6>(node).await;
    let timeline = events.each_ref().map(|event| {
        let [name, day] = [&event["name"], date(event)].map(|value| value.as_str().unwrap());
        (day, name)
    });
    assert_eq!(
        timeline,
        [
            ("2021-04-18", "Ergebnisse der beiden lokalen Workshops"),
            ("2021-03-18", "Lokaler Workshop Bochum Wattenscheid"),
            ("2021-03-15", "Lokaler Workshop Dortmunder Nordstadt"),
            ("2021-01-27", "Regionaler Workshop Digital Local Care"),
            ("2021-01-21", "Regionaler Workshop Digital Chronic Care"),
            ("2020-11-04", "Auftaktveranstaltung"),
        ]
    );
    assert!(timeline.is_sorted_by(|newer, older| newer.0 > older.0));

    // The day on which an entry was posted is not the day of the event.
    let [posted @ .., _, _, _] = &events;
    for event in posted {
        for member in ["start", "end", "mode", "figures"] {
            assert_eq!(event[member], Value::Null, "{member}: {event:#}");
        }
    }
    for event in &events[3..] {
        assert_eq!(event["posted"], Value::Null, "{event:#}");
        assert_eq!(event["mode"], "online", "{event:#}");
    }

    // The programme's name is the subject of the funding, the funder is the ministry.
    let [funding] = exactly(around(node, PROJECT, "funds").await);
    assert_eq!(
        text(&funding, "/other/slug"),
        "bundesministerium-fuer-bildung-und-forschung"
    );

    // The relationships of the factory on the page, and no more.
    assert_eq!(
        told(node, PROJECT).await,
        ["6 concerns", "1 funds", "7 participates_in", "1 serves"]
    );

    // A plan of 2021 stays a plan, and the factory a concept.
    let project = record(node, PROJECT).await;
    assert_eq!(project["phases"], json!([{"phase": "concept"}]));
    assert_eq!(project["milestones"][0]["date"], "2021-05-31");
    assert_eq!(project["milestones"][0]["state"], "planned");
    assert_eq!(project["period"], Value::Null);
});
