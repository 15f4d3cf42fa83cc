//! Potential damage waits for an operator: many deletions, many unreadable entries. And a partner
//! that lost data is detected.

use super::{actor, change, delete};
use domain::base::json;
use persistence::partner::PageOutcome;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::tables::{change as log, node as state, record};
use tests::{Intake, Neighbour, Node, story};
use uuid::Uuid;

async fn actors(node: &Node, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(actor(node, &format!("Akteur {number}")).await);
    }
    ids
}

async fn copies(node: &Node, of: &Node) -> u64 {
    let copies = record::Entity::find().filter(record::Column::Origin.eq(&of.store.node().origin));
    copies.count(node.store.db().reader()).await.unwrap()
}

story!(many_deletions_wait_for_an_operator, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let ids = actors(node, 30).await;
    intake.pull().await;
    let (some, rest) = ids.split_at(8);
    for id in some {
        delete(node, "actors", id).await;
    }
    assert_eq!(intake.pull().await, PageOutcome::UpToDate, "a few may go");
    change(node, &rest[0], json!({"summary": "neu"})).await;
    for id in &rest[1..] {
        delete(node, "actors", id).await;
    }
    assert_eq!(intake.pull().await, PageOutcome::Stopped);
    let shown = intake.shown().await;
    assert_eq!(shown["state"], "awaiting_approval");
    assert_eq!(
        shown["awaiting_approval"],
        json!({"deletions": 21, "copies": 22})
    );
    assert!(intake.step().await.is_none(), "it is not due");
    assert_eq!(
        copies(&here, node).await,
        22,
        "nothing of the page was applied"
    );
    let unchanged = here
        .get(&format!("/v1/actors/{}", rest[0]))
        .await
        .expect(200);
    assert_eq!(unchanged.json["version"], 1);

    // Resuming it is not enough.
    assert_eq!(
        intake.change(json!({"paused": false})).await["state"],
        "active"
    );
    assert_eq!(intake.pull().await, PageOutcome::Stopped);
    intake.approve_deletions().await;
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    assert_eq!(copies(&here, node).await, 1);
    intake.equals(node, "").await;
    // An approval is valid once.
    let again = actors(node, 25).await;
    intake.pull().await;
    for id in &again {
        delete(node, "actors", id).await;
    }
    assert_eq!(intake.pull().await, PageOutcome::Stopped);
    here.stop().await;
});

/// Removes everything that the node wrote, as if it were created again under its old name.
async fn recreate(node: &Node) {
    let db = node.store.db().reader();
    let own = &node.store.node().origin;
    record::Entity::delete_many()
        .filter(record::Column::Origin.eq(own))
        .exec(db)
        .await
        .unwrap();
    log::Entity::delete_many()
        .filter(log::Column::Origin.eq(own))
        .exec(db)
        .await
        .unwrap();
    let head = log::Entity::find().count(db).await.unwrap();
    let head = i64::try_from(head).unwrap();
    state::Entity::update_many()
        .col_expr(state::Column::Head, Expr::value(head))
        .exec(db)
        .await
        .unwrap();
}

story!(
    a_partner_that_was_recreated_does_not_wipe_its_copies,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        actors(node, 25).await;
        node.settled().await;
        intake.pull().await;
        recreate(node).await;
        assert_eq!(intake.pull().await, PageOutcome::Stopped);
        let shown = intake.shown().await;
        assert_eq!(
            shown["awaiting_approval"],
            json!({"deletions": 25, "copies": 25})
        );
        assert_eq!(copies(&here, node).await, 25);
        intake.approve_deletions().await;
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        assert_eq!(copies(&here, node).await, 0);
        here.settled().await;
        audiences_are_true(here.store.db()).await;
        here.stop().await;
    }
);

story!(
    a_partner_with_a_restored_backup_is_followed_from_there,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let old = actor(node, "Gesichert").await;
        node.settled().await;
        intake.pull().await;
        let backup = node.store.log().head().await.unwrap();
        let saved = record::Entity::find_by_id(old.parse::<Uuid>().unwrap());
        let saved = saved.one(node.store.db().reader()).await.unwrap().unwrap();
        for number in 0..3 {
            change(node, &old, json!({"summary": format!("{number}")})).await;
        }
        let lost = actor(node, "Verloren").await;
        node.settled().await;
        intake.pull().await;
        let copy = here.get(&format!("/v1/actors/{old}")).await.expect(200);
        assert_eq!(copy.json["version"], 4);

        // The backup: later changes never happened.
        let db = node.store.db().reader();
        record::Entity::delete_many()
            .filter(record::Column::Id.eq(lost.parse::<Uuid>().unwrap()))
            .exec(db)
            .await
            .unwrap();
        let row = sea_orm::IntoActiveModel::into_active_model(saved);
        record::Entity::update(sea_orm::ActiveModelTrait::reset_all(row))
            .exec(db)
            .await
            .unwrap();
        log::Entity::delete_many()
            .filter(log::Column::Seq.gt(backup))
            .exec(db)
            .await
            .unwrap();
        log::Entity::update_many()
            .col_expr(log::Column::Newest, Expr::value(true))
            .col_expr(log::Column::Body, Expr::value(None::<String>))
            .filter(log::Column::Seq.eq(backup))
            .exec(db)
            .await
            .unwrap();
        // Digests that are not of this state of the log are computed again.
        let state = format!("UPDATE sync_state SET head = {backup}, digest_seq = -1");
        db.execute_unprepared(&state).await.unwrap();
        for number in 0..6 {
            change(node, &old, json!({"summary": format!("anders {number}")})).await;
        }
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        intake.equals(node, "").await;
        let copy = here.get(&format!("/v1/actors/{old}")).await.expect(200);
        assert_eq!(copy.json["summary"], "anders 5");
        here.get(&format!("/v1/actors/{lost}"))
            .await
            .problem(404, "not-found");
        // And onwards from there.
        change(node, &old, json!({"summary": "weiter"})).await;
        intake.pull().await;
        intake.equals(node, "").await;
        here.stop().await;
    }
);

story!(what_differs_is_noticed_and_read_again, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let ids = actors(node, 3).await;
    intake.pull().await;
    // Someone has written past the program.
    let id: Uuid = ids[0].parse().unwrap();
    let body = json::canonical(&json!({"name": "Gefälscht", "publication": "published"}));
    record::Entity::update_many()
        .col_expr(record::Column::Body, Expr::value(body))
        .filter(record::Column::Id.eq(id))
        .exec(here.store.db().reader())
        .await
        .unwrap();
    // Digests are compared once a day.
    intake.pull().await;
    let forged = here.get(&format!("/v1/actors/{id}")).await.expect(200);
    assert_eq!(forged.json["name"], "Gefälscht");
    tests::tables::partner::Entity::update_many()
        .col_expr(
            tests::tables::partner::Column::ComparedAt,
            Expr::value(None::<chrono::DateTime<chrono::Utc>>),
        )
        .exec(here.store.db().reader())
        .await
        .unwrap();
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    let right = here.get(&format!("/v1/actors/{id}")).await.expect(200);
    assert_eq!(right.json["name"], "Akteur 0");
    intake.equals(node, "").await;
    here.stop().await;
});
