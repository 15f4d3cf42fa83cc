//! The graph around a record: its content, and what is reported about omissions.

use domain::access::rules::{Caller, Role};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::read::graph::GraphQuery;
use persistence::transaction::WriteOptions;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::settings::{chance, full};
use tests::{Node, story};
use uuid::Uuid;

async fn graph(node: &Node, query: &str) -> Value {
    let path = format!("/v1/graph?{query}");
    node.get(&path).await.expect(200).json
}

fn at(graph: &Value, distance: u64) -> BTreeSet<&str> {
    let vertices = graph["vertices"].as_array().unwrap().iter();
    vertices
        .filter(|vertex| vertex["distance"] == distance)
        .map(|vertex| vertex["slug"].as_str().unwrap())
        .collect()
}

fn edges(graph: &Value) -> BTreeSet<String> {
    let vertices = graph["vertices"].as_array().unwrap();
    let slug = |end: &Value| {
        let known = vertices.iter().find(|vertex| vertex["id"] == end["id"]);
        known.map_or_else(
            || end["as_stated"].as_str().unwrap_or("nowhere").to_owned(),
            |vertex| vertex["slug"].as_str().unwrap().to_owned(),
        )
    };
    let edges = graph["edges"].as_array().unwrap().iter();
    edges
        .map(|edge| {
            let (from, to) = (slug(&edge["from"]), slug(&edge["to"]));
            format!("{from} {} {to}", edge["type"].as_str().unwrap())
        })
        .collect()
}

/// Every edge leads to vertices in the graph, or is an open end.
fn is_whole(graph: &Value) {
    let vertices = graph["vertices"].as_array().unwrap();
    let ids: BTreeSet<&str> = vertices.iter().map(|v| v["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), vertices.len(), "no vertex occurs twice");
    for edge in graph["edges"].as_array().unwrap() {
        let mut known = 0;
        for end in [&edge["from"], &edge["to"]] {
            match end["id"].as_str() {
                Some(id) => {
                    assert!(ids.contains(id), "an edge to nowhere: {edge}");
                    known += 1;
                }
                None => assert!(end["as_stated"].is_string(), "{edge}"),
            }
        }
        assert!(known > 0, "{edge}");
    }
}

story!(around_the_klinikcluster_ruhr, Seeded, async |node| {
    let near = graph(node, "from=project/klinikcluster-ruhr&lang=de").await;
    is_whole(&near);
    assert_eq!(near["truncated"], false);
    assert_eq!(at(&near, 0), BTreeSet::from(["klinikcluster-ruhr"]));
    // The vertices one step away are those in the list of its relationships.
    let list = "/v1/projects/klinikcluster-ruhr/relationships?limit=200";
    let list = node.get(list).await.expect(200).json;
    let items = list["items"].as_array().unwrap();
    let named = items
        .iter()
        .filter_map(|item| item["other"]["slug"].as_str());
    assert_eq!(at(&near, 1), named.collect());
    for slug in [
        "eu",
        "land-nrw",
        "gesundheitsmetropole-ruhr",
        "hospital-engineering",
    ] {
        assert!(at(&near, 1).contains(slug), "{slug}: {near}");
    }
    let drawn = edges(&near);
    assert!(drawn.contains("eu funds klinikcluster-ruhr"), "{drawn:#?}");
    let item = |r#type: &str| {
        let edges = near["edges"].as_array().unwrap();
        edges.iter().find(|edge| edge["type"] == r#type).unwrap()
    };
    assert_eq!(item("funds")["label"], "fördert");
    assert_eq!(item("funds")["symmetric"], false);
    assert_eq!(item("sister_of")["symmetric"], true);
    let executing = near["edges"].as_array().unwrap().iter();
    let executing = executing.filter(|edge| edge["roles"] == json!(["executing"]));
    assert_eq!(executing.count(), 1);

    let far = graph(node, "from=project/klinikcluster-ruhr&depth=2&limit=1000").await;
    is_whole(&far);
    assert_eq!(far["truncated"], false);
    assert_eq!(at(&far, 1), at(&near, 1));
    assert!(
        at(&far, 2).contains("fraunhofer-gesellschaft"),
        "{:?}",
        at(&far, 2)
    );
    assert!(edges(&far).is_superset(&drawn));
});

story!(
    around_the_cluster_gesundheit_nordhessen,
    Seeded,
    async |node| {
        let query = "from=network/cluster-gesundheit-nordhessen";
        let near = graph(node, query).await;
        is_whole(&near);
        let drawn = edges(&near);
        for edge in [
            "regionalmanagement-nordhessen operates cluster-gesundheit-nordhessen",
            "cluster-gesundheit-nordhessen serves nordhessen",
        ] {
            assert!(drawn.contains(edge), "{drawn:#?}");
        }
        // Members of which the page gives only the class are edges to open ends.
        let edges_of = near["edges"].as_array().unwrap();
        let classes = edges_of.iter().filter(|e| e["from"]["class"].is_object());
        assert!(classes.count() >= 3, "{drawn:#?}");
        // Edges between two vertices one step away are included as well.
        let two = graph(node, &format!("{query}&depth=2&limit=1000")).await;
        is_whole(&two);
        assert!(edges(&two).is_superset(&drawn));
        assert!(at(&two, 2).contains("hessen"), "{:?}", at(&two, 2));

        let networks = graph(node, &format!("{query}&kind=network")).await;
        let vertices = networks["vertices"].as_array().unwrap();
        assert!(vertices.len() > 3);
        assert!(vertices.iter().all(|vertex| vertex["kind"] == "network"));
        let parts = graph(node, &format!("{query}&type=part_of,operates")).await;
        let types = parts["edges"].as_array().unwrap().iter();
        let types: BTreeSet<&str> = types.map(|edge| edge["type"].as_str().unwrap()).collect();
        assert_eq!(types, BTreeSet::from(["part_of", "operates"]));
        // A point comes from the region, or from the first place that has one.
        let placed = |graph: &Value| {
            let vertices = graph["vertices"].as_array().unwrap().iter();
            vertices
                .filter(|vertex| vertex["point"]["lat"].is_number())
                .count()
        };
        let id = near["vertices"][0]["id"].as_str().unwrap();
        let path = format!("/v1/networks/{id}");
        let places = json!({"places": [{"city": "Kassel"}, {"city": "Kassel", "point": {"lat": 51.3, "lon": 9.5}}]});
        let before = placed(&near);
        node.patch(&path)
            .if_match("*")
            .json(&places)
            .await
            .expect(200);
        let now = graph(node, query).await;
        assert_eq!(placed(&now), before + 1);
        assert_eq!(
            now["vertices"][0]["point"],
            json!({"lat": 51.3, "lon": 9.5})
        );
    }
);

story!(a_graph_has_a_weak_tag, Seeded, async |node| {
    let path = "/v1/graph?from=network/mo-win-net&lang=en";
    let first = node.get(path).await.expect(200);
    assert!(first.etag().starts_with("W/\""));
    let again = node.get(path).header("if-none-match", first.etag()).await;
    assert_eq!(again.status, 304);
    let german = node.get("/v1/graph?from=network/mo-win-net&lang=de").await;
    assert_ne!(german.etag(), first.etag());
    let preferred = node
        .get("/v1/graph?from=mo-win-net")
        .header("accept-language", "de");
    // The labels; texts are translated only on demand.
    let preferred = preferred.await.json;
    assert_eq!(preferred["edges"], german.json["edges"]);
});

story!(what_makes_no_sense_is_refused, Seeded, async |node| {
    for (query, hint) in [
        ("", "`from` is missing"),
        ("depth=2", "`from` is missing"),
        ("from=mo-win-net&depth=0", "from 1 to 3"),
        ("from=mo-win-net&depth=4", "from 1 to 3"),
        ("from=mo-win-net&limit=0", "from 1 to 1000"),
        ("from=mo-win-net&limit=1001", "from 1 to 1000"),
        ("from=mo-win-net&from=eu", "given once"),
        ("from=mo-win-net&type=funs", "did you mean funds?"),
        ("from=mo-win-net&kind=netwrk", "did you mean network?"),
        ("from=mo-win-net&active_on=gestern", "EDTF"),
        ("from=mo-win-net&certainty=sure", "one of certain, possible"),
        ("from=mo-win-net&lang=fr", "one of de, en"),
    ] {
        let wrong = node.get(&format!("/v1/graph?{query}")).await;
        let wrong = wrong.problem(400, "invalid-parameter");
        let detail = wrong.json["detail"].as_str().unwrap();
        assert!(detail.contains(hint), "{query}: {detail}");
    }
    for from in [
        "",
        "nobody",
        "network/nobody",
        "actor/mo-win-net",
        "relationship/x",
        "%25",
        "/",
    ] {
        let wrong = node.get(&format!("/v1/graph?from={from}")).await;
        wrong.problem(400, "unknown-reference");
    }
    let wrong = node.get("/v1/graph?from=mo-win-net&dept=2").await;
    wrong.problem(400, "unknown-parameter");
});

story!(dates_narrow_the_graph, async |node| {
    let made = Drawn::make(node, 3, &[(0, 1), (0, 2)], |number| match number {
        0 => json!({"valid": {"from": "2009"}}),
        _ => json!({"valid": {"from": "2011", "to": "2012"}}),
    });
    let made = made.await;
    let from = format!("from={}", made.ids[0]);
    let count = async |query: &str| {
        let graph = graph(node, &format!("{from}&{query}")).await;
        is_whole(&graph);
        graph["edges"].as_array().unwrap().len()
    };
    assert_eq!(count("relationships_on=any").await, 2);
    // One has ended.
    assert_eq!(count("").await, 1);
    assert_eq!(count("active_on=2010").await, 1);
    assert_eq!(count("active_on=2008").await, 0);
    assert_eq!(count("active_on=2010&certainty=certain").await, 0);
    assert_eq!(count("active_on=2011-06-01").await, 2);
    let found = graph(node, &format!("{from}&active_on=2010")).await;
    assert_eq!(found["edges"][0]["certainty"], "possible");
    assert_eq!(found["edges"][0]["valid"], json!({"from": "2009"}));
});

story!(what_is_left_out_is_said, async |node| {
    // 0 has four neighbours; two of them are joined; behind one is a sixth.
    let made = [(0, 1), (2, 0), (0, 3), (4, 0), (1, 2), (4, 5)];
    let made = Drawn::make(node, 6, &made, |_| json!({})).await;
    let asked = async |depth: u8, vertices: usize, edges: usize| {
        let query = GraphQuery {
            from: made.ids[0],
            depth,
            types: Vec::new(),
            kinds: Vec::new(),
            on: None,
            max_vertices: vertices,
            max_edges: edges,
        };
        let graph = node
            .store
            .relationships()
            .graph(&Caller::anonymous(), &query)
            .await
            .unwrap();
        (graph.vertices.len(), graph.edges.len(), graph.truncated)
    };
    assert_eq!(asked(1, 1, 9).await, (1, 0, true));
    assert!(asked(1, 4, 9).await.2);
    assert_eq!(asked(1, 5, 9).await, (5, 5, false), "at the cap exactly");
    assert_eq!(asked(1, 6, 9).await, (5, 5, false));
    assert_eq!(asked(2, 5, 9).await, (5, 5, true), "the sixth is left out");
    assert_eq!(asked(2, 6, 9).await, (6, 6, false));
    assert_eq!(asked(3, 6, 9).await, (6, 6, false));
    assert_eq!(asked(3, 7, 9).await, (6, 6, false));
    assert_eq!(asked(2, 6, 6).await, (6, 6, false));
    assert_eq!(asked(2, 6, 5).await, (6, 5, true));
    assert_eq!(asked(2, 6, 7).await, (6, 6, false));
    // The nearest come first, in a stable order.
    let two = graph(node, &format!("from={}&depth=2&limit=3", made.ids[0])).await;
    let ids = two["vertices"].as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|vertex| vertex["id"].as_str().unwrap()).collect();
    let mut nearest: Vec<String> = made.ids[1..5].iter().map(Uuid::to_string).collect();
    nearest.sort();
    assert_eq!(ids[1..], nearest[..2]);
    assert_eq!(two["truncated"], true);
});

struct Drawn {
    ids: Vec<Uuid>,
    drafts: BTreeSet<usize>,
    edges: Vec<Line>,
}

struct Line {
    id: Uuid,
    from: usize,
    to: Option<usize>,
    published: bool,
    r#type: &'static str,
}

impl Drawn {
    async fn make(
        node: &Node,
        count: usize,
        lines: &[(usize, usize)],
        extra: impl Fn(usize) -> Value,
    ) -> Self {
        let mut drawn = Self {
            ids: (0..count).map(|_| domain::base::id::new()).collect(),
            drafts: BTreeSet::new(),
            edges: Vec::new(),
        };
        for (from, to) in lines {
            drawn.edges.push(Line {
                id: domain::base::id::new(),
                from: *from,
                to: Some(*to),
                published: true,
                r#type: "cooperates_with",
            });
        }
        drawn.write(node, extra).await;
        drawn
    }

    fn at_random(chance: &mut StdRng) -> Self {
        let count = chance.random_range(2..14);
        let lines = chance.random_range(0..3 * count);
        let drafts = (0..count).filter(|_| chance.random_bool(0.2)).collect();
        let mut edges: Vec<Line> = Vec::new();
        for _ in 0..lines {
            let from = chance.random_range(0..count);
            let to = chance.random_range(0..count);
            let r#type = ["cooperates_with", "member_of", "same_as"][chance.random_range(0..3)];
            let to = (to != from).then_some(to);
            let same = |line: &Line| {
                let (a, b) = ((line.from, line.to), (from, to));
                line.r#type == r#type && (a == b || (Some(a.0), a.1) == (b.1, Some(b.0)))
            };
            if to.is_none() || !edges.iter().any(same) {
                edges.push(Line {
                    id: domain::base::id::new(),
                    from,
                    to,
                    published: chance.random_bool(0.8),
                    r#type,
                });
            }
        }
        Self {
            ids: (0..count).map(|_| domain::base::id::new()).collect(),
            drafts,
            edges,
        }
    }

    async fn write(&self, node: &Node, extra: impl Fn(usize) -> Value) {
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let publication = |published| if published { "published" } else { "draft" };
        let written = node.store.write(&caller, &options, async |tx| {
            for (number, id) in self.ids.iter().enumerate() {
                let body = json!({
                    "name": format!("Netz {number}"),
                    "slug": format!("netz-{id}"),
                    "home_region": "hessen",
                    "publication": publication(!self.drafts.contains(&number)),
                });
                tx.records().create(Kind::Network, *id, body).await?;
            }
            for (number, line) in self.edges.iter().enumerate() {
                let end = |at: usize| json!({"kind": "network", "id": self.ids[at]});
                let open = || json!({"as_stated": format!("Irgendwer {number}")});
                let mut body = json!({
                    "type": line.r#type,
                    "from": end(line.from),
                    "to": line.to.map_or_else(open, end),
                    "publication": publication(line.published),
                });
                domain::base::json::merge_patch(&mut body, &extra(number));
                tx.records()
                    .create(Kind::Relationship, line.id, body)
                    .await?;
            }
            Ok(())
        });
        written.await.unwrap();
    }

    /// The result of a naive search: distances, and edges.
    fn expected(&self, asked: &Asked) -> (BTreeMap<Uuid, u8>, BTreeSet<Uuid>) {
        let sees = |at: usize| asked.sees_drafts || !self.drafts.contains(&at);
        let counts = |line: &&Line| {
            line.published
                && sees(line.from)
                && line.to.is_none_or(sees)
                && asked.r#type.is_none_or(|wanted| wanted == line.r#type)
        };
        let lines: Vec<&Line> = self.edges.iter().filter(counts).collect();
        let mut distances = BTreeMap::from([(0, 0_u8)]);
        for step in 1..=asked.depth {
            for line in &lines {
                let Some(to) = line.to else { continue };
                for (near, far) in [(line.from, to), (to, line.from)] {
                    if distances.get(&near) == Some(&(step - 1)) {
                        distances.entry(far).or_insert(step);
                    }
                }
            }
        }
        let drawn = lines.iter().filter(|line| match line.to {
            Some(to) => distances.contains_key(&line.from) && distances.contains_key(&to),
            None => distances.get(&line.from).is_some_and(|d| *d < asked.depth),
        });
        let edges = drawn.map(|line| line.id).collect();
        let vertices = distances.iter().map(|(at, d)| (self.ids[*at], *d));
        (vertices.collect(), edges)
    }
}

struct Asked {
    depth: u8,
    sees_drafts: bool,
    r#type: Option<&'static str>,
}

story!(a_graph_is_what_a_search_by_hand_finds, async |node| {
    let mut chance = chance();
    let hessen = node.get("/v1/regions/hessen").await.expect(200);
    let reader = node
        .token(Role::Reader, Some(hessen.id().parse().unwrap()))
        .await;
    for round in 0..if full() { 300 } else { 25 } {
        let mut drawn = Drawn::at_random(&mut chance);
        // The one in the middle is public.
        drawn.drafts.remove(&0);
        drawn.write(node, |_| json!({})).await;
        for depth in 1..=3 {
            for (sees_drafts, r#type) in [
                (false, None),
                (true, None),
                (false, Some("member_of")),
                (true, Some("same_as")),
            ] {
                let asked = Asked {
                    depth,
                    sees_drafts,
                    r#type,
                };
                let narrowed = r#type.map_or_else(String::new, |one| format!("&type={one}"));
                let path = format!("/v1/graph?from={}&depth={depth}{narrowed}", drawn.ids[0]);
                let call = node.get(&path);
                let call = if sees_drafts {
                    call.token(&reader)
                } else {
                    call
                };
                let found = call.await.expect(200).json;
                is_whole(&found);
                assert_eq!(found["truncated"], false);
                let id = |value: &Value| value["id"].as_str().unwrap().parse::<Uuid>().unwrap();
                let vertices = found["vertices"].as_array().unwrap().iter();
                let vertices = vertices.map(|v| {
                    (
                        id(v),
                        u8::try_from(v["distance"].as_u64().unwrap()).unwrap(),
                    )
                });
                let edges = found["edges"].as_array().unwrap();
                let (expected_vertices, expected_edges) = drawn.expected(&asked);
                assert_eq!(
                    vertices.collect::<BTreeMap<_, _>>(),
                    expected_vertices,
                    "{round}: {path}"
                );
                assert_eq!(
                    edges.iter().map(id).collect::<BTreeSet<_>>(),
                    expected_edges,
                    "{round}: {path}"
                );
                assert_eq!(edges.len(), expected_edges.len());
                let drafts = found["vertices"].as_array().unwrap().iter();
                let mut drafts = drafts.filter(|vertex| vertex["publication"] != "published");
                assert!(sees_drafts || drafts.next().is_none());
            }
        }
    }
});

story!(
    a_draft_in_the_middle_is_for_those_who_see_it,
    async |node| {
        let mut drawn = Drawn::at_random(&mut chance());
        drawn.drafts.insert(0);
        drawn.write(node, |_| json!({})).await;
        let path = format!("/v1/graph?from={}/{}", Kind::Network.code(), drawn.ids[0]);
        node.get(&path).await.problem(400, "unknown-reference");
        let seen = node.get(&path).token(&node.admin).await.expect(200).json;
        assert_eq!(seen["vertices"][0]["publication"], "draft");
    }
);
