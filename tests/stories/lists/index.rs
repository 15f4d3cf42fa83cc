//! The index is disposable: it is rebuilt when it is lost, and catches up on missed entries.

use super::{make, page};
use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use persistence::jobs::BackgroundJobs;
use persistence::search::filter::Filter;
use persistence::search::{IndexPlace, ListQuery, Order, Search, Sort};
use persistence::{Store, StoreError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tests::node::settled;
use tests::tables::record;
use tests::{Node, story};
use uuid::Uuid;

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

async fn opened(node: &Node, folder: &std::path::Path) -> (Store, Search, BackgroundJobs) {
    let store = Store::open(&node.database_url, None, Clock::default())
        .await
        .unwrap();
    let search = Search::new(store.clone(), IndexPlace::Folder(folder.to_owned()));
    let background = BackgroundJobs::none().with(&store, search.consumer());
    settled(&store, &background).await;
    (store, search, background)
}

/// The total, once the index is there: a busy machine may take long to rebuild it.
async fn total(search: &Search) -> u64 {
    let total = async {
        loop {
            match search.list(&Caller::anonymous(), &actors()).await {
                Ok(page) => return page.total,
                Err(StoreError::Behind) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let total = tokio::time::timeout(Duration::from_mins(1), total).await;
    total.expect("the index is built")
}

story!(
    another_instance_builds_its_own_index_and_keeps_up,
    Seeded,
    async |node| {
        let folder = tempfile::tempdir().unwrap();
        let here = page(node, "actors").await["total"].as_u64().unwrap();
        let (store, search, background) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here);
        make(node, "actors", json!({"name": "Nachzügler"})).await;
        settled(&store, &background).await;
        assert_eq!(total(&search).await, here + 1);

        // It stops, misses writes, and returns: it catches up without a rebuild.
        background.stop().await;
        drop(search);
        make(node, "actors", json!({"name": "Während der Pause"})).await;
        let (_, search, background) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 2);
        background.stop().await;
        drop(search);

        // Its folder is lost.
        std::fs::remove_dir_all(folder.path()).unwrap();
        let (_, search, background) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 2);
        background.stop().await;
        drop(search);

        // Its folder is damaged.
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().path();
            if file.file_name().unwrap() == "meta.json" {
                std::fs::write(file, b"{").unwrap();
            }
        }
        let (_, search, background) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 2);
        background.stop().await;
    }
);

story!(
    a_file_in_the_place_of_the_index_is_replaced,
    Seeded,
    async |node| {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("index");
        std::fs::write(&place, "no index").unwrap();
        let here = page(node, "actors").await["total"].as_u64().unwrap();
        let (_, search, background) = opened(node, &place).await;
        assert_eq!(total(&search).await, here);
        background.stop().await;
    }
);

story!(an_index_of_another_log_is_not_used, Seeded, async |node| {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", other.path().join("other.sqlite").display());
    let store = Store::open(&url, None, Clock::default()).await.unwrap();
    let search = Search::new(store.clone(), IndexPlace::Folder(folder.path().to_owned()));
    let background = BackgroundJobs::none().with(&store, search.consumer());
    settled(&store, &background).await;
    assert_eq!(total(&search).await, 0);
    background.stop().await;
    drop(search);
    store.db().clone().close().await;
    let (_, search, background) = opened(node, folder.path()).await;
    let here = page(node, "actors").await["total"].as_u64().unwrap();
    assert_eq!(total(&search).await, here);
    background.stop().await;
});

story!(a_read_that_cannot_be_fresh_says_so, Seeded, async |node| {
    // No consumer updates this index.
    let search = Search::new(node.store.clone(), IndexPlace::Memory);
    let outcome = search.list(&Caller::anonymous(), &actors()).await;
    assert!(
        matches!(outcome, Err(persistence::StoreError::Behind)),
        "{outcome:?}"
    );
});

/// The files of an index that hold terms, largest first.
fn terms(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|name| name == "term"))
        .collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    // Not in place, because the file is mapped into memory.
    let other = path.with_extension("damaged");
    std::fs::write(&other, bytes).unwrap();
    std::fs::rename(other, path).unwrap();
}

story!(a_damaged_index_heals_itself, Seeded, async |node| {
    let folder = tempfile::tempdir().unwrap();
    let here = page(node, "actors").await["total"].as_u64().unwrap();
    let marker = folder.path().join("in-use");
    let build = async || {
        let (_, search, background) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here);
        assert!(marker.exists());
        background.stop().await;
        drop(search);
        assert!(!marker.exists());
        let files = terms(folder.path());
        assert!(!files.is_empty());
        files
    };
    // A file is missing.
    std::fs::remove_file(&build().await[0]).unwrap();
    let (_, search, background) = opened(node, folder.path()).await;
    assert_eq!(total(&search).await, here);
    background.stop().await;
    drop(search);
    // A byte differs, and the previous process was killed: the index is verified before it is read.
    damage(&build().await[0]);
    std::fs::write(&marker, "").unwrap();
    let (_, search, background) = opened(node, folder.path()).await;
    assert_eq!(total(&search).await, here);
    background.stop().await;
    drop(search);
    // A byte differs for another reason: it is detected in use, and the index is rebuilt.
    let damaged = build().await;
    damage(&damaged[0]);
    let (store, search, background) = opened(node, folder.path()).await;
    let healed = async {
        while damaged[0].exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let healed = tokio::time::timeout(Duration::from_mins(1), healed).await;
    healed.expect("it is rebuilt");
    settled(&store, &background).await;
    assert_eq!(total(&search).await, here);
    background.stop().await;
    drop(search);
    // An operator rebuilds it, whatever is in its folder.
    for file in build().await {
        std::fs::remove_file(file).unwrap();
    }
    let search = Search::new(
        node.store.clone(),
        IndexPlace::Folder(folder.path().to_owned()),
    );
    search.reindex().await.unwrap();
    drop(search);
    build().await;
    std::fs::write(folder.path().join("meta.json"), "{").unwrap();
    let search = Search::new(
        node.store.clone(),
        IndexPlace::Folder(folder.path().to_owned()),
    );
    search.reindex().await.unwrap();
    drop(search);
    build().await;
});

story!(
    a_row_that_cannot_be_read_hides_no_other,
    Seeded,
    async |node| {
        let here = page(node, "actors").await["total"].as_u64().unwrap();
        let broken = make(node, "actors", json!({"name": "Kaputt"})).await;
        let id: Uuid = broken.parse().unwrap();
        record::Entity::update_many()
            .col_expr(record::Column::Publication, Expr::value("shredded"))
            .filter(record::Column::Id.eq(id))
            .exec(node.store.db().reader())
            .await
            .unwrap();
        // In use, and when the index is built.
        make(node, "actors", json!({"name": "Heil"})).await;
        node.settled().await;
        let folder = tempfile::tempdir().unwrap();
        let (_, search, background) = opened(node, folder.path()).await;
        assert_eq!(total(&search).await, here + 1);
        background.stop().await;
    }
);

story!(
    an_index_that_is_in_use_is_not_removed,
    Seeded,
    async |node| {
        let folder = tempfile::tempdir().unwrap();
        let here = page(node, "actors").await["total"].as_u64().unwrap();
        let (_, search, background) = opened(node, folder.path()).await;
        let place = IndexPlace::Folder(folder.path().to_owned());
        let other = Search::new(node.store.clone(), place);
        other.reindex().await.unwrap_err();
        assert_eq!(total(&search).await, here);
        background.stop().await;
    }
);
