//! 002: Klinikcluster Ruhr (KCR).

use super::page::Page;
use super::render::{
    around, exactly, figure, follow, items, label, lines, named, other, others, record, text,
    texts, told, topics,
};
use serde_json::{Value, json};
use tests::{Node, story};

const PAGE: &str = include_str!("../../pages/002.txt");
const PROJECT: &str = "projects/klinikcluster-ruhr";

/// `MedEcon Ruhr GmbH (Durchführung)`: the role of those who have one, the kind of network of the
/// others.
async fn participants(node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    for item in around(node, PROJECT, "participates_in").await {
        let who = follow(node, &item, "").await;
        let name = text(&who, "/name");
        let remark = match item["roles"].get(0) {
            Some(role) => Some(label(node, "relationship_role", role).await),
            None => who["summary"].as_str().map(str::to_owned),
        };
        lines.push(remark.map_or(name.to_owned(), |remark| format!("{name} ({remark})")));
    }
    lines
}

async fn breadcrumb(node: &Node, project: &Value) -> String {
    let [region] = exactly(around(node, PROJECT, "serves").await);
    let [acronym] = exactly(named(project, "acronym"));
    format!(
        "{} » {} ({acronym})",
        other(&region),
        text(project, "/name")
    )
}

story!(the_page, Seeded, async |node| {
    let project = record(node, PROJECT).await;
    let mut shown = vec![breadcrumb(node, &project).await];
    let description = lines(text(&project, "/description"));
    let [what_it_is, results @ ..] = &*description else {
        panic!("no description");
    };
    shown.push(what_it_is.clone());
    shown.extend(participants(node).await);
    shown.extend_from_slice(results);
    let mut page = Page::of(PAGE);
    page.shows(&shown);
    assert_eq!(
        page.leftovers(),
        [
            "Regionen »",
            "Javascript is required to view this map.",
            "Akteure:",
        ]
    );
});

story!(its_facts, Seeded, async |node| {
    let project = record(node, PROJECT).await;
    let [goal] = texts(&project, "goals");
    let [technology, management, care] = texts(&project, "focus");
    let [sister] = exactly(around(node, PROJECT, "sister_of").await);
    let sister_path = format!("projects/{}", text(&sister, "/other/id"));
    let [carrier] = exactly(around(node, &sister_path, "participates_in").await);
    let funders = around(node, PROJECT, "funds").await;
    let [eu, land] = others(&funders);

    let mut facts = vec![
        breadcrumb(node, &project).await,
        goal.to_owned(),
        text(&project, "/approach").to_owned(),
        format!("Schwerpunkte liegen im Bereich {technology}, dann im {management} (hier"),
        format!(
            "einem Schwesterprojekt der {} zum {})",
            other(&carrier),
            other(&sister)
        ),
        format!("und in der {care}."),
        format!(
            "Das {} begonnene Vorhaben wird von der {eu} und dem {land} gefördert.",
            text(&project, "/period/from"),
        ),
    ];
    facts.extend(participants(node).await);
    let results = around(node, PROJECT, "resulted_from").await;
    let [teleradiology, stroke_units] = exactly(&results);
    facts.extend(teleradiology_network(node, teleradiology).await);
    facts.extend(stroke_unit_network(node, stroke_units, &project).await);
    facts.push(partnerships(node).await);
    Page::of(PAGE).states(&facts);
});

async fn teleradiology_network(node: &Node, result: &Value) -> Vec<String> {
    let network = follow(node, result, "include=topics").await;
    let path = format!("networks/{}", text(&network, "/slug"));
    let [radiology, imaging, medicine] = exactly(topics(&network));
    let phase = label(node, "network_phase", &network["phase"]).await;
    let members = figure(node, &network, "members").await;
    let classes = around(node, &path, "member_of").await;
    let [hospitals, practices] = others(&classes);
    assert!(members.ends_with(&format!("35 {hospitals} und {practices}")));
    let [purpose] = texts(&network, "activities");
    let [goal] = texts(&network, "goals");
    let [industry] = exactly(around(node, &path, "cooperates_with").await);
    vec![
        format!(
            "{radiology} in Verbindung mit {imaging} und {medicine}: Im {}",
            other(result)
        ),
        format!(
            "Im {} haben sich in einem {phase} {members} zwecks {purpose} zusammengefunden, {goal}.",
            other(result),
        ),
        format!(
            "{} sind im {} involviert.",
            other(&industry),
            text(&industry, "/subject")
        ),
    ]
}

async fn stroke_unit_network(node: &Node, result: &Value, project: &Value) -> Vec<String> {
    let network = follow(node, result, "").await;
    let path = format!("networks/{}", text(&network, "/slug"));
    let [as_stated] = exactly(named(&network, "as_stated"));
    let members = figure(node, &network, "members").await;
    let [region] = exactly(around(node, &path, "serves").await);
    let region = follow(node, &region, "").await;
    let [area, _] = exactly(named(&region, "as_stated"));
    let [solutions, innovations] = items(project, "outcomes");
    let [partners] = exactly(around(node, &path, "cooperates_with").await);
    let [link] = exactly(around(node, &path, "related_to").await);
    let linked = other(&link).trim_end_matches(" Ruhr");
    vec![
        format!("Auf Basis eines {as_stated} werden"),
        format!(
            "{members} des {area}es werden {} generiert",
            text(solutions, "/title")
        ),
        format!(
            "wie auch mit {} an {} ({}) gearbeitet.",
            other(&partners),
            text(innovations, "/title"),
            text(innovations, "/description"),
        ),
        format!("Hierzu gehört auch die Verknüpfung mit dem {linked}."),
    ]
}

/// Names that are only mentioned together with the project.
async fn partnerships(node: &Node) -> String {
    let related = around(node, PROJECT, "related_to").await;
    let [profile, oncology, logistics] = exactly(&related);
    let profile = follow(node, profile, "include=topics").await;
    let [field] = exactly(topics(&profile));
    format!(
        "von der {field} (s. Projekt {}) über {} bis zu {} reicht.",
        text(&profile, "/name"),
        other(oncology),
        other(logistics),
    )
}

story!(its_traps, Seeded, async |node| {
    // „(Durchführung)" is a role, „(Netzwerk der …)" says that the actor is a network.
    let participants = around(node, PROJECT, "participates_in").await;
    let stated: Vec<_> = participants
        .iter()
        .map(|item| (text(item, "/other/kind"), other(item), &item["roles"]))
        .collect();
    assert_eq!(
        stated,
        [
            ("actor", "MedEcon Ruhr GmbH", &json!(["executing"])),
            ("network", "MedEcon Ruhr e.V.", &Value::Null),
            ("network", "BioMedTec Ruhr e.V.", &Value::Null),
            ("network", "BioIndustry e.V.", &Value::Null),
            (
                "actor",
                "Wirtschaftsförderung der metropoleruhr GmbH",
                &Value::Null
            ),
        ]
    );

    // MedEcon Ruhr GmbH and MedEcon Ruhr e.V. are two legal entities.
    let company = follow(node, &participants[0], "").await;
    let association = follow(node, &participants[1], "").await;
    assert_ne!(company["id"], association["id"]);
    assert_eq!(company["legal_form"], "GmbH");
    assert_eq!(association["legal_form"], "e.V.");
    assert_eq!(association["network_type"], "association");

    // It began in 2009; neither an end nor a phase is stated.
    let project = record(node, PROJECT).await;
    assert_eq!(project["period"], json!({"from": "2009"}));
    assert_eq!(project["phases"], Value::Null);

    // PROFILE is mentioned together with the project, nothing more; the two results are linked.
    let results = around(node, PROJECT, "resulted_from").await;
    let [teleradiology, stroke_units] = exactly(&results);
    assert_eq!(other(teleradiology), "Teleradiologieverbund Ruhr");
    let path = format!("networks/{}", text(stroke_units, "/other/id"));
    let [link] = exactly(around(node, &path, "related_to").await);
    assert_eq!(link["other"]["id"], teleradiology["other"]["id"]);
    assert_eq!(told(node, "projects/profile").await, ["1 related_to"]);
    assert_eq!(
        told(node, PROJECT).await,
        [
            "2 funds",
            "5 participates_in",
            "3 related_to",
            "2 resulted_from",
            "1 serves",
            "1 sister_of",
        ]
    );

    // The region has other names too.
    let region = record(node, "regions/gesundheitsmetropole-ruhr").await;
    assert_eq!(named(&region, "short"), ["Ruhr"]);
    assert_eq!(named(&region, "as_stated"), ["Ruhrgebiet", "metropoleruhr"]);

    // Typos stay.
    for typo in [
        "besipielhaft",
        "Gesndheitsversorgung",
        "Mehrer industrielle",
    ] {
        assert!(PAGE.contains(typo));
        assert!(text(&project, "/description").contains(typo), "{typo}");
    }
});
