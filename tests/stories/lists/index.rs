//! The index is disposable: it is built anew when it is lost, and made up for what it missed.

use super::{make, page};
use domain::access::Caller;
use domain::clock::Clock;
use domain::resource::Kind;
use persistence::Store;
use persistence::follow::Followers;
use persistence::search::filter::Filter;
use persistence::search::{IndexPlace, ListQuery, Order, Search, Sort};
use serde_json::json;
use tests::node::settled;
use tests::{Node, story};

fn actors() -> ListQuery {
    ListQuery {
        filter: Filter {
            kinds: vec![Kind::Actor],
            ..Filter::default()
        },
        order: Order {
            sort: Sort::Name,
            descending: false,
        },
        near: None,
        limit: 200,
        cursor: None,
        facets: vec!["category".to_owned()],
        text: String::new(),
    }
}

async fn opened(node: &Node, folder: &std::path::Path) -> (Store, Search, Followers) {
    let store = Store::open(&node.database_url, None, Clock::System)
        .await
        .unwrap();
    let search = Search::new(store.clone(), IndexPlace::Folder(folder.to_owned()));
    let followers = Followers::none().with(&store, search.follower());
    settled(&store, &followers).await;
    (store, search, followers)
}

async fn total(search: &Search) -> u64 {
    search
        .list(&Caller::anonymous(), &actors())
        .await
        .unwrap()
        .total
}

story!(
    another_instance_builds_its_own_index_and_keeps_up,
    Seeded,
    async |node| {
        let folder = tempfile::tempdir().unwrap();
        let here = page(node, "actors").await["total"].as_u64().unwrap();
        let (store, search, followers) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here);
        make(node, "actors", json!({"name": "Nachzügler"})).await;
        settled(&store, &followers).await;
        assert_eq!(total(&search).await, here + 1);

        // It stops, misses writes, and comes back: what it missed is made up for, nothing is rebuilt.
        followers.stop().await;
        drop(search);
        make(node, "actors", json!({"name": "Während der Pause"})).await;
        let (_, search, followers) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 2);
        followers.stop().await;
        drop(search);

        // Its folder is lost.
        std::fs::remove_dir_all(folder.path()).unwrap();
        let (_, search, followers) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 2);
        followers.stop().await;
        drop(search);

        // Its folder is damaged.
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().path();
            if file.file_name().unwrap() == "meta.json" {
                std::fs::write(file, b"{").unwrap();
            }
        }
        let (_, search, followers) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 2);
        followers.stop().await;
    }
);

story!(an_index_of_another_log_is_not_used, Seeded, async |node| {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", other.path().join("other.sqlite").display());
    let store = Store::open(&url, None, Clock::System).await.unwrap();
    let search = Search::new(store.clone(), IndexPlace::Folder(folder.path().to_owned()));
    let followers = Followers::none().with(&store, search.follower());
    settled(&store, &followers).await;
    assert_eq!(total(&search).await, 0);
    followers.stop().await;
    drop(search);
    store.db().clone().close().await;
    let (_, search, followers) = opened(node, folder.path()).await;
    let here = page(node, "actors").await["total"].as_u64().unwrap();
    assert_eq!(total(&search).await, here);
    followers.stop().await;
});

story!(a_read_that_cannot_be_fresh_says_so, Seeded, async |node| {
    // Nothing follows the log of this one.
    let search = Search::new(node.store.clone(), IndexPlace::Memory);
    let outcome = search.list(&Caller::anonymous(), &actors()).await;
    assert!(
        matches!(outcome, Err(persistence::StoreError::Behind)),
        "{outcome:?}"
    );
});
