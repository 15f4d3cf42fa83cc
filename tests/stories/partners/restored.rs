//! A partner that was restored from a backup: lost versions are not kept.

use super::{actor, change as patch};
use crate::sync::resync::restore;
use persistence::partner::PageOutcome;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use tests::tables::{change, record};
use tests::{Intake, Neighbour, Node, story};
use uuid::Uuid;

async fn put_back(node: &Node, row: record::Model) {
    let db = node.store.db().reader();
    change::Entity::update_many()
        .col_expr(change::Column::Newest, Expr::value(true))
        .col_expr(change::Column::Body, Expr::value(Option::<String>::None))
        .filter(change::Column::RecordId.eq(row.id))
        .exec(db)
        .await
        .unwrap();
    record::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .unwrap();
}

story!(
    a_version_that_is_no_more_is_replaced_by_an_older_one,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let body = json!({"name": "Praxis", "home_region": "hessen"});
        let id = node.made("actors", body).await;
        let row = record::Entity::find_by_id(id.parse::<Uuid>().unwrap());
        let row = row.one(node.store.db().reader()).await.unwrap().unwrap();
        let backup = node.store.log().head().await.unwrap();
        patch(node, &id, json!({"publication": "published"})).await;
        for text in ["alt 3", "alt 4"] {
            patch(node, &id, json!({"summary": text})).await;
        }
        for number in 0..30 {
            actor(node, &format!("Nach dem Backup {number}")).await;
        }
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        restore(node, backup).await;
        put_back(node, row).await;
        // The snapshot does not contain it, and many copies would be deleted: that waits for
        // approval.
        assert_eq!(intake.pull().await, PageOutcome::Stopped);
        assert_eq!(intake.shown().await["state"], "awaiting_approval");
        let published = json!({"publication": "published", "summary": "neu 2"});
        patch(node, &id, published).await;
        intake.approve_deletions().await;
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        let read = here.get(&format!("/v1/actors/{id}")).await.expect(200).json;
        assert_eq!(
            (&read["version"], &read["summary"]),
            (&json!(2), &json!("neu 2"))
        );
        intake.equals(node, "").await;
        here.stop().await;
    }
);

story!(what_a_snapshot_left_is_compared_at_once, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let id = actor(node, "Praxis").await;
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    let compared = intake.row().await.compared_at;
    assert!(compared.is_some());
    intake.change(json!({"kinds": ["actor"]})).await;
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    assert!(intake.row().await.compared_at > compared);
    here.get(&format!("/v1/actors/{id}")).await.expect(200);
    here.stop().await;
});

story!(
    what_a_snapshot_tells_unreadably_is_not_swept,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let id = actor(node, "Praxis").await;
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        // Content that no release writes.
        let id: Uuid = id.parse().unwrap();
        let row = record::Entity::find_by_id(id).one(node.store.db().reader());
        let body = row.await.unwrap().unwrap().body;
        record::Entity::update_many()
            .col_expr(record::Column::Body, Expr::value(format!(" {body}")))
            .filter(record::Column::Id.eq(id))
            .exec(node.store.db().reader())
            .await
            .unwrap();
        intake.change(json!({"kinds": ["actor"]})).await;
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        assert_eq!(intake.shown().await["quarantined"]["count"], 1);
        here.get(&format!("/v1/actors/{id}")).await.expect(200);
        here.stop().await;
    }
);
