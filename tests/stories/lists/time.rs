//! Standing relationships mean now: lists, facets, trees, search, graph and `include` count those
//! that may hold today, unless a day is asked for.

use super::{all, ids, make, page};
use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use domain::kinds::relationship::on::{HoldsOn, RelationshipsOn};
use domain::value::edtf::Period;
use persistence::Store;
use persistence::jobs::BackgroundJobs;
use persistence::search::filter::{Condition, Filter, Test};
use persistence::search::{IndexPlace, ListQuery, Order, Search, Sort};
use rand::Rng as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tests::node::settled;
use tests::settings::chance;
use tests::{Node, story};
use uuid::Uuid;

type End<'a> = (&'a str, &'a str);

/// Relates two records, each with its kind.
async fn relate(node: &Node, r#type: &str, from: End<'_>, to: End<'_>, period: Value) -> String {
    let end = |(kind, id)| json!({"kind": kind, "id": id});
    let mut body = json!({"type": r#type, "from": end(from), "to": end(to)});
    if period != json!({}) {
        body["valid"] = period;
    }
    body["home_region"] = json!("hessen");
    make(node, "relationships", body).await
}

/// A network with a member who never said when, one since 2010, one until 2015 and one to come.
struct Members {
    network: String,
    undated: String,
    since: String,
    left: String,
    coming: String,
}

impl Members {
    async fn make(node: &Node) -> Self {
        let network = make(node, "networks", json!({"name": "Gezeitenbund"})).await;
        let mut actors = Vec::new();
        for (name, period) in [
            ("Klinik Immerda", json!({})),
            ("Klinik Seitzehn", json!({"from": "2010"})),
            ("Klinik Fortgang", json!({"from": "2010", "to": "2015"})),
            ("Klinik Morgen", json!({"from": "2999"})),
        ] {
            let actor = make(
                node,
                "actors",
                json!({"name": name, "categories": ["hospital"]}),
            )
            .await;
            relate(
                node,
                "member_of",
                ("actor", &actor),
                ("network", &network),
                period,
            )
            .await;
            actors.push(actor);
        }
        let [undated, since, left, coming] = actors.try_into().unwrap();
        Self {
            network,
            undated,
            since,
            left,
            coming,
        }
    }

    fn all(&self) -> BTreeSet<String> {
        [&self.undated, &self.since, &self.left, &self.coming]
            .map(Clone::clone)
            .into()
    }

    fn today(&self) -> BTreeSet<String> {
        [&self.undated, &self.since].map(Clone::clone).into()
    }

    fn in_2012(&self) -> BTreeSet<String> {
        [&self.undated, &self.since, &self.left]
            .map(Clone::clone)
            .into()
    }
}

async fn found(node: &Node, path: &str) -> BTreeSet<String> {
    let page = page(node, path).await;
    let found: BTreeSet<String> = ids(&page).into_iter().collect();
    assert_eq!(page["total"], found.len(), "{path}");
    found
}

story!(who_has_left_is_no_member, Seeded, async |node| {
    let members = Members::make(node).await;
    let of = format!("actors?member_of={}", members.network);
    let on = async |day: &str| found(node, &format!("{of}&relationships_on={day}")).await;
    assert_eq!(found(node, &of).await, members.today());
    assert_eq!(on("any").await, members.all());
    assert_eq!(on("2012").await, members.in_2012());
    assert_eq!(on("2015-12-31").await, members.in_2012());
    assert_eq!(on("2016-01-01").await, members.today());
    let certain = on("2012&certainty=certain").await;
    assert_eq!(certain, [members.left.clone()].into());
    // The other side, and both at once.
    let back = format!("networks?has_member={}", members.left);
    assert_eq!(found(node, &back).await, BTreeSet::new());
    let back = format!("{back}&relationships_on=2012");
    assert_eq!(found(node, &back).await, [members.network.clone()].into());
    // Facets and items are of the same records.
    let facets = page(node, &format!("{of}&facets=category&limit=1")).await;
    assert_eq!(facets["total"], 2);
    assert_eq!(facets["facets"]["category"][0]["count"], 2, "{facets}");
    // The name of a network finds its members.
    let search = "search?q=Gezeitenbund&kind=actor";
    assert_eq!(found(node, search).await, members.today());
    let search = format!("{search}&relationships_on=any");
    assert_eq!(found(node, &search).await, members.all());
    // What is exported with a filter.
    let export = format!(
        "/v1/export?format=ndjson&kind=actor&member_of={}",
        members.network
    );
    let lines = async |path: &str| node.get(path).await.expect(200).text.lines().count();
    assert_eq!(lines(&export).await, 2);
    assert_eq!(lines(&format!("{export}&relationships_on=any")).await, 4);
    let wrong = node.get(&format!("/v1/{of}&relationships_on=heute")).await;
    let wrong = wrong.problem(400, "invalid-parameter");
    let detail = wrong.json["detail"].as_str().unwrap();
    assert!(detail.contains("`any` or an EDTF date"), "{detail}");
});

story!(graphs_and_includes_are_of_today, Seeded, async |node| {
    let members = Members::make(node).await;
    let graph = async |more: &str| {
        let path = format!("/v1/graph?from={}{more}", members.network);
        let graph = node.get(&path).await.expect(200).json;
        graph["edges"].as_array().unwrap().len()
    };
    assert_eq!(graph("").await, 2);
    assert_eq!(graph("&relationships_on=any").await, 4);
    assert_eq!(graph("&relationships_on=2012").await, 3);
    assert_eq!(graph("&active_on=2012").await, 3);
    let included = async |more: &str| {
        let path = format!(
            "/v1/networks/{}?include=relationships{more}",
            members.network
        );
        let record = node.get(&path).await.expect(200).json;
        let relationships = record["included"]["relationship"].as_object();
        relationships.map_or(0, serde_json::Map::len)
    };
    assert_eq!(included("").await, 2);
    assert_eq!(included("&relationships_on=any").await, 4);
});

story!(
    lists_of_relationships_tell_the_past_too,
    Seeded,
    async |node| {
        let members = Members::make(node).await;
        let list = format!("networks/{}/relationships", members.network);
        let items = all(node, &list).await;
        let mut active: Vec<_> = items.iter().map(|item| &item["hit"]["active"]).collect();
        active.sort_by_key(ToString::to_string);
        assert_eq!(active, ["no", "no", "possible", "possible"]);
        let then = all(node, &format!("{list}?active_on=2012")).await;
        assert_eq!(then.len(), 3);
        for item in &then {
            assert_eq!(item["hit"]["active"], item["hit"]["certainty"], "{item}");
        }
    }
);

story!(areas_of_work_and_parts_end, Seeded, async |node| {
    let past = json!({"from": "2001", "to": "2005"});
    let region = async |name: &str| make(node, "regions", json!({"name": name})).await;
    let (whole, part) = (region("Gezeitenland").await, region("Gezeitentor").await);
    relate(
        node,
        "part_of",
        ("region", &part),
        ("region", &whole),
        past.clone(),
    )
    .await;
    let network = make(node, "networks", json!({"name": "Küstenwache"})).await;
    relate(
        node,
        "serves",
        ("network", &network),
        ("region", &part),
        json!({}),
    )
    .await;
    let former = make(node, "networks", json!({"name": "Altwache"})).await;
    relate(
        node,
        "serves",
        ("network", &former),
        ("region", &part),
        past.clone(),
    )
    .await;
    // Twice at the same place, once still.
    let back = make(node, "networks", json!({"name": "Rückkehr"})).await;
    relate(node, "serves", ("network", &back), ("region", &part), past).await;
    relate(
        node,
        "serves",
        ("network", &back),
        ("region", &part),
        json!({"from": "2020"}),
    )
    .await;

    for parameter in ["serves", "region"] {
        for (region, on, expected) in [
            (&part, "", vec![&network, &back]),
            (
                &part,
                "&relationships_on=2003",
                vec![&network, &former, &back],
            ),
            (
                &part,
                "&relationships_on=any",
                vec![&network, &former, &back],
            ),
            (&whole, "", vec![]),
            (
                &whole,
                "&relationships_on=2003",
                vec![&network, &former, &back],
            ),
        ] {
            let path = format!("networks?{parameter}={region}{on}");
            let expected = expected.into_iter().cloned().collect();
            assert_eq!(found(node, &path).await, expected, "{path}");
        }
        // The facet counts what the filter finds.
        let facet = async |of: &str, on: &str| {
            let path = format!("networks?facets={parameter}&limit=1&q=wache{on}");
            let page = page(node, &path).await;
            let values = page["facets"][parameter].as_array().unwrap().clone();
            let value = values.into_iter().find(|value| value["value"] == of);
            value.map_or(0, |value| value["count"].as_u64().unwrap())
        };
        assert_eq!(facet(&part, "").await, 1);
        assert_eq!(facet(&part, "&relationships_on=2003").await, 2);
        assert_eq!(facet(&whole, "").await, 0);
        assert_eq!(facet(&whole, "&relationships_on=2003").await, 2);
    }
});

story!(other_relationships_mean_any_time, Seeded, async |node| {
    let project = make(node, "projects", json!({"name": "Ebbe und Flut"})).await;
    let funder = make(node, "actors", json!({"name": "Stiftung Damals"})).await;
    let past = json!({"from": "2001", "to": "2005"});
    relate(
        node,
        "funds",
        ("actor", &funder),
        ("project", &project),
        past,
    )
    .await;
    let path = format!("actors?funds={project}");
    assert_eq!(found(node, &path).await, [funder.clone()].into());
    let later = format!("{path}&relationships_on=2016");
    assert_eq!(found(node, &later).await, BTreeSet::new());
    let then = format!("{path}&relationships_on=2003");
    assert_eq!(found(node, &then).await, [funder].into());
});

story!(drafts_keep_their_days, Seeded, async |node| {
    let network = make(node, "networks", json!({"name": "Entwurfsbund"})).await;
    let actor = json!({"name": "Klinik Entwurf", "publication": "draft"});
    let actor = make(node, "actors", actor).await;
    relate(
        node,
        "member_of",
        ("actor", &actor),
        ("network", &network),
        json!({"to": "2015"}),
    )
    .await;
    let path = format!("/v1/actors?member_of={network}&publication=draft");
    let total = async |more: &str| {
        let page = node.get(&format!("{path}{more}")).token(&node.admin).await;
        let page = page.expect(200);
        page.json["total"].as_u64().unwrap()
    };
    assert_eq!(total("").await, 0);
    assert_eq!(total("&relationships_on=2014").await, 1);
    assert_eq!(total("&relationships_on=any").await, 1);
});

fn members_of(network: Uuid, on: Option<RelationshipsOn>) -> ListQuery {
    ListQuery {
        filter: Filter {
            kinds: vec![Kind::Actor],
            conditions: vec![Condition {
                parameter: "member_of".to_owned(),
                any: vec![Test::Related {
                    code: "member_of",
                    role: None,
                    other: network,
                    below: true,
                }],
            }],
            relationships_on: on,
            ..Filter::default()
        },
        order: Order {
            sort: Sort::Name,
            descending: false,
        },
        near: None,
        limit: 1,
        cursor: None,
        facets: Vec::new(),
        text: String::new(),
    }
}

story!(
    a_list_changes_at_midnight_without_a_write,
    Seeded,
    async |node| {
        let network = make(node, "networks", json!({"name": "Mitternachtsbund"})).await;
        for (name, period) in [
            ("Aachen", json!({"to": "2026-06-30"})),
            ("Bochum", json!({"to": "2026-06-30"})),
            ("Celle", json!({"from": "2026-07-01"})),
        ] {
            let actor = make(node, "actors", json!({"name": name})).await;
            relate(
                node,
                "member_of",
                ("actor", &actor),
                ("network", &network),
                period,
            )
            .await;
        }
        let network = Uuid::try_parse(&network).unwrap();
        let evening: DateTime<Utc> = "2026-06-30T21:59:59Z".parse().unwrap();
        let time = Arc::new(AtomicI64::new(evening.timestamp_micros()));
        let clock = Clock::fixed(time.clone());
        let store = Store::open(&node.database_url, None, clock).await.unwrap();
        let search = Search::new(store.clone(), IndexPlace::Memory);
        let background = BackgroundJobs::none().with(&store, search.consumer());
        settled(&store, &background).await;
        let mut query = members_of(network, None);
        let page = async |query: &ListQuery| {
            let page = search.list(&Caller::anonymous(), query).await.unwrap();
            let names = page.hits.iter().map(|hit| hit.row.name.clone().unwrap());
            (names.collect::<Vec<_>>(), page.total, page.next)
        };
        let (names, total, next) = page(&query).await;
        assert_eq!((names, total), (vec!["Aachen".to_owned()], 2));
        // Midnight in Berlin.
        time.fetch_add(1_000_000, Ordering::SeqCst);
        let (names, total, _) = page(&query).await;
        assert_eq!((names, total), (vec!["Celle".to_owned()], 1));
        // Who began to page yesterday sees the list of yesterday to its end.
        query.cursor = next;
        let (names, total, _) = page(&query).await;
        assert_eq!((names, total), (vec!["Bochum".to_owned()], 2));
        background.stop().await;
    }
);

/// A date as people state them, between 2000 and 2020.
fn some_date(chance: &mut impl rand::Rng) -> String {
    let year = chance.random_range(2000..=2020);
    let (month, day) = (chance.random_range(1..=12), chance.random_range(1..=28));
    let date = match chance.random_range(0..3) {
        0 => format!("{year}"),
        1 => format!("{year}-{month:02}"),
        _ => format!("{year}-{month:02}-{day:02}"),
    };
    let qualifier = ["", "", "", "~", "?", "%"][chance.random_range(0..6)];
    format!("{date}{qualifier}")
}

/// A period that does not end before it begins.
fn some_period(chance: &mut impl rand::Rng) -> Value {
    loop {
        let mut period = json!({});
        for (member, open) in [("from", false), ("to", true)] {
            match chance.random_range(0..8) {
                0..=4 => period[member] = json!(some_date(chance)),
                5 if open => period[member] = json!(".."),
                _ => {}
            }
        }
        let read: Period = serde_json::from_value(period.clone()).unwrap();
        if period == json!({}) || read.check().is_ok() {
            return period;
        }
    }
}

story!(
    the_index_agrees_with_reading_every_relationship,
    Seeded,
    async |node| {
        let mut chance = chance();
        let network = make(node, "networks", json!({"name": "Zufallsbund"})).await;
        let mut stated: Vec<(String, Period)> = Vec::new();
        for number in 0..25 {
            let actor = json!({"name": format!("Zufall {number}")});
            let actor = make(node, "actors", actor).await;
            for role in ["member", "chair"].iter().take(chance.random_range(1..=2)) {
                let period = some_period(&mut chance);
                let mut body = json!({
                    "type": "member_of", "from": {"kind": "actor", "id": actor}, "to": {"kind": "network", "id": network},
                    "roles": [role], "home_region": "hessen",
                });
                if period != json!({}) {
                    body["valid"] = period.clone();
                }
                make(node, "relationships", body).await;
                stated.push((actor.clone(), serde_json::from_value(period).unwrap()));
            }
        }
        for _ in 0..60 {
            let (date, certain) = (some_date(&mut chance), chance.random_bool(0.3));
            let holds = HoldsOn {
                date: date.parse().unwrap(),
                certain,
            };
            let expected = stated
                .iter()
                .filter(|(_, period)| holds.includes(&period.bounds(None)));
            let expected: BTreeSet<String> = expected.map(|(actor, _)| actor.clone()).collect();
            let date = date.replace('%', "%25");
            let certainty = if certain { "&certainty=certain" } else { "" };
            let path =
                format!("actors?limit=200&member_of={network}&relationships_on={date}{certainty}");
            assert_eq!(found(node, &path).await, expected, "{path}");
        }
        // Each standing type, and no other, is one of today.
        let today = RelationshipsOn::Today(node.store.clock().today());
        let standing = RelationshipType::ALL.iter();
        let standing = standing.filter(|one| today.of(Some(one.rule())).is_some());
        let standing: Vec<&str> = standing.map(|one| one.code()).collect();
        let known = [
            "member_of",
            "operates",
            "part_of",
            "serves",
            "cooperates_with",
        ];
        assert_eq!(standing, known);
    }
);
