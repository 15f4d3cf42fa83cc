//! Records that a partner erases are erased here too, whatever their state.

use super::{actor, change, delete};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::tables::change as log;
use tests::{Intake, Neighbour, Node, story};
use uuid::Uuid;

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
        audiences_are_true(here.store.db()).await;
        here.stop().await;
    }
);

story!(what_was_never_public_is_erased_in_silence, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let draft = json!({"name": "Entwurf", "home_region": "hessen"});
    let draft = node.made("actors", draft).await;
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
        assert_eq!(
            bodies(&here, &id).await,
            1,
            "the merge target is found by it"
        );
        // Changes before a snapshot are not reported.
        erase(node, &stays).await;
        intake.change(json!({"kinds": ["actor"]})).await;
        intake.pull().await;
        assert_eq!(bodies(&here, &id).await, 0);
        here.get("/v1/actors/alt").await.problem(404, "not-found");
        here.settled().await;
        audiences_are_true(here.store.db()).await;
        here.stop().await;
    }
);

story!(
    what_had_left_the_filter_before_it_was_erased_is_erased_here_too,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let home = node.get("/v1/regions/hessen").await.expect(200);
        let filter = json!({"home_regions": [home.id()]});
        let intake = Intake::new(&here, "nachbar", &node.base, filter).await;
        let id = actor(node, "Alt").await;
        let stays = actor(node, "Bleibt").await;
        intake.pull().await;
        // It is merged elsewhere, and its last body stays here, since the merge target is found by it.
        change(node, &id, json!({"home_region": "bayern"})).await;
        let merge = node.post(&format!("/v1/actors/{id}/merge"));
        merge.json(&json!({"into": stays})).await.expect(200);
        intake.pull().await;
        erase(node, &id).await;
        intake.pull().await;
        assert_eq!(bodies(&here, &id).await, 0);
        here.stop().await;
    }
);

story!(
    what_was_merged_into_the_merged_is_erased_too,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let mut chain = Vec::new();
        for name in ["Erste", "Zweite", "Dritte", "Vierte"] {
            chain.push(actor(node, name).await);
        }
        intake.pull().await;
        for pair in chain.windows(2) {
            let merge = node.post(&format!("/v1/actors/{}/merge", pair[0]));
            merge.json(&json!({"into": pair[1]})).await.expect(200);
        }
        intake.pull().await;
        // The third, and with it everything that was merged into it.
        erase(node, &chain[2]).await;
        intake.pull().await;
        for there in [node, &*here] {
            for id in &chain[..3] {
                assert_eq!(bodies(there, id).await, 0, "{}", there.store.node().origin);
            }
        }
        here.get(&format!("/v1/actors/{}", chain[3]))
            .await
            .expect(200);
        here.stop().await;
    }
);
