//! Thirty-two writers with slow and failing transactions, while the log is consumed, replicas read
//! the feed, and a partner copies it.

use super::between;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use futures::future::join_all;
use persistence::StoreError;
use persistence::partner::PageOutcome;
use persistence::transaction::{Transaction, WriteOptions};
use persistence::write::{Edit, Precondition};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tests::audit::audit;
use tests::database::look;
use tests::settings::{chance, full, tell};
use tests::tables::{change, node as state};
use tests::{Intake, Neighbour, Node, Replica, story};
use uuid::Uuid;

const WRITERS: usize = 32;
const FOLLOWERS: u32 = 4;

/// Short compared to the writing of a page, and long enough that the writers proceed.
const BETWEEN_READS: Duration = Duration::from_millis(200);

/// A step of a transaction, drawn in advance because it may be retried.
#[derive(Debug, Clone)]
enum Step {
    Create(String),
    Change(Uuid, String),
    Join(Uuid, Uuid, String),
    Delete(Uuid),
    Renew(Uuid, String),
    Pause(Duration),
}

/// The result of a step: a version of a record, and the mark in its body unless it was deleted.
type Left = (Uuid, i64, Option<String>);

#[derive(Default)]
struct Journal {
    /// Networks to choose from; a pending transaction may be deleting them.
    known: RefCell<Vec<Uuid>>,
    kept: RefCell<Vec<Vec<Left>>>,
    broken: Cell<usize>,
}

impl Journal {
    /// One to four steps with pauses between them and before the end.
    fn plan(&self, chance: &mut StdRng, name: &str) -> Vec<Step> {
        let known = self.known.borrow();
        let mut steps = Vec::new();
        for number in 0..chance.random_range(1..=4) {
            let mark = format!("{name}.{number}");
            let mut any = || known[chance.random_range(0..known.len())];
            let (one, other) = (any(), any());
            steps.push(match chance.random_range(0..100) {
                0..35 => Step::Create(mark),
                35..70 => Step::Change(one, mark),
                70..85 if one != other => Step::Join(one, other, mark),
                85..90 => Step::Renew(one, mark),
                _ => Step::Delete(one),
            });
            // Some are slow between two changes, or before the end.
            if chance.random_bool(0.2) {
                let pause = chance.random_range(0..3000);
                steps.push(Step::Pause(Duration::from_micros(pause)));
            }
        }
        steps
    }

    fn keep(&self, left: Vec<Left>, steps: &[Step]) {
        let mut known = self.known.borrow_mut();
        let doing = steps.iter().filter(|step| !matches!(step, Step::Pause(_)));
        for (step, (id, ..)) in doing.zip(&left) {
            match step {
                Step::Create(_) => known.push(*id),
                Step::Delete(_) => known.retain(|one| one != id),
                Step::Change(..) | Step::Join(..) | Step::Renew(..) | Step::Pause(_) => {}
            }
        }
        self.kept.borrow_mut().push(left);
    }
}

/// A network with a key by which it can be created again.
fn body(mark: &str) -> Value {
    json!({
        "name": mark,
        "network_type": "alliance",
        "home_region": "hessen",
        "external_id": {"system": "stress", "id": mark},
        "summary": mark,
        "publication": "published",
    })
}

async fn carry_out(tx: &mut Transaction<'_>, steps: &[Step]) -> Result<Vec<Left>, StoreError> {
    let mut left = Vec::new();
    for step in steps {
        match step {
            Step::Create(mark) => {
                let id = domain::base::id::new();
                let saved = tx.records().create(Kind::Network, id, body(mark)).await?;
                left.push((saved.row.id, 1, Some(mark.clone())));
            }
            Step::Change(id, mark) => {
                let old = tx
                    .records()
                    .lock(Kind::Network, *id, &Precondition::Any)
                    .await?;
                let edit = Edit::Patch(json!({"summary": mark}));
                let saved = tx.records().update(old, edit).await?;
                left.push((*id, saved.row.version, Some(mark.clone())));
            }
            Step::Join(one, other, mark) => {
                let mut body = between("related_to", &one.to_string(), &other.to_string());
                body["note"] = json!(mark);
                body["publication"] = json!("published");
                body["valid"] = json!({"from": "2020", "to": "2021"});
                let saved = tx
                    .records()
                    .create(Kind::Relationship, domain::base::id::new(), body)
                    .await?;
                left.push((saved.row.id, 1, Some(mark.clone())));
            }
            Step::Delete(id) => {
                let old = tx
                    .records()
                    .lock(Kind::Network, *id, &Precondition::Any)
                    .await?;
                left.push((*id, old.version + 1, None));
                tx.records().delete(old).await?;
            }
            // Deleted and created again in one transaction, it is the same record.
            Step::Renew(id, mark) => {
                let old = tx
                    .records()
                    .lock(Kind::Network, *id, &Precondition::Any)
                    .await?;
                let mut body: Value = serde_json::from_str(&old.body).unwrap();
                body["summary"] = json!(mark);
                tx.records().delete(old.clone()).await?;
                let new = domain::base::id::new();
                let saved = tx.records().create(Kind::Network, new, body).await?;
                assert_eq!((saved.row.id, saved.row.version), (*id, old.version + 2));
                left.push((*id, saved.row.version, Some(mark.clone())));
            }
            Step::Pause(pause) => tokio::time::sleep(*pause).await,
        }
    }
    Ok(left)
}

async fn writer(node: &Node, journal: &Journal, mut chance: StdRng, number: usize, count: usize) {
    let caller = Caller::node();
    for turn in 0..count {
        let steps = journal.plan(&mut chance, &format!("w{number}.{turn}"));
        let breaks = chance.random_bool(0.05);
        let options = WriteOptions {
            dry_run: chance.random_bool(0.03),
            ..WriteOptions::default()
        };
        let work = async |tx: &mut Transaction<'_>| {
            let left = carry_out(tx, &steps).await?;
            if breaks {
                return Err(StoreError::Setup("given up".to_owned()));
            }
            Ok(left)
        };
        match node.store.write(&caller, &options, work).await {
            Ok(left) if !options.dry_run => journal.keep(left, &steps),
            // Rolled back on purpose, or because another has deleted the record.
            Ok(_) | Err(StoreError::Setup(_) | StoreError::NotFound | StoreError::Invalid(_)) => {
                journal.broken.set(journal.broken.get() + 1);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Reads new entries until the writers are done and everything is read.
async fn follower(log: &DatabaseConnection, from: i64, writing: &Cell<bool>) -> Vec<(i64, i64)> {
    let mut seen = Vec::new();
    let mut last = from;
    loop {
        let done = !writing.get();
        let head = state::Entity::find_by_id(1).one(log).await.unwrap();
        let head = head.unwrap().head;
        let rows = change::Entity::find()
            .filter(change::Column::Seq.gt(last))
            .order_by_asc(change::Column::Seq)
            .all(log)
            .await
            .unwrap();
        seen.extend(rows.iter().map(|row| (row.seq, row.nonce)));
        last = rows.last().map_or(last, |row| row.seq);
        assert!(
            last >= head,
            "{head} was announced, but only {last} is there"
        );
        if done {
            return seen;
        }
        tokio::time::sleep(BETWEEN_READS).await;
    }
}

/// Reads the feed until the writers are done and everything is read. The replica checks that
/// nothing is repeated or out of order.
async fn reader(node: &Node, filter: &str, writing: &Cell<bool>) -> Replica {
    let mut replica = Replica::without_checkpoints(filter);
    while writing.get() {
        replica.page(node).await;
        tokio::time::sleep(BETWEEN_READS).await;
    }
    node.settled().await;
    replica.catch_up(node).await;
    replica
}

/// Applies pages until the writers are done and everything is copied.
async fn partner(node: &Node, intake: &Intake<'_>, writing: &Cell<bool>) {
    let mut last = false;
    loop {
        match intake.step().await {
            Some(Ok(PageOutcome::UpToDate)) if last => return,
            Some(taken) => drop(taken.unwrap()),
            // Many were deleted at once, and an operator has approved it.
            None => intake.approve_deletions().await,
        }
        if !writing.get() {
            node.settled().await;
            last = true;
        }
        tokio::time::sleep(BETWEEN_READS).await;
    }
}

story!(followers_miss_nothing_under_many_writers, async |node| {
    let mut chance = chance();
    let transactions = if full() { 100_000 } else { 5_000 };
    let journal = Journal::default();
    for number in 0..20 {
        let id = node.made("networks", body(&format!("w-{number}"))).await;
        journal.known.borrow_mut().push(id.parse().unwrap());
    }
    let log = look(&node.database_url, FOLLOWERS).await;
    let before = audit(node.store.db()).await.log.len();
    let from = i64::try_from(before).unwrap();

    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let begun = Instant::now();
    let writing = Cell::new(true);
    let writers = (0..WRITERS).map(|number| {
        let own = StdRng::seed_from_u64(chance.random());
        writer(node, &journal, own, number, transactions / WRITERS)
    });
    let writers = async {
        join_all(writers.collect::<Vec<_>>()).await;
        writing.set(false);
    };
    let followers = join_all((0..FOLLOWERS).map(|_| follower(&log, from, &writing)));
    let filters = ["", "limit=20", "kind=relationship"];
    let readers = join_all(filters.map(|filter| reader(node, filter, &writing)));
    let taking = partner(node, &intake, &writing);
    let ((), followed, replicas, ()) = futures::join!(writers, followers, readers, taking);
    let took = begun.elapsed();
    for replica in &replicas {
        replica.equals(node).await;
    }
    intake.equals(node, "").await;

    let audited = audit(node.store.db()).await;
    let written: Vec<_> = audited.log[before..]
        .iter()
        .map(|entry| (entry.seq, entry.nonce))
        .collect();
    for seen in &followed {
        assert!(
            *seen == written,
            "every consumer has read every entry once, in order"
        );
    }

    // Committed results are complete, and nothing else exists.
    let kept = journal.kept.take();
    let mut marks = BTreeSet::new();
    for unit in &kept {
        let mut transactions = BTreeSet::new();
        for (id, version, mark) in unit {
            let entry = audited.entry(*id, *version).unwrap();
            transactions.insert(entry.tx);
            let body = audited.body(*id, *version);
            let found = body.as_ref().map(|body| {
                let mark = body.get("note").or_else(|| body.get("summary"));
                mark.unwrap().as_str().unwrap().to_owned()
            });
            assert_eq!(found, *mark, "version {version} of {id}");
            marks.extend(found);
        }
        assert_eq!(transactions.len(), 1, "{unit:?}");
    }
    let found: BTreeSet<String> = audited
        .bodies()
        .filter_map(|body| {
            let body: Value = serde_json::from_str(body).unwrap();
            let mark = body.get("note").or_else(|| body.get("summary"))?;
            mark.as_str().map(str::to_owned)
        })
        .filter(|text| text.starts_with('w') && text.contains('.'))
        .collect();
    assert_eq!(found, marks, "what was rolled back left nothing");
    audit(here.store.db()).await;
    drop(intake);
    here.stop().await;
    log.close().await.unwrap();
    tell(&format!(
        "{:?}: {} transactions kept, {} given up, {} entries, {took:?}",
        node.backend,
        kept.len(),
        journal.broken.get(),
        written.len(),
    ));
});
