//! 001: Clustermanagement, and the Cluster Gesundheitswirtschaft NRW that it manages.

use super::page::Page;
use super::render::{
    around, exactly, figure, follow, genitive, items, label, lines, lower_first, named, other,
    others, record, text, texts, told, topics,
};
use serde_json::{Value, json};
use tests::{Node, story};

const PAGE: &str = include_str!("../../pages/001.txt");
const UNIT: &str = "actors/clustermanagement";
const CLUSTER: &str = "networks/cluster-gesundheitswirtschaft-nrw";

/// The cluster, found as the one that the unit manages.
async fn cluster(node: &Node) -> Value {
    let [manages] = exactly(around(node, UNIT, "operates").await);
    assert_eq!(manages["roles"], json!(["management"]));
    follow(node, &manages, "include=topics").await
}

story!(the_page, Seeded, async |node| {
    let unit = record(node, UNIT).await;
    let cluster = cluster(node).await;
    let [map] = items(&unit, "media");
    assert_eq!(map["type"], "map");
    let mut shown = vec![
        text(&unit, "/name").to_owned(),
        text(map, "/alt").to_owned(),
        format!(
            "{} (Quelle: {})",
            text(map, "/caption"),
            text(map, "/credit")
        ),
    ];
    for described in [&unit, &cluster] {
        shown.extend(lines(text(described, "/description")));
    }
    let mut page = Page::of(PAGE);
    page.shows(&shown);
    assert_eq!(page.leftovers(), ["Hauptinhaltsbereich"]);
});

story!(its_facts, Seeded, async |node| {
    let unit = record(node, UNIT).await;
    let [parent] = exactly(around(node, UNIT, "part_of").await);
    let [state, abroad] = exactly(around(node, UNIT, "serves").await);
    let land = follow(node, &state, "").await;
    assert_eq!(land["level"], "state");
    let [connects] = texts(&unit, "audiences");
    let [regions, networks] = exactly(around(node, UNIT, "related_to").await);
    let recognised = figure(node, &unit, "health_regions").await;
    assert_eq!(figure(node, &regions, "health_regions").await, recognised);
    let [strategy] = items(&unit, "links");

    let mut facts = vec![
        format!("Das {} im {} ist", text(&unit, "/name"), other(&parent)),
        format!("ist landesweiter und {}er Ansprechpartner", other(&abroad)),
        format!(
            "Entwicklungsvorhaben der Gesundheitswirtschaft in {}",
            other(&state)
        ),
        format!("vernetzt dazu die {connects}."),
        format!(
            "auf die {} und die regionale Expertise der {recognised} zurück",
            other(&networks)
        ),
        format!("in der {} definiert ist.", text(strategy, "/title")),
    ];
    facts.extend(value_chain(node, &cluster(node).await).await);
    Page::of(PAGE).states(&facts);
});

async fn value_chain(node: &Node, cluster: &Value) -> Vec<String> {
    let [short] = exactly(named(cluster, "short"));
    let classes = around(node, CLUSTER, "member_of").await;
    let [institutions, companies, actors] = others(&classes);
    let [inner, middle, outer] = items(cluster, "value_chain");
    let inner = label(node, "value_chain", inner).await;
    let middle = label(node, "value_chain", middle).await;
    let outer = label(node, "value_chain", outer).await;
    let [_, care, pharmacy, research, technology, nutrition, leisure] = exactly(topics(cluster));
    let [care, pharmacy, nutrition] = [care, pharmacy, nutrition].map(lower_first);
    vec![
        format!("Das {short} umfasst sämtliche {institutions}, {companies} sowie {actors},"),
        format!("Den {inner} bildet die {care}."),
        format!("in den {middle}, wie die {pharmacy}, {research} und {technology}, sowie"),
        format!("sowie weitere {outer}e, wie {nutrition}, {leisure}."),
        format!(
            "Diese große Bandbreite des {}",
            genitive(text(cluster, "/name"))
        ),
    ]
}

story!(its_traps, Seeded, async |node| {
    // The page does not name the parent of the unit.
    let [parent] = exactly(around(node, UNIT, "part_of").await);
    let open = json!({"kind": "actor", "as_stated": "Fachbereich Gesundheitswirtschaft"});
    assert_eq!(
        (&parent["direction"], &parent["to"]),
        (&json!("from"), &open)
    );

    // It works for the whole state and beyond it.
    let served = around(node, UNIT, "serves").await;
    assert_eq!(others(&served), ["Nordrhein-Westfalen", "international"]);
    assert_eq!(served[1]["other"]["id"], Value::Null);

    // Six health regions are recognised, none is named: only a class and a count.
    let [regions, networks] = exactly(around(node, UNIT, "related_to").await);
    assert_eq!(
        regions["to"]["class"],
        json!({"kind": "region", "level": "health_region"})
    );
    assert_eq!(networks["to"]["class"], json!({"kind": "network"}));
    let [count] = items(&regions, "figures");
    assert_eq!(
        (&count["value"], &count["qualifier"]),
        (&json!(6), &json!("exact"))
    );

    // The relationships on the page, and no more.
    let unit = told(node, UNIT).await;
    assert_eq!(
        unit,
        ["1 operates", "1 part_of", "2 related_to", "2 serves"]
    );
    let cluster = told(node, CLUSTER).await;
    assert_eq!(cluster, ["3 member_of", "1 operates", "1 serves"]);

    // The map does not belong to the page, and the link to the strategy has no target.
    let unit = record(node, UNIT).await;
    assert_eq!(unit["media"][0]["url"], Value::Null);
    assert_eq!(unit["links"][0]["url"], Value::Null);
});
