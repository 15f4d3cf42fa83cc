//! Freshness: a list sees every write that was acknowledged before the request.

use super::{make, names, page};
use futures::future::join_all;
use serde_json::json;
use tests::{Node, story};

async fn writes_and_looks(node: &Node, client: usize, rounds: usize) {
    for round in 0..rounds {
        let name = format!("Praxis {client} {round}");
        let id = make(node, "actors", json!({"name": name})).await;
        let found = page(node, &format!("actors?id={id}&facets=home_region")).await;
        assert_eq!(names(&found), [name.as_str()]);
        let quoted = name.replace(' ', "%20");
        let typed = page(node, &format!("search?q=%22{quoted}%22")).await;
        assert!(names(&typed).contains(&name.as_str()), "{name}");
        let answer = node.get(&format!("/v1/actors/{id}")).await.expect(200);
        let gone = node
            .delete(&format!("/v1/actors/{id}"))
            .if_match(answer.etag())
            .await;
        gone.expect(204);
        assert_eq!(page(node, &format!("actors?id={id}")).await["total"], 0);
    }
}

story!(one_client_sees_its_own_writes, async |node| {
    writes_and_looks(node, 0, 10).await;
});

story!(eight_clients_see_their_own_writes, async |node| {
    join_all((0..8).map(|client| writes_and_looks(node, client, 3))).await;
});

story!(thirty_two_clients_see_their_own_writes, async |node| {
    join_all((0..32).map(|client| writes_and_looks(node, client, 2))).await;
});

story!(
    relationships_appear_and_vanish_with_their_ends,
    async |node| {
        let draft = json!({"name": "Entwurfsverbund", "publication": "draft"});
        let network = make(node, "networks", draft).await;
        let actor = make(node, "actors", json!({"name": "Mitglied"})).await;
        let edge = json!({"type": "member_of", "from": {"kind": "actor", "id": actor}, "to": {"kind": "network", "id": network}});
        make(node, "relationships", edge).await;
        let path = format!("/v1/networks/{network}");
        let publish = async |publication: &str| {
            let etag = node
                .get(&path)
                .token(&node.admin)
                .await
                .expect(200)
                .etag()
                .to_owned();
            let body = json!({"publication": publication});
            node.patch(&path)
                .if_match(&etag)
                .json(&body)
                .await
                .expect(200);
        };
        // A draft cannot even be referenced.
        node.get(&format!("/v1/actors?member_of={network}"))
            .await
            .problem(400, "unknown-reference");
        let unseen = node
            .get(&format!("/v1/actors?member_of={network}"))
            .token(&node.admin)
            .await
            .expect(200);
        assert_eq!(
            unseen.json["total"], 0,
            "a list of what is published counts what is public only"
        );
        publish("published").await;
        let seen = page(node, &format!("actors?member_of={network}")).await;
        assert_eq!(names(&seen), ["Mitglied"]);
        assert_eq!(
            names(&page(node, &format!("networks?has_member={actor}")).await),
            ["Entwurfsverbund"]
        );
        publish("archived").await;
        assert_eq!(
            page(node, &format!("networks?has_member={actor}")).await["total"],
            0
        );
    }
);
