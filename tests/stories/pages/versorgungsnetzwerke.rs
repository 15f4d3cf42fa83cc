//! 003: Sektorübergreifende Versorgungsnetzwerke, a topic with one project.

use super::page::Page;
use super::render::{
    around, exactly, figure, items, lines, named, other, others, record, text, texts, told, topics,
};
use serde_json::{Value, json};
use tests::{Node, story};

const PAGE: &str = include_str!("../../pages/003.txt");
const TOPIC: &str = "topics/sektoruebergreifende-versorgungsnetzwerke";
const PROJECT: &str = "projects/kommunale-versorgungskompetenzen-staerken";

story!(the_page, Seeded, async |node| {
    let topic = record(node, TOPIC).await;
    let project = record(node, &format!("{PROJECT}?include=topics")).await;
    assert_eq!(topics(&project)[0], topic["name"]);
    let mut shown = vec![text(&topic, "/name").to_owned()];
    shown.extend(lines(text(&topic, "/description")));
    shown.push(format!("• {}", text(&project, "/name")));
    shown.extend(lines(text(&project, "/description")));
    let mut page = Page::of(PAGE);
    page.shows(&shown);
    assert_eq!(page.leftovers(), [""; 0]);
});

story!(its_facts, Seeded, async |node| {
    let mut facts = definition(node).await;
    facts.extend(project(node).await);
    Page::of(PAGE).states(&facts);
});

async fn definition(node: &Node) -> Vec<String> {
    let topic = record(node, TOPIC).await;
    let [strengthen, obstacles, exchange] = texts(&topic, "goals");
    let [sectors, professions, science] = texts(&topic, "audiences");
    let related = around(node, TOPIC, "related_to").await;
    let [
        hospital,
        doctor,
        care,
        therapy,
        pharmacy,
        supply,
        more,
        universities,
        research,
        municipal,
    ] = others(&related);
    vec![
        text(&topic, "/name").to_owned(),
        strengthen.to_owned(),
        format!("sondern beziehen auch {sectors} aktiv mit ein."),
        format!("also etwa zwischen {hospital} und {doctor}."),
        format!(
            "die Zusammenarbeit mit {care}, {therapy}, {pharmacy}, {supply} und {more} mit ein."
        ),
        format!("{professions} mit ein."),
        format!("Ebenso wichtig sind {universities}, {research} und {municipal}, die"),
        format!("{science}, die als Teil der Gesundheitswirtschaft"),
        format!("Wir setzen uns dafür ein, {obstacles} – und {exchange}."),
    ]
}

async fn project(node: &Node) -> Vec<String> {
    let project = record(node, PROJECT).await;
    let [demography, rural] = texts(&project, "challenges");
    let [goal] = texts(&project, "goals");
    let [doctors, nurses, therapists] = texts(&project, "focus");
    let [workshops] = exactly(around(node, PROJECT, "concerns").await);
    let participants = around(node, PROJECT, "participates_in").await;
    let [municipal, providers, citizens] = others(&participants);
    let [advice, marketing, solutions] = items(&project, "outcomes");
    let [municipalities, interested] = texts(&project, "audiences");
    let count = figure(node, solutions, "solutions").await;
    let platform = record(
        node,
        &format!("networks/{}", text(solutions, "/available_at/id")),
    )
    .await;
    let [region] = exactly(around(node, PROJECT, "serves").await);
    vec![
        format!("• {}", text(&project, "/name")),
        demography.to_owned(),
        rural.to_owned(),
        goal.to_owned(),
        format!("in den Bereichen {doctors}, {nurses} und {therapists}."),
        text(&project, "/approach").to_owned(),
        format!(
            "In {} wurden gemeinsam mit {municipal}, {providers} und {citizens} {} und {} entwickelt",
            other(&workshops),
            text(advice, "/title"),
            text(marketing, "/title"),
        ),
        format!("Insgesamt wurden {} entwickelt", text(solutions, "/title")),
        format!("{count} für {municipalities} entwickelt"),
        format!("für Kommunen (des {}es) entwickelt", other(&region)),
        format!(
            "die {interested} auf der dazugehörigen {} zur Verfügung stehen.",
            text(&platform, "/name"),
        ),
    ]
}

story!(its_traps, Seeded, async |node| {
    // The page describes the project in the past tense, without any date.
    let project = record(node, PROJECT).await;
    assert_eq!(project["phases"], json!([{"phase": "completed"}]));
    assert_eq!(project["period"], Value::Null);
    assert_eq!(project["milestones"], Value::Null);

    // The solutions are for municipalities; how many over 60 there are is not stated.
    let solutions = &project["outcomes"][2];
    assert_eq!(solutions["audiences"], json!(["municipality"]));
    let count = &solutions["figures"][0];
    assert_eq!(
        (&count["value"], &count["qualifier"]),
        (&json!(60), &json!("more_than"))
    );

    // The platform is of the „Gesundheitsregion Münsterland", which is the region's name there.
    let region = record(node, "regions/muensterland").await;
    assert_eq!(
        named(&region, "as_stated"),
        ["Gesundheitsregion Münsterland"]
    );

    // The relationships on the page, and no more.
    assert_eq!(told(node, TOPIC).await, ["10 related_to"]);
    assert_eq!(
        told(node, PROJECT).await,
        [
            "1 concerns",
            "3 participates_in",
            "1 related_to",
            "1 serves"
        ]
    );

    // Participants are classes, including gender colons.
    for item in around(node, PROJECT, "participates_in").await {
        assert_eq!(item["other"]["id"], Value::Null, "{item:#}");
    }
    let topic = record(node, TOPIC).await;
    for (described, words) in [
        (&topic, ["Akteur:innen", "Hausärzt:in", "Therapeut:innen"]),
        (
            &project,
            [
                "kommunalen Akteur:innen",
                "qualitativ hochwertige & stabile",
                "Akteur:innen aus",
            ],
        ),
    ] {
        for word in words {
            assert!(text(described, "/description").contains(word), "{word}");
        }
    }
});
