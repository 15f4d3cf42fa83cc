//! The work list of editors and approvers, with totals and facets.

use super::{network, token};
use domain::access::rules::Role;
use serde_json::json;
use tests::story;

story!(each_region_has_its_work_list, Seeded, async |node| {
    for (name, home, state) in [
        ("Eins", "nordhessen", "review"),
        ("Zwei", "nordhessen", "review"),
        ("Drei", "nordhessen", "draft"),
        ("Vier", "muensterland", "review"),
    ] {
        network(node, name, home, state).await;
    }
    let lists = [
        ("publication=review&home_region=nordhessen", 2, 0),
        ("publication=draft&home_region=nordhessen", 1, 0),
        ("publication=draft,review&home_region=nordhessen", 3, 0),
        ("publication=review&home_region=muensterland", 0, 1),
        ("publication=review", 2, 1),
    ];
    for role in [
        Role::Reader,
        Role::Editor,
        Role::Approver,
        Role::Admin,
        Role::Feeder,
    ] {
        for (home, here) in [("nordhessen", true), ("muensterland", false)] {
            let token = token(node, role, home).await;
            for (query, at_home, elsewhere) in lists {
                let total = match (role, here) {
                    (Role::Feeder, _) => 0,
                    (_, true) => at_home,
                    (_, false) => elsewhere,
                };
                let path = format!("/v1/networks?{query}&facets=publication,home_region");
                let page = node.get(&path).token(&token).await.expect(200);
                let case = format!("{role:?} {home} {query}");
                assert_eq!(page.json["total"], total, "{case}");
                let items = page.json["items"].as_array().unwrap();
                assert_eq!(items.len(), total, "{case}");
                // A facet ignores its own filter, but never the caller's permissions.
                let facet = page.json["facets"]["publication"].as_array().unwrap();
                let drafts = facet.iter().filter(|value| value["value"] == "draft");
                let drafts: u64 = drafts.map(|value| value["count"].as_u64().unwrap()).sum();
                let may = role != Role::Feeder && here && !query.contains("muensterland");
                assert_eq!(drafts, u64::from(may), "{case} {facet:?}");
                let found = node
                    .get(&path.replace("/networks?", "/search?"))
                    .token(&token);
                assert_eq!(
                    found.await.expect(200).json["total"],
                    total,
                    "search {case}"
                );
            }
        }
    }
    let anonymous = node
        .get("/v1/networks?publication=review")
        .await
        .expect(200);
    assert_eq!(anonymous.json["total"], json!(0));
});
