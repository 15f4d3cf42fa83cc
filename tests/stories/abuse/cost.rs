//! Cost that a caller chooses: what a query may ask for, who is charged, and when work ends.

use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::StoreError;
use persistence::jobs::BackgroundJobs;
use persistence::meter::{Counted, Meter};
use persistence::search::filter::{Condition, Filter, Test};
use persistence::search::{IndexPlace, ListQuery, Order, Search, Sort};
use reqwest::Method;
use std::time::{Duration, Instant};
use tests::call::Call;
use tests::database::Database;
use tests::node::settled;
use tests::process::{Process, share_of_a_core};
use tests::raw::Raw;
use tests::settings::{full, tell};
use tests::{Answer, Backend, Content, Node, story};

/// `region=` with so many spellings of one id.
fn spellings(id: &str, count: usize) -> Vec<String> {
    let letters: Vec<usize> = id
        .char_indices()
        .filter(|(_, letter)| letter.is_ascii_alphabetic())
        .map(|(at, _)| at)
        .collect();
    let spelling = |number: usize| {
        let mut letter = 0;
        let spelt = id.char_indices().map(|(at, sign)| {
            let upper = letters.get(letter) == Some(&at) && (number >> letter) & 1 == 1;
            letter += usize::from(letters.get(letter) == Some(&at));
            if upper {
                sign.to_ascii_uppercase()
            } else {
                sign
            }
        });
        spelt.collect()
    };
    (0..count).map(spelling).collect()
}

async fn refused(node: &Node, query: &str, wanted: &str) -> Answer {
    let answer = node.get(&format!("/v1/search?{query}")).await;
    let answer = answer.problem(400, "invalid-parameter");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains(wanted), "{detail}");
    answer
}

story!(equal_conditions_count_once, Seeded, async |node| {
    let total = async |query: &str| {
        let list = node.get(&format!("/v1/search?{query}")).await.expect(200);
        list.json["total"].as_u64().unwrap()
    };
    let once = total("region=deutschland").await;
    assert!(once > 100);
    let many = ["region=deutschland"; 400].join("&");
    assert_eq!(total(&many).await, once);
    let listed = format!("region={}", ["deutschland"; 300].join(","));
    assert_eq!(total(&listed).await, once);
});

story!(a_query_has_a_budget, async |node| {
    let conditions: Vec<_> = (0..21)
        .map(|number| format!("origin=node-{number}"))
        .collect();
    let within = conditions[..20].join("&");
    node.get(&format!("/v1/search?{within}")).await.expect(200);
    let beyond = conditions.join("&");
    refused(
        node,
        &beyond,
        "With `origin` the query has more than 20 conditions",
    )
    .await;
    refused(node, &format!("{beyond}&lang=en"), "20 conditions").await;
    let german = node.get(&format!("/v1/search?{beyond}"));
    let german = german.header("accept-language", "de").await;
    let detail = german.json["detail"].as_str().unwrap();
    assert!(
        detail.contains("Mit `origin` hat die Anfrage mehr als 20 Bedingungen"),
        "{detail}"
    );

    let values: Vec<_> = (0..251).map(|number| format!("n{number}")).collect();
    let list = |count: usize| format!("origin={}", values[..count].join(","));
    node.get(&format!("/v1/search?{}", list(250)))
        .await
        .expect(200);
    refused(
        node,
        &list(251),
        "With `origin` the query has more than 250 values",
    )
    .await;

    let words: Vec<_> = (0..65).map(|number| format!("wort{number}")).collect();
    let text = |count: usize| format!("q={}", words[..count].join("%20"));
    node.get(&format!("/v1/search?{}", text(64)))
        .await
        .expect(200);
    refused(node, &text(65), "`q` has too many words; it may have 64").await;

    // Everything below the country, once per spelling of its id.
    let country = node.get("/v1/regions/deutschland").await.expect(200);
    let spelt = spellings(country.json["id"].as_str().unwrap(), 200);
    let broad = spelt
        .chunks(100)
        .map(|some| format!("region={}", some.join(",")));
    let broad = broad.collect::<Vec<_>>().join("&");
    refused(node, &broad, "`region` means too much").await;
});

story!(work_ends_with_its_request, Seeded, async |node| {
    let search = Search::new(node.store.clone(), IndexPlace::Memory);
    let jobs = BackgroundJobs::start(&node.store).with(&node.store, search.consumer());
    settled(&node.store, &jobs).await;
    let country = node.get("/v1/regions/deutschland").await.expect(200);
    let region = country.json["id"].as_str().unwrap().parse().unwrap();
    let query = ListQuery {
        filter: Filter {
            kinds: Kind::ALL.to_vec(),
            conditions: vec![Condition {
                parameter: "region".to_owned(),
                any: vec![Test::Region(region)],
            }],
            ..Filter::default()
        },
        order: Order {
            sort: Sort::Name,
            descending: false,
        },
        near: None,
        limit: 20,
        cursor: None,
        facets: Vec::new(),
        text: String::new(),
    };
    let anybody = Caller::anonymous();
    let given_up = Meter::default();
    given_up.stop();
    let outcome = given_up.around(search.list(&anybody, &query)).await;
    assert!(matches!(outcome, Err(StoreError::Abandoned)), "{outcome:?}");
    assert_eq!(given_up.counted(), Counted::default());
    // The index is none the worse for it, and work of a request is counted.
    let meter = Meter::default();
    let page = meter.around(search.list(&anybody, &query)).await.unwrap();
    assert_eq!(page.hits.len(), 20);
    let counted = meter.counted();
    assert!(
        counted.terms > 100 && counted.documents > 100,
        "{counted:?}"
    );
    assert!(counted.rows >= 20, "{counted:?}");
    jobs.stop().await;
});

/// A query whose conditions are too special to be kept, so that each costs as much as the first.
fn broad(number: usize) -> String {
    let states = [
        "deutschland",
        "bayern",
        "hessen",
        "berlin",
        "sachsen",
        "hamburg",
        "bremen",
        "saarland",
        "thueringen",
        "brandenburg",
    ];
    let list = |from: usize| {
        let states = states.iter().cycle().skip(from).take(states.len());
        format!("region={}", states.copied().collect::<Vec<_>>().join(","))
    };
    let conditions: Vec<_> = (0..7).map(list).collect();
    format!("/v1/search?{}&origin=node-{number}", conditions.join("&"))
}

#[test]
fn hanging_up_ends_the_work() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Seeded).await;
        let mut server = Process::serve(&database).await;
        server.searchable().await;
        let client = reqwest::Client::new();
        let get = async |path: &str| {
            let answer = client.get(format!("{}{path}", server.base)).send().await;
            assert_eq!(answer.unwrap().status(), 200);
        };
        get("/v1/search").await;
        let before = server.cpu();
        for number in 0..8 {
            get(&broad(number)).await;
        }
        let all = server.cpu().saturating_sub(before) * 5;

        let before = server.cpu();
        let mut open = Vec::new();
        for number in 8..48 {
            let mut raw = Raw::open(&server.base).await;
            let head = format!("GET {} HTTP/1.1\r\nHost: node\r\n\r\n", broad(number));
            assert!(raw.send(head).await);
            open.push(raw);
        }
        drop(open);
        // As long as all of it would have taken.
        tokio::time::sleep(all.max(Duration::from_secs(1))).await;
        let spent = server.cpu().saturating_sub(before);
        assert!(spent * 2 < all, "{spent:?} of {all:?}");
        get("/v1/search").await;
        server.kill().await;
        database.remove().await;
    });
}

#[test]
fn what_costs_much_counts_as_much() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Seeded).await;
        let limit = [("VERBUND_REQUESTS_PER_MINUTE_ADDRESS", "30")];
        let mut server = Process::serve_with(&database, &limit).await;
        server.searchable().await;
        let client = reqwest::Client::new();
        let left = async |path: &str| {
            let call = Call::new(&client, &server.base, Method::GET, path);
            let answer = call.await;
            assert!([200, 429].contains(&answer.status), "{}", answer.text);
            let standing = answer.header("ratelimit").to_owned();
            let (_, left) = standing.split_once("r=").unwrap();
            let (left, _) = left.split_once(';').unwrap();
            left.parse::<u32>().unwrap()
        };
        let one = left("/v1/regions/hessen").await;
        assert!((25..30).contains(&one), "{one}");
        // A class of operation has its weight; seconds regain half a unit each.
        // Seconds regain half a unit each.
        let export = left("/v1/export?kind=topic").await;
        assert!((one - 11..one - 4).contains(&export), "{one}, {export}");
        // What is counted is charged on top, before the next request at the latest.
        for path in (0..7).map(broad) {
            left(&path).await;
        }
        let rest = left("/v1/search").await;
        assert!(rest < export - 7, "{export}, {rest}");
        server.kill().await;
        database.remove().await;
    });
}

#[test]
fn slow_readers_of_an_export_do_not_block_lists() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Seeded).await;
        let mut server = Process::serve(&database).await;
        server.searchable().await;
        let mut readers = Vec::new();
        for _ in 0..40 {
            let mut raw = Raw::narrow(&server.base).await;
            let head = "GET /v1/export?kind=region HTTP/1.1\r\nHost: node\r\n\r\n";
            assert!(raw.send(head).await);
            readers.push(raw);
        }
        let client = reqwest::Client::new();
        for _ in 0..10 {
            let begun = Instant::now();
            let list = client.get(format!("{}/v1/search?q=klinik", server.base));
            assert_eq!(list.send().await.unwrap().status(), 200);
            let taken = begun.elapsed();
            assert!(taken < Duration::from_secs(5), "{taken:?}");
        }
        drop(readers);
        server.kill().await;
        database.remove().await;
    });
}

/// What costs most for its length.
const DEAR: [&str; 5] = [
    "/v1/export?kind=region",
    "/v1/suggest?q=k",
    "/v1/search?q=klinik%20gesundheit%20netzwerk&facets=region,topic,seat,serves,kind",
    "/v1/relationships?limit=200",
    "/v1/sync/changes",
];

/// Asks as fast as it goes, over several connections, until the reader is done.
async fn rush(client: &reqwest::Client, base: &str, path: &str) {
    let one = async || loop {
        let answer = client.get(format!("{base}{path}")).send().await;
        let Ok(answer) = answer else { continue };
        let limited = answer.status() == 429;
        // An answer that ends early is an answer.
        let _ = answer.bytes().await;
        if limited {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    futures::future::join_all((0..50).map(|_| one())).await;
}

#[test]
fn one_address_at_its_full_rate_does_not_slow_another() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Seeded).await;
        let client = |address: &str| {
            let address: std::net::IpAddr = address.parse().unwrap();
            reqwest::Client::builder()
                .local_address(address)
                .build()
                .unwrap()
        };
        let reader = client("127.0.0.1");
        let limit = [("VERBUND_REQUESTS_PER_MINUTE_ADDRESS", "600")];
        let paths: Vec<String> = DEAR.iter().map(|path| (*path).to_owned()).collect();
        let paths = paths.into_iter().chain([broad(1)]);
        for path in paths.take(if full() { usize::MAX } else { 1 }) {
            let mut server = Process::serve_with(&database, &limit).await;
            server.searchable().await;
            let attacker = client("127.0.0.2");
            let share = share_of_a_core();
            let reading = async {
                let mut times = Vec::new();
                for _ in 0..40 {
                    let begun = Instant::now();
                    let url = format!("{}/v1/search?region=hessen", server.base);
                    let answer = reader.get(url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    times.push(begun.elapsed());
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                times.sort();
                times
            };
            let times = tokio::select! {
                times = reading => times,
                () = rush(&attacker, &server.base, &path) => unreachable!("it never ends"),
            };
            let slow = times[times.len() * 95 / 100];
            let share = share.min(share_of_a_core());
            tell(&format!(
                "{path}: another reader waits {slow:?} at most, of 95 in 100"
            ));
            let bound = Duration::from_secs(1).div_f64(share);
            assert!(slow < bound, "{path}: {slow:?} with {share} of a core");
            server.kill().await;
        }
        database.remove().await;
    });
}
