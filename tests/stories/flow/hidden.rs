//! Hidden copies: permissions and visibility.

use super::{give_away, lists, member, network, token};
use domain::access::rules::Role;
use reqwest::Method;
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::{Node, story};

async fn copy(node: &Node, name: &str) -> String {
    let id = network(node, name, "nordhessen", "published").await;
    give_away(node, &id).await;
    id
}

story!(approvers_and_admins_hide_copies, Seeded, async |node| {
    let copy = copy(node, "Kopie").await;
    let own = network(node, "Eigenes", "nordhessen", "published").await;
    for role in [
        Role::Reader,
        Role::Editor,
        Role::Approver,
        Role::Feeder,
        Role::Admin,
    ] {
        for home in ["nordhessen", "muensterland"] {
            let token = token(node, role, home).await;
            for method in [Method::PUT, Method::DELETE] {
                let path = format!("/v1/networks/{copy}/hidden?dry_run=true");
                let answer = node.call(method.clone(), &path).token(&token).await;
                let may = home == "nordhessen" && matches!(role, Role::Approver | Role::Admin);
                let status = if may { 204 } else { 403 };
                assert_eq!(answer.status, status, "{role:?} {home} {}", answer.text);
                let path = format!("/v1/networks/{own}/hidden");
                let answer = node.call(method, &path).token(&token).await;
                let refused = answer.problem(403, "forbidden");
                assert_eq!(refused.json["reason"], "own-record");
            }
        }
    }
    let path = format!("/v1/networks/{copy}/hidden");
    node.call(Method::PUT, &path)
        .await
        .problem(401, "unauthorized");
    let nobody = "/v1/networks/00000000-0000-7000-8000-000000000000/hidden";
    node.put(nobody).await.problem(404, "not-found");
});

story!(
    a_hidden_copy_is_as_if_it_were_not_published,
    Seeded,
    async |node| {
        let copy = copy(node, "Kopienverbund").await;
        let own = network(node, "Eigenes", "nordhessen", "published").await;
        let edge = member(node, &own, &copy, "published").await;
        node.settled().await;
        let hidden = format!("/v1/networks/{copy}/hidden");
        let by_id = format!("/v1/networks/{copy}");
        let by_slug = "/v1/networks/kopienverbund".to_owned();
        let edge_by_id = format!("/v1/relationships/{edge}");
        let found = "/v1/search?q=Kopienverbund".to_owned();
        let members = format!("/v1/networks/{own}/relationships");
        let all = format!("/v1/relationships?from={own}");
        let approver = token(node, Role::Approver, "nordhessen").await;
        let seen = async |token: Option<&str>| {
            let mut seen = Vec::new();
            for path in [&by_id, &by_slug, &edge_by_id] {
                let call = node.get(path);
                let call = match token {
                    Some(token) => call.token(token),
                    None => call,
                };
                seen.push(call.await.status == 200);
            }
            seen.push(lists(node, &found, token, &copy).await);
            seen.push(lists(node, &members, token, &edge).await);
            seen.push(lists(node, &all, token, &edge).await);
            seen
        };
        assert_eq!(seen(None).await, [true; 6]);
        let twin = json!({"name": "Kopienverbund", "slug": "zwilling", "home_region": "nordhessen", "publication": "published"});
        node.post("/v1/networks").json(&twin).await.expect(201);
        let twins = "/v1/duplicates?kind=network&limit=200";
        assert!(node.get(twins).await.expect(200).text.contains(&copy));
        for _ in 0..2 {
            let put = node
                .put(&hidden)
                .token(&approver)
                .header("change-reason", "veraltet");
            put.await.expect(204);
        }
        node.settled().await;
        assert_eq!(seen(None).await, [false; 6]);
        assert_eq!(seen(Some(&approver)).await, [false; 6]);
        for call in [node.get(twins), node.get(twins).token(&node.admin)] {
            assert!(!call.await.expect(200).text.contains(&copy));
        }
        // Admins find it by its id; lists show published records, to them too.
        let admin = seen(Some(&node.admin)).await;
        assert_eq!(admin, [true, true, true, false, false, false]);
        let named = json!({"type": "related_to", "from": {"kind": "network", "id": own}, "to": {"kind": "network", "id": copy}});
        let named = node
            .post("/v1/relationships")
            .token(&approver)
            .json(&named)
            .await;
        assert_eq!(
            named.problem(422, "validation-failed").faults()[0].1,
            "unknown-reference"
        );
        audiences_are_true(node.store.db()).await;
        // The caller who hid it can show it again, although they cannot see it.
        for _ in 0..2 {
            node.delete(&hidden).token(&approver).await.expect(204);
        }
        node.settled().await;
        assert_eq!(seen(None).await, [true; 6]);
        audiences_are_true(node.store.db()).await;
        let audit = node
            .get(&format!("/v1/audit?record={copy}"))
            .token(&node.admin)
            .await
            .expect(200);
        let told: Vec<_> = audit.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["op"].as_str().unwrap())
            .collect();
        assert_eq!(
            told,
            ["visibility", "visibility", "upsert"],
            "{}",
            audit.text
        );
        assert_eq!(audit.json["items"][1]["reason"], "veraltet");
    }
);
