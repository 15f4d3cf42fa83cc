use domain::base::json::merge_patch;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use futures::FutureExt;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::Rng;
use serde_json::{Value, json};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use tests::audit::audit;
use tests::database::ORIGIN;
use tests::settings::{chance, full, tell};
use tests::{Node, story};

/// Tests a property with values of a strategy; a counterexample is shrunk first.
pub(crate) async fn for_all<S: Strategy>(
    cases: u32,
    strategy: S,
    property: impl AsyncFn(u32, S::Value),
) {
    let seed: [u8; 32] = chance().random();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let attempts = std::cell::Cell::new(0);
    let holds = async |value| {
        attempts.set(attempts.get() + 1);
        let trial = AssertUnwindSafe(property(attempts.get(), value));
        trial.catch_unwind().await
    };
    let cases = if full() { cases * 20 } else { cases };
    for _ in 0..cases {
        let mut tree = strategy.new_tree(&mut runner).unwrap();
        if let Err(panic) = holds(tree.current()).await {
            let panic = smallest(&mut tree, panic, holds).await;
            std::panic::resume_unwind(panic);
        }
    }
}

type Panic = Box<dyn Any + Send>;

async fn smallest<T: ValueTree>(
    tree: &mut T,
    mut panic: Panic,
    holds: impl AsyncFn(T::Value) -> Result<(), Panic>,
) -> Panic {
    let mut smallest = format!("{:?}", tree.current());
    let mut goes_on = tree.simplify();
    while goes_on {
        let value = tree.current();
        let shown = format!("{value:?}");
        goes_on = match holds(value).await {
            Ok(()) => tree.complicate(),
            Err(smaller) => {
                (panic, smallest) = (smaller, shown);
                tree.simplify()
            }
        };
    }
    tell(&format!("the smallest value that breaks it: {smallest}"));
    panic
}

#[derive(Debug, Clone, Copy)]
enum By {
    Id,
    Slug,
    KindAndId,
    KindAndSlug,
    KindAndKey,
}

const ALL: [By; 5] = [
    By::Id,
    By::Slug,
    By::KindAndId,
    By::KindAndSlug,
    By::KindAndKey,
];
const ENDS: [By; 3] = [By::KindAndId, By::KindAndSlug, By::KindAndKey];

impl By {
    fn name(self, record: &Value) -> Value {
        let kind = &record["kind"];
        match self {
            Self::Id => record["id"].clone(),
            Self::Slug => record["slug"].clone(),
            Self::KindAndId => json!({"kind": kind, "id": record["id"]}),
            Self::KindAndSlug => json!({"kind": kind, "slug": record["slug"]}),
            Self::KindAndKey => json!({"kind": kind, "external_id": record["external_id"]}),
        }
    }
}

/// Records of a kind that have a key in the seed pages.
async fn some(node: &Node, plural: &str, slugs: &[&str]) -> Vec<Value> {
    let mut records = Vec::new();
    for slug in slugs {
        let read = node.get(&format!("/v1/{plural}/{slug}")).await.expect(200);
        assert!(read.json["external_id"].is_object());
        records.push(read.json);
    }
    records
}

story!(a_record_may_be_named_in_any_way, Seeded, async |node| {
    let regions = ["nordhessen", "gesundheitsmetropole-ruhr", "bochum"];
    let regions = some(node, "regions", &regions).await;
    let topics = ["mobilitaet", "bioanalytik", "thrombektomie"];
    let topics = some(node, "topics", &topics).await;
    let networks = ["cluster-gesundheit-nordhessen", "mo-win-net"];
    let networks = some(node, "networks", &networks).await;
    let strategy = (
        (select(regions.clone()), select(&ALL[..])),
        (select(regions), select(&ALL[..])),
        subsequence(topics, 0..=3),
        prop::collection::vec(select(&ALL[..]), 3),
        (select(networks), select(&ENDS[..]), select(&ENDS[..])),
    );
    for_all(
        48,
        strategy,
        async |case, (home, seat, topics, ways, ends)| {
            let named: Vec<_> = topics
                .iter()
                .zip(&ways)
                .map(|(topic, by)| by.name(topic))
                .collect();
            let body = json!({
                "name": format!("Genannt {case}"),
                "home_region": home.1.name(&home.0),
                "places": [{"region": seat.1.name(&seat.0)}],
                "topics": named,
                "external_id": {"system": "cms", "id": case.to_string()},
            });
            let made = node.post("/v1/networks").json(&body).await.expect(201).json;
            assert_eq!(made["home_region"], home.0["id"]);
            assert_eq!(made["places"][0]["region"], seat.0["id"]);
            let ids: Vec<_> = topics.iter().map(|topic| topic["id"].clone()).collect();
            assert_eq!(
                made.get("topics"),
                (!ids.is_empty()).then(|| json!(ids)).as_ref()
            );

            let (other, from, to) = ends;
            let body =
                json!({"type": "member_of", "from": from.name(&made), "to": to.name(&other)});
            let edge = node.post("/v1/relationships").json(&body).await;
            let edge = edge.expect(201).json;
            assert_eq!(edge["from"], json!({"kind": "network", "id": made["id"]}));
            assert_eq!(edge["to"], json!({"kind": "network", "id": other["id"]}));
        },
    )
    .await;
});

/// A merge patch for a network, of members that may be present, changed or removed.
fn patch() -> impl Strategy<Value = Value> {
    let text = "[A-Za-zäöüß„“ ]{0,12}[a-z]".prop_map(Value::from);
    let lines = prop::collection::vec("[A-Za-z]{1,8}", 0..3).prop_map(Value::from);
    let nothing = Just(Value::Null);
    let words = prop_oneof![3 => text.clone(), 1 => nothing.clone()];
    let joining = prop_oneof![
        nothing.clone(),
        (any::<Option<bool>>(), words.clone())
            .prop_map(|(open, how)| json!({"open": open, "how": how})),
        lines.clone().prop_map(|lines| json!({"benefits": lines})),
    ];
    let member = prop_oneof![
        words.clone().prop_map(|it| ("summary", it)),
        text.clone().prop_map(|it| ("name", it)),
        prop_oneof![lines.clone(), nothing.clone()].prop_map(|it| ("challenges", it)),
        lines.prop_map(|it| ("goals", it)),
        joining.prop_map(|it| ("joining", it)),
        select(vec![
            json!("idea"),
            json!("running"),
            json!("unsinn"),
            json!(null)
        ])
        .prop_map(|it| ("phase", it)),
        words
            .clone()
            .prop_map(|it| ("translations", json!({"en": {"summary": it}}))),
        (words, any::<bool>()).prop_map(|(it, all)| {
            let names = json!({"value": it, "type": "short"});
            ("names", if all { json!([names]) } else { json!([]) })
        }),
        select(vec![json!("published"), json!("review"), json!(null)])
            .prop_map(|it| ("publication", it)),
        select(vec![json!("hessen"), json!("nirgendwo"), json!(null)])
            .prop_map(|it| ("home_region", it)),
        select(vec![json!(17), json!(null)]).prop_map(|it| ("version", it)),
        select(vec![json!("2021"), json!("2021-13"), json!(null)]).prop_map(|it| ("founded", it)),
        Just(("sumary", json!("vertippt"))),
    ];
    prop::collection::vec(member, 0..6).prop_map(|members| {
        let members = members.into_iter().map(|(name, it)| (name.to_owned(), it));
        Value::Object(members.collect())
    })
}

story!(a_patch_is_read_merge_and_put, async |node| {
    let patches = prop::collection::vec(patch(), 1..4);
    for_all(40, patches, async |case, patches| {
        let mut pair = Vec::new();
        for way in ["patch", "put"] {
            let slug = format!("{way}-{case}");
            let body = json!({"name": "Gleich", "slug": slug, "home_region": "hessen"});
            pair.push(node.post("/v1/networks").json(&body).await.expect(201));
        }
        for patch in patches {
            let path = pair[0].json["id"].as_str().unwrap();
            let patched = node.patch(&format!("/v1/networks/{path}"));
            let patched = patched.if_match(pair[0].etag()).json(&patch).await;

            let path = format!("/v1/networks/{}", pair[1].id());
            let read = node.get(&path).token(&node.admin).await.expect(200);
            let mut whole = read.json.clone();
            merge_patch(&mut whole, &patch);
            let put = node.put(&path).if_match(read.etag()).json(&whole).await;

            assert_eq!(patched.status, put.status, "{} {}", patched.text, put.text);
            if patched.status == 200 {
                assert_eq!(patched.etag(), put.etag());
                assert_eq!(content(&patched.json), content(&put.json));
                pair = vec![patched, put];
            } else {
                assert_eq!(patched.faults(), put.faults());
            }
        }
    })
    .await;
});

/// A record without the members that differ between two of the same content.
fn content(record: &Value) -> Value {
    let mut content = record.clone();
    let members = content.as_object_mut().unwrap();
    for member in ["id", "slug", "created_at", "updated_at"] {
        members.remove(member);
    }
    content
}

story!(
    what_is_put_back_as_it_was_read_changes_nothing,
    Seeded,
    async |node| {
        let audited = audit(node.store.db()).await;
        let own = audited.records.into_values();
        let own: Vec<_> = own.filter(|row| row.origin == ORIGIN).collect();
        let before = *node.store.log().watch().borrow();
        for_all(64, select(own), async |_, row| {
            let kind = Kind::parse(&row.kind).unwrap();
            let path = format!("/v1/{}/{}", kind.plural(), row.id);
            let read = node.get(&path).token(&node.admin).await.expect(200);
            let put = node.put(&path).if_match(read.etag()).json(&read.json).await;
            let put = put.expect(200);
            assert_eq!(put.etag(), read.etag());
            assert_eq!(put.json, read.json);
        })
        .await;
        assert_eq!(*node.store.log().watch().borrow(), before);
    }
);

#[derive(Debug, Clone)]
enum Turn {
    Rename(usize, usize),
    Take(usize),
}

story!(former_slugs_lead_on_until_they_are_taken, async |node| {
    let turn = prop_oneof![
        5 => (0..3_usize, 0..6_usize).prop_map(|(who, slug)| Turn::Rename(who, slug)),
        1 => (0..6_usize).prop_map(Turn::Take),
    ];
    for_all(
        20,
        prop::collection::vec(turn, 1..12),
        async |case, turns| {
            let slug = |number: usize| format!("s{case}-{number}");
            let make = async |slug: &str| {
                let body = json!({"name": "Umbenannt", "slug": slug, "home_region": "hessen"});
                node.post("/v1/networks").json(&body).await
            };
            let mut current: Vec<(String, usize)> = Vec::new();
            // The last holder of each slug, including current ones.
            let mut last: BTreeMap<usize, usize> = BTreeMap::new();
            for who in 0..3 {
                let made = make(&slug(who)).await.expect(201);
                current.push((made.id().to_owned(), who));
                last.insert(who, who);
            }
            for turn in turns {
                let taken = |wanted| current.iter().position(|(_, slug)| *slug == wanted);
                match turn {
                    Turn::Rename(who, wanted) => {
                        let path = format!("/v1/networks/{}", current[who].0);
                        let change = json!({"slug": slug(wanted)});
                        let answer = node.patch(&path).if_match("*").json(&change).await;
                        if taken(wanted).is_some_and(|other| other != who) {
                            answer.problem(409, "conflict");
                        } else {
                            answer.expect(200);
                            current[who].1 = wanted;
                            last.insert(wanted, who);
                        }
                    }
                    Turn::Take(wanted) => {
                        let answer = make(&slug(wanted)).await;
                        if taken(wanted).is_some() {
                            answer.problem(409, "conflict");
                        } else {
                            last.insert(wanted, current.len());
                            current.push((answer.expect(201).id().to_owned(), wanted));
                        }
                    }
                }
            }
            for number in 0..6 {
                let read = node.get(&format!("/v1/networks/{}", slug(number)));
                let read = read.token(&node.admin).await;
                match last.get(&number) {
                    None => drop(read.problem(404, "not-found")),
                    Some(who) if current[*who].1 == number => {
                        assert_eq!(read.expect(200).id(), current[*who].0);
                    }
                    Some(who) => {
                        let to = format!("/v1/networks/{}", slug(current[*who].1));
                        assert_eq!(read.expect(308).header("location"), to);
                    }
                }
            }
        },
    )
    .await;
});
