//! Pages: order, cursors, totals, also during writes.

use super::{all, ids, make, names, page};
use serde_json::json;
use std::collections::BTreeSet;
use tests::story;

story!(
    pages_neither_overlap_nor_miss_in_any_order,
    Seeded,
    async |node| {
        for (list, sort) in [
            ("actors", "name"),
            ("actors", "-name"),
            ("actors", "updated_at"),
            ("actors", "-updated_at"),
            ("events", "start"),
            ("events", "-start"),
            ("regions", "name"),
            ("search", "-start"),
        ] {
            let whole = page(node, &format!("{list}?sort={sort}&limit=200")).await;
            for limit in [1, 7, 50] {
                if whole["total"].as_u64().unwrap() > 60 && limit == 1 {
                    continue;
                }
                let items = all(node, &format!("{list}?sort={sort}&limit={limit}")).await;
                let seen: Vec<String> = items
                    .iter()
                    .map(|item| item["id"].as_str().unwrap().to_owned())
                    .collect();
                assert_eq!(
                    seen.iter().collect::<BTreeSet<_>>().len(),
                    seen.len(),
                    "{list} {sort}"
                );
                let first = ids(&whole);
                assert_eq!(seen[..first.len()], first, "{list} {sort} {limit}");
            }
        }
    }
);

story!(names_sort_as_in_a_german_dictionary, async |node| {
    for name in [
        "Zentrum",
        "Ärztenetz",
        "Arztpraxis",
        "öffentlich",
        "Ofen",
        "Übung",
        "Uhr",
        "ärztenetz 2",
        "Straße",
        "Strasse A",
    ] {
        make(node, "actors", json!({"name": name})).await;
    }
    let list = page(node, "actors").await;
    let sorted = [
        "Ärztenetz",
        "ärztenetz 2",
        "Arztpraxis",
        "Ofen",
        "öffentlich",
        "Straße",
        "Strasse A",
        "Übung",
        "Uhr",
        "Zentrum",
    ];
    assert_eq!(names(&list), sorted);
    let mut backwards = names(&page(node, "actors?sort=-name").await).join("|");
    let mut expected = sorted;
    expected.reverse();
    assert_eq!(backwards, expected.join("|"));
    backwards.clear();
});

story!(a_cursor_is_good_for_its_list_only, Seeded, async |node| {
    let first = page(node, "actors?limit=5").await;
    let next = first["next"].as_str().unwrap();
    let answer = node.get(next).await.expect(200);
    assert_eq!(answer.header("etag").get(..2), Some("W/"));
    for wrong in [
        next.replace("actors", "networks"),
        next.replace("limit=5", "limit=6"),
        format!("{next}A"),
        "/v1/actors?cursor=AAAA".to_owned(),
    ] {
        node.get(&wrong).await.problem(400, "invalid-cursor");
    }
    let tag = answer.header("etag").to_owned();
    let again = node.get(next).header("if-none-match", &tag).await;
    assert_eq!(again.status, 304);
    for limit in ["0", "-1", "1000000000", "zwei", ""] {
        let answer = node.get(&format!("/v1/actors?limit={limit}")).await;
        answer.problem(400, "invalid-parameter");
    }
});

story!(pages_hold_while_others_write, async |node| {
    for at in 0..40 {
        make(node, "actors", json!({"name": format!("Klinik {at:02}")})).await;
    }
    let mut seen = Vec::new();
    let mut next = Some("/v1/actors?q=Klinik&sort=name&limit=6".to_owned());
    let mut round = 0;
    while let Some(path) = next {
        // Between any two pages, records are added before, within and after the pages read so far.
        for name in ["Klinik 00a", "Klinik 20a", "Klinik 99"] {
            make(node, "actors", json!({"name": format!("{name}{round}")})).await;
        }
        round += 1;
        let page = node.get(&path).await.expect(200).json;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        next = page["next"].as_str().map(str::to_owned);
        assert!(round < 60);
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), seen.len(), "no record twice");
    for at in 0..40 {
        assert!(seen.contains(&format!("Klinik {at:02}")), "{at} is missing");
    }
});

story!(
    relevance_pages_by_offset_to_a_thousand_hits,
    Seeded,
    async |node| {
        let items = all(node, "search?q=Gesundheit&limit=7").await;
        let ids: BTreeSet<_> = items.iter().map(|item| item["id"].to_string()).collect();
        assert_eq!(ids.len(), items.len());
        let scores: Vec<f64> = items
            .iter()
            .map(|item| item["hit"]["score"].as_f64().unwrap())
            .collect();
        assert!(
            scores.windows(2).all(|pair| pair[0] >= pair[1]),
            "{scores:?}"
        );
        let worst = page(node, "search?q=Gesundheit&sort=-relevance&limit=1").await;
        assert_eq!(
            worst["items"][0]["hit"]["score"].as_f64(),
            scores.last().copied()
        );
        node.get("/v1/search?sort=relevance")
            .await
            .problem(400, "invalid-parameter");
        node.get("/v1/actors?sort=start")
            .await
            .problem(400, "invalid-parameter");
        let misspelt = node
            .get("/v1/actors?sort=nmae")
            .await
            .problem(400, "invalid-parameter");
        assert!(
            misspelt.json["detail"]
                .as_str()
                .unwrap()
                .contains("did you mean name")
        );
    }
);
