//! What a partner erases is erased here too, whatever had become of it before.

use super::{actor, change, delete, made};
use persistence::entity::change as log;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::{Intake, Neighbour, Node, story};
use uuid::Uuid;

/// How many bodies of a record a node keeps.
async fn bodies(node: &Node, id: &str) -> u64 {
    let kept = log::Entity::find()
        .filter(log::Column::RecordId.eq(id.parse::<Uuid>().unwrap()))
        .filter(log::Column::Body.is_not_null());
    kept.count(node.store.db().reader()).await.unwrap()
}

async fn erase(node: &Node, id: &str) {
    let path = format!("/v1/actors/{id}/erase");
    node.post(&path).await.expect(204);
}

story!(
    what_is_erased_after_it_was_deleted_is_erased_here_too,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let id = actor(node, "Alt").await;
        intake.pull().await;
        change(node, &id, json!({"summary": "neu"})).await;
        intake.pull().await;
        delete(node, "actors", &id).await;
        intake.pull().await;
        assert_eq!(bodies(&here, &id).await, 0, "the history is its origin's");
        here.get("/v1/actors/alt").await.problem(410, "gone");
        erase(node, &id).await;
        intake.pull().await;
        here.get("/v1/actors/alt").await.problem(404, "not-found");
        let gone = here.get(&format!("/v1/actors/{id}")).await;
        let gone = gone.problem(410, "gone");
        assert_eq!(gone.json["tombstone"]["cause"], "erased");
        here.settled().await;
        audiences_are_true(here.store.db().reader()).await;
        here.stop().await;
    }
);

story!(what_was_never_public_is_erased_in_silence, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let draft = json!({"name": "Entwurf", "home_region": "hessen"});
    let draft = made(node, "actors", draft).await;
    intake.pull().await;
    delete(node, "actors", &draft).await;
    erase(node, &draft).await;
    let next = intake.row().await.next.unwrap();
    let page = node.get(&next).await.expect(200);
    assert_eq!(page.json["entries"], json!([]));
    here.stop().await;
});

story!(
    what_was_merged_here_is_forgotten_after_a_snapshot,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let id = actor(node, "Alt").await;
        let stays = actor(node, "Bleibt").await;
        intake.pull().await;
        let merge = node.post(&format!("/v1/actors/{id}/merge"));
        merge.json(&json!({"into": stays})).await.expect(200);
        intake.pull().await;
        assert_eq!(bodies(&here, &id).await, 1, "the survivor is found by it");
        // Nobody tells here of what happens before a snapshot.
        erase(node, &stays).await;
        intake.change(json!({"kinds": ["actor"]})).await;
        intake.pull().await;
        assert_eq!(bodies(&here, &id).await, 0);
        here.get("/v1/actors/alt").await.problem(404, "not-found");
        here.settled().await;
        audiences_are_true(here.store.db().reader()).await;
        here.stop().await;
    }
);
