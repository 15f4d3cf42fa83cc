//! The versions of a record and the log: visibility.

use super::{member, network, region, token};
use domain::access::rules::Role;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::tables::change;
use tests::{Node, story};
use uuid::Uuid;

/// A network with the publications of its versions, and its id.
async fn lived(node: &Node, states: &[&str]) -> String {
    let id = network(node, "Version 1", "nordhessen", states[0]).await;
    let path = format!("/v1/networks/{id}");
    for (version, state) in states.iter().enumerate().skip(1) {
        let body = json!({"name": format!("Version {}", version + 1), "publication": state});
        let patch = node
            .patch(&path)
            .if_match("*")
            .header("change-reason", state);
        patch.json(&body).await.expect(200);
    }
    id
}

async fn history(node: &Node, path: &str, token: Option<&str>) -> Value {
    let call = node.get(&format!("{path}/history"));
    let call = match token {
        Some(token) => call.token(token),
        None => call,
    };
    call.await.expect(200).json
}

fn versions(history: &Value) -> Vec<i64> {
    let items = history["items"].as_array().unwrap().iter();
    items
        .map(|item| item["version"].as_i64().unwrap())
        .collect()
}

story!(
    outsiders_see_the_versions_that_were_public,
    Seeded,
    async |node| {
        let states = ["draft", "published", "review", "archived", "published"];
        let path = format!("/v1/networks/{}", lived(node, &states).await);
        for (role, home, within) in [
            (Role::Reader, "nordhessen", true),
            (Role::Editor, "nordhessen", true),
            (Role::Approver, "nordhessen", true),
            (Role::Admin, "nordhessen", true),
            (Role::Feeder, "nordhessen", false),
            (Role::Approver, "muensterland", false),
        ] {
            let token = token(node, role, home).await;
            let told = history(node, &path, Some(&token)).await;
            let all: &[i64] = if within { &[5, 4, 3, 2, 1] } else { &[5, 2] };
            assert_eq!(versions(&told), all, "{role:?} {home}");
            for item in told["items"].as_array().unwrap() {
                assert_eq!(item["by"].is_string(), within, "{role:?} {item}");
            }
            for version in 1..=5 {
                let one = node
                    .get(&format!("{path}/history/{version}"))
                    .token(&token)
                    .await;
                let status = if all.contains(&version) { 200 } else { 404 };
                assert_eq!(one.status, status, "{role:?} {version}");
                if status == 200 {
                    assert_eq!(one.json["name"], format!("Version {version}"));
                    assert_eq!(one.json["version"], version);
                }
            }
        }
        let told = history(node, &path, None).await;
        assert_eq!(versions(&told), [5, 2]);
        let region = region(node, "nordhessen").await;
        for item in told["items"].as_array().unwrap() {
            assert!(item["by"].is_null(), "never the person");
            assert_eq!(item["home_region"], region.to_string());
            assert!(item["reason"].is_null(), "reasons are for editors");
        }
        let then = node.get(&format!("{path}/history/2")).await.expect(200);
        assert!(then.etag().starts_with("W/"));
        let known = node
            .get(&format!("{path}/history/2"))
            .header("if-none-match", then.etag());
        assert_eq!(known.await.status, 304);
        for version in ["0", "6", "x", "-1", "99999999999999999999"] {
            let none = node
                .get(&format!("{path}/history/{version}"))
                .token(&node.admin)
                .await;
            none.problem(404, "not-found");
        }
    }
);

story!(
    drafts_stay_with_the_region_that_wrote_them,
    Seeded,
    async |node| {
        let path = format!("/v1/networks/{}", lived(node, &["draft", "draft"]).await);
        let moved = node.patch(&path).if_match("*");
        let moved = moved.json(&json!({"home_region": "muensterland"}));
        moved.await.expect(200);
        for (home, expected) in [("nordhessen", None), ("muensterland", Some([3].as_slice()))] {
            let reader = token(node, Role::Reader, home).await;
            let Some(expected) = expected else {
                let gone = node.get(&format!("{path}/history")).token(&reader).await;
                gone.problem(404, "not-found");
                continue;
            };
            let seen = history(node, &path, Some(&reader)).await;
            assert_eq!(versions(&seen), expected, "{home}");
            for version in 1..=3 {
                let one = node.get(&format!("{path}/history/{version}"));
                let one = one.token(&reader).await;
                let status = if expected.contains(&version) {
                    200
                } else {
                    404
                };
                assert_eq!(one.status, status, "{version}");
            }
        }
        let seen = history(node, &path, Some(&node.admin)).await;
        assert_eq!(versions(&seen), [3, 2, 1]);
    }
);

story!(
    pages_of_a_history_neither_overlap_nor_miss,
    Seeded,
    async |node| {
        let path = format!("/v1/networks/{}", lived(node, &["published"; 7]).await);
        let mut seen = Vec::new();
        let mut next = Some(format!("{path}/history?limit=3"));
        while let Some(at) = next {
            let page = node.get(&at).await.expect(200);
            seen.extend(versions(&page.json));
            next = page.json["next"].as_str().map(str::to_owned);
            let link = next
                .as_ref()
                .map_or(String::new(), |next| format!("<{next}>; rel=\"next\""));
            assert_eq!(page.header("link"), link);
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
        let page = node
            .get(&format!("{path}/history?limit=3"))
            .await
            .expect(200);
        let stolen = page.json["next"]
            .as_str()
            .unwrap()
            .replace(&path, "/v1/networks/mo-win-net");
        node.get(&stolen).await.problem(400, "invalid-cursor");
    }
);

story!(what_is_deleted_keeps_its_history, Seeded, async |node| {
    let public = format!(
        "/v1/networks/{}",
        lived(node, &["draft", "published"]).await
    );
    let secret = format!("/v1/networks/{}", lived(node, &["draft", "review"]).await);
    for path in [&public, &secret] {
        node.delete(path).if_match("*").await.expect(204);
    }
    let told = history(node, &public, None).await;
    assert_eq!(versions(&told), [3, 2]);
    assert_eq!(told["items"][0]["op"], "delete");
    assert_eq!(told["items"][0]["cause"], "deleted");
    node.get(&format!("{public}/history/2")).await.expect(200);
    node.get(&format!("{public}/history/1"))
        .await
        .problem(404, "not-found");
    node.get(&format!("{public}/history/3"))
        .await
        .problem(410, "version-gone");
    node.get(&format!("{secret}/history"))
        .await
        .problem(404, "not-found");
    let editor = token(node, Role::Editor, "nordhessen").await;
    assert_eq!(
        versions(&history(node, &secret, Some(&editor)).await),
        [3, 2, 1]
    );
});

story!(
    a_relationship_is_public_with_its_ends_in_history_too,
    Seeded,
    async |node| {
        let from = network(node, "Von", "nordhessen", "published").await;
        let to = network(node, "Nach", "nordhessen", "draft").await;
        let edge = member(node, &from, &to, "published").await;
        let path = format!("/v1/relationships/{edge}");
        let change = |body: Value| node.patch(&path).if_match("*").json(&body);
        change(json!({"note": "zwei"})).await.expect(200);
        node.get(&format!("{path}/history"))
            .await
            .problem(404, "not-found");
        let publish = json!({"publication": "published"});
        let end = format!("/v1/networks/{to}");
        node.patch(&end)
            .if_match("*")
            .json(&publish)
            .await
            .expect(200);
        node.settled().await;
        // The first version was never public; the second became public with its ends.
        assert_eq!(versions(&history(node, &path, None).await), [2]);
        node.get(&format!("{path}/history/1"))
            .await
            .problem(404, "not-found");
    }
);

story!(what_was_trimmed_or_erased_is_gone, Seeded, async |node| {
    let id = lived(node, &["published", "published", "published"]).await;
    let path = format!("/v1/networks/{id}");
    let of = |version: i64| {
        let record = change::Column::RecordId.eq(id.parse::<Uuid>().unwrap());
        Condition::all()
            .add(record)
            .add(change::Column::Version.eq(version))
    };
    let db = node.store.db().reader();
    assert!(history(node, &path, None).await["truncated"].is_null());
    change::Entity::delete_many()
        .filter(of(1))
        .exec(db)
        .await
        .unwrap();
    change::Entity::update_many()
        .col_expr(change::Column::Body, Expr::value(Option::<String>::None))
        .filter(of(2))
        .exec(db)
        .await
        .unwrap();
    let told = history(node, &path, None).await;
    assert_eq!(versions(&told), [3, 2]);
    assert_eq!(told["truncated"], true);
    for version in [1, 2] {
        let gone = node.get(&format!("{path}/history/{version}")).await;
        gone.problem(410, "version-gone");
    }
    node.get(&format!("{path}/history/3")).await.expect(200);
});

story!(the_log_is_for_admins, Seeded, async |node| {
    let id = lived(node, &["draft", "published"]).await;
    for role in [
        Role::Reader,
        Role::Editor,
        Role::Approver,
        Role::Feeder,
        Role::Admin,
    ] {
        // Not even the admin of a region: the log contains the drafts of every region.
        let token = token(node, role, "nordhessen").await;
        let refused = node
            .get("/v1/audit")
            .token(&token)
            .await
            .problem(403, "forbidden");
        assert_eq!(refused.json["reason"], "node-admin");
    }
    node.get("/v1/audit").await.problem(401, "unauthorized");
    let log = async |query: &str| {
        let read = node.get(&format!("/v1/audit?{query}")).token(&node.admin);
        read.await.expect(200).json
    };
    let mine = log(&format!("record={id}")).await;
    assert_eq!(versions(&mine), [2, 1]);
    let by = mine["items"][0]["by"].as_str().unwrap();
    let newest = log(&format!("by={by}&limit=1")).await;
    assert_eq!(newest["items"][0], mine["items"][0]);
    let next = node
        .get(newest["next"].as_str().unwrap())
        .token(&node.admin)
        .await
        .expect(200);
    assert_eq!(next.json["items"][0], mine["items"][1]);
    assert_eq!(
        log(&format!("by={by}&kind=topic,event")).await["items"],
        json!([])
    );
    assert_eq!(
        versions(&log(&format!("record={id}&kind=network,event")).await).len(),
        2
    );
    let at = mine["items"][0]["at"].as_str().unwrap();
    assert_eq!(
        versions(&log(&format!("record={id}&since={at}")).await),
        [2]
    );
    assert_eq!(
        versions(&log(&format!("record={id}&until={at}")).await),
        [1]
    );
    for wrong in ["by=me", "record=x", "kind=person", "since=gestern"] {
        let path = format!("/v1/audit?{wrong}");
        node.get(&path)
            .token(&node.admin)
            .await
            .problem(400, "invalid-parameter");
    }
});
