//! Log consumers: every entry, in order, through errors, restarts and several instances.

mod visibility;

use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use persistence::consumers::{Entry, LogConsumer, run};
use persistence::jobs::BackgroundJobs;
use persistence::transaction::WriteOptions;
use persistence::{Result, Store, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tests::database::Database;
use tests::node::settled;
use tests::tables::change;
use tests::{Backend, Content, story};
use tokio::sync::watch;

/// A database without log consumers.
async fn unfollowed(backend: Backend) -> (Database, Store) {
    let database = Database::new(backend, Content::Empty).await;
    let store = open(&database).await;
    (database, store)
}

async fn open(database: &Database) -> Store {
    let store = Store::open(&database.url, None, Clock::default()).await;
    store.unwrap()
}

async fn close(database: Database, stores: impl IntoIterator<Item = Store>) {
    for store in stores {
        store.db().clone().close().await;
    }
    database.remove().await;
}

/// Creates `count` topics in one transaction.
async fn topics(store: &Store, count: usize) {
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let made = store.write(&caller, &options, async |tx| {
        for number in 0..count {
            let body = json!({"name": format!("Thema {number}"), "slug": format!("t-{}", domain::base::id::new())});
            tx.records().create(Kind::Topic, domain::base::id::new(), body).await?;
        }
        Ok(())
    });
    made.await.unwrap();
}

/// A consumer in memory that fails at some of its calls.
#[derive(Debug, Clone, Default)]
struct Listener {
    /// The entries that it was given and processed, batch by batch.
    taken: Arc<Mutex<Vec<Vec<Entry>>>>,
    calls: Arc<Mutex<usize>>,
    fails_at: Vec<usize>,
}

impl Listener {
    fn entries(&self) -> Vec<Entry> {
        self.taken.lock().unwrap().concat()
    }
}

impl LogConsumer for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    async fn cursor(&mut self) -> Result<i64> {
        Ok(self.entries().last().map_or(0, |entry| entry.seq))
    }

    async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if self.fails_at.contains(&calls) {
            return Err(StoreError::Corrupt("fails on purpose".to_owned()));
        }
        self.taken.lock().unwrap().push(entries.to_vec());
        Ok(())
    }
}

story!(every_entry_comes_once_and_in_order, async |node| {
    let (database, store) = unfollowed(node.backend).await;
    topics(&store, 30).await;
    topics(&store, 1200).await;
    let listener = Listener::default();
    let background = BackgroundJobs::none().with(&store, listener.clone());
    settled(&store, &background).await;
    // Later entries arrive too, including those of another instance.
    topics(&store, 3).await;
    settled(&store, &background).await;
    let other = open(&database).await;
    topics(&other, 1001).await;
    settled(&store, &background).await;
    background.stop().await;

    let log = change::Entity::find()
        .order_by_asc(change::Column::Seq)
        .all(store.db().reader())
        .await
        .unwrap();
    let expected: Vec<_> = log.iter().map(|row| (row.seq, row.record_id)).collect();
    let seen = listener.entries();
    let seen: Vec<_> = seen.iter().map(|row| (row.seq, row.record_id)).collect();
    assert_eq!(seen, expected);
    for batch in listener.taken.lock().unwrap().iter() {
        let last = batch.last().unwrap();
        let rest = log.iter().find(|row| row.seq == last.seq + 1);
        assert!(
            rest.is_none_or(|row| row.tx != last.tx),
            "a torn transaction"
        );
    }
    close(database, [store, other]).await;
});

story!(errors_hold_a_consumer_up_and_lose_nothing, async |node| {
    let (database, store) = unfollowed(node.backend).await;
    let listener = Listener {
        fails_at: vec![1, 2, 4],
        ..Listener::default()
    };
    let background = BackgroundJobs::none().with(&store, listener.clone());
    settled(&store, &background).await;
    topics(&store, 5).await;
    settled(&store, &background).await;
    background.stop().await;
    let seen: Vec<i64> = listener.entries().iter().map(|entry| entry.seq).collect();
    let head = store.log().head().await.unwrap();
    assert_eq!(seen, (1..=head).collect::<Vec<_>>());
    assert!(*listener.calls.lock().unwrap() >= 5);
    close(database, [store]).await;
});

story!(
    a_consumer_ends_when_nobody_could_stop_it_any_more,
    async |node| {
        let (told, stop) = watch::channel(false);
        let (reached, _) = watch::channel(0);
        drop(told);
        run(&node.store, Listener::default(), stop, &reached).await;
    }
);

async fn touches(store: &Store) -> u64 {
    let touches = change::Entity::find().filter(change::Column::Op.eq("visibility"));
    touches.count(store.db().reader()).await.unwrap()
}

async fn touches_per_transaction(store: &Store) -> Vec<i64> {
    let counts = change::Entity::find()
        .select_only()
        .column_as(change::Column::Seq.count(), "touches")
        .filter(change::Column::Op.eq("visibility"))
        .group_by(change::Column::Tx)
        .order_by_asc(change::Column::Tx)
        .into_tuple()
        .all(store.db().reader());
    counts.await.unwrap()
}
