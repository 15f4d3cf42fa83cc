//! Parsers with random input: they answer and do not panic. Twenty times as much with `./test
//! --full`.

use crate::properties::for_all;
use domain::value::edtf::{EdtfDate, End};
use domain::value::identifier::{Identifier, Scheme};
use persistence::load::LoadMode;
use persistence::transaction::WriteOptions;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use tests::call::encoded;
use tests::story;

/// Text close to something valid: a sample with parts replaced, left out or doubled.
fn near(samples: &'static [&'static str]) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), 0..4_u8, any::<char>());
    (select(samples), prop::collection::vec(change, 0..4)).prop_map(|(sample, changes)| {
        let mut text: Vec<char> = sample.chars().collect();
        for (at, how, other) in changes {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match how {
                0 => text[at] = other,
                1 => drop(text.remove(at)),
                2 => text.insert(at, text[at]),
                _ => text.truncate(at),
            }
        }
        text.into_iter().collect()
    })
}

fn any_text(samples: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![4 => near(samples), 1 => any::<String>(), 1 => "\\PC{0,40}"]
}

const DATES: &[&str] = &[
    "2009",
    "2009-06",
    "2009-06-17~",
    "0000-02-29?",
    "9999-12-31%",
    "1900-02-29",
    "..",
];

const IDENTIFIERS: &[&str] = &[
    "260326822",
    "HRB 12345 Amtsgericht Bochum",
    "https://ror.org/04tsk2644",
    "Q42",
    "529900T8BM49AURSDO55",
    "DE136695976",
    "DEA51",
    "06633",
];

#[actix_web::test]
async fn dates_and_identifiers_never_panic() {
    for_all(4000, any_text(DATES), async |_, text| {
        if let Ok(date) = text.parse::<EdtfDate>() {
            assert_eq!(date.to_string(), text);
            assert!(date.earliest() <= date.latest());
        }
        let _ = text.parse::<End>();
    })
    .await;
    for_all(
        4000,
        (select(&Scheme::KNOWN[..]), any_text(IDENTIFIERS)),
        async |_, (scheme, value)| {
            let identifier = Identifier {
                scheme,
                value,
                valid: None,
            };
            let normal = identifier.normalise();
            assert_eq!(
                identifier.scheme.normalise(&normal),
                normal,
                "normalising twice changes it"
            );
            let _ = identifier.check();
        },
    )
    .await;
    for_all(
        4000,
        prop::collection::vec(any::<u8>(), 0..200),
        async |_, bytes| {
            let _ = domain::base::json::parse(&bytes);
        },
    )
    .await;
}

const FILTERS: &[&str] = &[
    "near=51.3,9.5&radius=25km",
    "bbox=9,51,10,52",
    "identifier=ik|260326822",
    "external_id=cms|1",
    "updated_since=2026-01-01T00:00:00Z",
    "member_of=mo-win-net:partner,network/x",
    "region=hessen,nordhessen&region=kassel",
    "facets=category,region&sort=-name&limit=3",
    "active_on=2020-01~&programme=EFRE",
    "start_from=2020&start_to=2021-02",
    "fields=name,places&include=relationships&lang=en",
    "q=\"Klinik Kassel\" -rehab*&highlights=true",
];

const CURSORS: &[&str] = &[
    "AAAA",
    "eyJhIjoxfQ",
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
    "____----",
];

/// Lists; the first seven have cursors.
const LISTS: &[&str] = &[
    "networks",
    "actors",
    "projects",
    "events",
    "regions",
    "topics",
    "relationships",
    "search",
    "suggest",
];

story!(
    filters_and_cursors_never_fail_inside,
    Seeded,
    async |node| {
        let filters = prop::collection::vec(any_text(FILTERS), 1..3);
        let written = any::<bool>();
        for_all(
            150,
            (select(LISTS), filters, written),
            async |_, (list, filters, plain)| {
                // Unescaped except for characters that no URL may contain, or fully escaped except
                // for the marks.
                let escape = |text: &str| -> String {
                    text.chars()
                        .map(|sign| match sign {
                            '&' | '=' | ',' | ':' | '|' if plain => sign.to_string(),
                            sign if sign.is_ascii_alphanumeric() => sign.to_string(),
                            sign => encoded(sign.encode_utf8(&mut [0; 4])),
                        })
                        .collect()
                };
                let query: Vec<String> = filters.iter().map(|one| escape(one)).collect();
                let answer = node.get(&format!("/v1/{list}?{}", query.join("&"))).await;
                assert!(answer.status < 500, "{list} {query:?}: {}", answer.text);
            },
        )
        .await;
        for_all(
            60,
            (select(&LISTS[..7]), any_text(CURSORS)),
            async |_, (list, cursor)| {
                let answer = node
                    .get(&format!("/v1/{list}?cursor={}", encoded(&cursor)))
                    .await;
                assert_eq!(answer.status, 400, "{list} {cursor:?}: {}", answer.text);
            },
        )
        .await;
    }
);

story!(damaged_tokens_prove_nothing, async |node| {
    let token: &'static str = node.admin.clone().leak();
    let samples: &'static [&'static str] = vec![token, "e30.e30.", "..", "a.b.c"].leak();
    for_all(150, any_text(samples), async |_, text| {
        if text == token || !text.chars().all(|sign| (' '..='~').contains(&sign)) {
            return;
        }
        let answer = node.get("/v1/regions/hessen").token(&text).await;
        // Only the surrounding spaces are not part of a token.
        assert!(
            answer.status == 401 || text.trim() == token,
            "{text} was taken"
        );
    })
    .await;
});

const LINES: &[&str] = &[
    r#"{"kind":"actor","name":"Praxis","home_region":"hessen"}"#,
    r#"{"kind":"network","name":"Netz","external_id":{"system":"cms","id":"1"},"founded":"2020-01"}"#,
    r#"{"kind":"relationship","type":"member_of","from":{"as_stated":"A"},"to":{"as_stated":"B"}}"#,
    r#"{"kind":"region","name":"Neu","part_of":[{"kind":"region","slug":"hessen"}]}"#,
    "",
    "null",
    "[]",
];

story!(damaged_lines_are_refused_and_nothing_else, async |node| {
    for_all(120, any_text(LINES), async |_, line| {
        let caller = domain::access::rules::Caller::node();
        let options = WriteOptions {
            dry_run: true,
            ..WriteOptions::default()
        };
        let loaded = node
            .store
            .imports()
            .load(&caller, &[&line], LoadMode::Upsert, &options)
            .await;
        assert_eq!(loaded.unwrap().len(), 1, "{line:?}");
    })
    .await;
    for_all(120, any_text(LINES), async |_, line| {
        let body = line.replacen("\"kind\":\"actor\",", "", 1);
        let answer = node
            .post("/v1/actors?dry_run=true")
            .body("application/json", body)
            .await;
        assert!(
            [200, 400, 409, 422].contains(&answer.status),
            "{line:?}: {}",
            answer.text
        );
    })
    .await;
});

story!(values_of_any_type_are_refused_or_taken, async |node| {
    let document = api::operation::openapi::document(&api::routes::all());
    let members = document["components"]["schemas"]["ActorInput"]["properties"].as_object();
    let members: Vec<String> = members.unwrap().keys().cloned().collect();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any_text(DATES).prop_map(Value::from),
        any_text(IDENTIFIERS).prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(
                (
                    select(&["name", "value", "id", "kind", "slug", "lat"][..]),
                    inner
                ),
                0..4
            )
            .prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Value>()
            }),
        ]
    });
    for_all(150, (select(members), value), async |_, (member, value)| {
        let mut body = json!({"name": "a", "home_region": "hessen"});
        body[&member] = value;
        let answer = node.post("/v1/actors?dry_run=true").json(&body).await;
        assert!(
            [200, 400, 403, 409, 422].contains(&answer.status),
            "{body}: {}",
            answer.text
        );
    })
    .await;
});
