//! The work of writes, counted in steps of SQLite's virtual machine, and the plans of their
//! statements: neither depends on the number of records.

use crate::db::observed;
use crate::load::LoadMode;
use crate::read::relationships::RelationshipFilter;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::{Edit, Precondition};
use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use domain::exchange::line::Line;
use domain::kinds::relationship::RelationshipType;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tempfile::TempDir;
use uuid::Uuid;

const SMALL: u32 = 500;
const LARGE: u32 = 50_000;

struct Node {
    store: Store,
    region: Uuid,
    network: Uuid,
    _folder: TempDir,
}

impl Node {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.sqlite").display());
        let store = Store::open(&url, Some("probe"), Clock::default())
            .await
            .unwrap();
        let mut node = Self {
            store,
            region: Uuid::nil(),
            network: Uuid::nil(),
            _folder: folder,
        };
        node.region = node
            .create(
                Kind::Region,
                &json!({"name": "Nordhessen", "slug": "nordhessen", "home_region": "nordhessen", "publication": "published"}),
            )
            .await;
        node.network = node.create(Kind::Network, &node.body("Pflegenetz")).await;
        let actor = node.create(Kind::Actor, &node.body("Klinikum")).await;
        node.create(Kind::Relationship, &node.member(actor)).await;
        node
    }

    fn body(&self, name: &str) -> Value {
        json!({"name": name, "home_region": self.region, "publication": "published"})
    }

    fn member(&self, actor: Uuid) -> Value {
        json!({
            "type": "member_of", "publication": "published", "home_region": self.region,
            "from": {"kind": "actor", "id": actor},
            "to": {"kind": "network", "id": self.network},
        })
    }

    async fn create(&self, kind: Kind, body: &Value) -> Uuid {
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let created = self.store.records().create(&caller, kind, body, &options);
        created.await.unwrap().row.id
    }

    /// Adds copies of the actor and of its membership until there are as many.
    async fn grow(&self, to: u32) {
        let raw = self.store.db().maintenance().await.unwrap();
        for sql in GROW {
            let sql = sql.replace("{to}", &to.to_string());
            raw.execute_unprepared(&sql).await.unwrap();
        }
        raw.close().await.unwrap();
    }

    /// The steps of one write.
    async fn steps(&self, work: impl AsyncFn(&mut Transaction<'_>)) -> u64 {
        let before = self.store.db().steps();
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let done = self.store.write(&caller, &options, async |tx| {
            work(tx).await;
            Ok(())
        });
        done.await.unwrap();
        self.store.db().steps() - before
    }

    /// The steps of a merge patch.
    async fn change(&self, kind: Kind, id: Uuid, patch: Value) -> u64 {
        self.steps(async |tx| {
            let row = tx.records().lock(kind, id, &Precondition::Any).await;
            let edit = Edit::Patch(patch.clone());
            tx.records().update(row.unwrap(), edit).await.unwrap();
        })
        .await
    }

    async fn delete(&self, kind: Kind, id: Uuid) -> u64 {
        self.steps(async |tx| {
            let row = tx.records().lock(kind, id, &Precondition::Any).await;
            tx.records().delete(row.unwrap()).await.unwrap();
        })
        .await
    }

    async fn make(&self, kind: Kind, id: Uuid, body: Value) -> u64 {
        self.steps(async |tx| {
            let made = tx.records().create(kind, id, body.clone()).await;
            made.unwrap();
        })
        .await
    }

    async fn merge(&self, loser: Uuid, into: Uuid) -> u64 {
        self.steps(async |tx| {
            let (loser, into) = ((Kind::Actor, loser), json!(into));
            let merged = tx.records().merge(loser, &into, &Precondition::Any);
            merged.await.unwrap();
        })
        .await
    }

    /// The steps of each kind of write.
    async fn costs(&self, round: u32) -> Vec<(&'static str, u64)> {
        let mut actor = self.body("Klinikum");
        actor["external_id"] = json!({"system": "his", "id": format!("k-{round}")});
        actor["identifiers"] = json!([{"scheme": "wikidata", "value": format!("Q26{round}")}]);
        let [id, other, edge] = [(); 3].map(|()| domain::base::id::new());
        let slug = json!({"slug": format!("klinikum-neu-{round}")});
        let draft = json!({"publication": "draft"});
        self.make(Kind::Actor, other, self.body("Klinikum")).await;
        vec![
            ("create", self.make(Kind::Actor, id, actor).await),
            ("update", self.change(Kind::Actor, id, slug).await),
            (
                "relate",
                self.make(Kind::Relationship, edge, self.member(id)).await,
            ),
            (
                "withdraw",
                self.change(Kind::Relationship, edge, draft).await,
            ),
            ("unrelate", self.delete(Kind::Relationship, edge).await),
            ("merge", self.merge(other, id).await),
            ("delete", self.delete(Kind::Actor, id).await),
        ]
    }

    /// The steps of an import of so many actors with one name.
    async fn import(&self, count: usize) -> u64 {
        let mut record = self.body("Praxis");
        record["kind"] = json!("actor");
        let lines = vec![Line::whole(1, record); count];
        self.steps(async |tx| {
            let loaded = tx
                .imports()
                .load(lines.clone(), LoadMode::Upsert)
                .await
                .unwrap();
            assert_eq!(loaded.len(), count);
            assert!(loaded.iter().all(|one| one.outcome.0.is_ok()), "{loaded:?}");
        })
        .await
    }

    /// The steps of a page of the memberships of the network, once their total is known.
    async fn page(&self, filter: RelationshipFilter) -> u64 {
        let caller = Caller::anonymous();
        let mut steps = 0;
        for _ in 0..2 {
            let before = self.store.db().read_steps();
            let page = self
                .store
                .relationships()
                .list(&caller, &filter, (20, None), "");
            assert!(!page.await.unwrap().items.is_empty());
            steps = self.store.db().read_steps() - before;
        }
        steps
    }

    /// The steps of SQLite for these statements that read much.
    async fn scans(&self, statements: &BTreeSet<String>) -> Vec<String> {
        let raw = self.store.db().maintenance().await.unwrap();
        let mut scans = Vec::new();
        for sql in statements.iter().filter(|sql| plans(sql)) {
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = Statement::from_string(DatabaseBackend::Sqlite, plan);
            for row in raw.query_all_raw(plan).await.unwrap() {
                let step: String = row.try_get_by_index(3).unwrap();
                if reads_much(&step) {
                    scans.push(format!("{step} of {sql}"));
                }
            }
        }
        raw.close().await.unwrap();
        scans
    }
}

const LARGE_TABLES: &[&str] = &[
    "record",
    "r",
    "change",
    "latest",
    "edge",
    "e",
    "edge_role",
    "identifier",
    "reference",
    "redirect",
    "tombstone",
    "merged",
    "mf",
    "mt",
    "held",
    "source_key",
    "contact_person",
    "other",
];

/// Whether a step of a plan reads a whole table, or everything of an origin, kind or type.
fn reads_much(step: &str) -> bool {
    let mut words = step.split(' ');
    let (verb, table) = (words.next(), words.next().unwrap_or_default());
    LARGE_TABLES.contains(&table)
        && match verb {
            Some("SCAN") => true,
            Some("SEARCH") => [
                "(origin=?)",
                "(kind=?)",
                "(origin=? AND kind=?)",
                "(type=?)",
            ]
            .iter()
            .any(|least| step.ends_with(least)),
            _ => false,
        }
}

fn plans(sql: &str) -> bool {
    ["SELECT", "WITH", "UPDATE", "DELETE", "INSERT"]
        .iter()
        .any(|verb| sql.starts_with(verb))
}

/// Copies of the first actor and its membership, with everything that is derived from them.
const GROW: &[&str] = &[
    "CREATE TEMP TABLE fresh AS WITH RECURSIVE n (i) AS (SELECT (SELECT count(*) FROM record \
         WHERE kind = 'actor') UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to}) \
     SELECT i, randomblob(16) AS id, randomblob(16) AS edge FROM n",
    "CREATE TEMP TABLE model AS SELECT * FROM record WHERE kind = 'actor' ORDER BY created_at LIMIT 1",
    "CREATE TEMP TABLE bond AS SELECT * FROM record WHERE kind = 'relationship' ORDER BY created_at LIMIT 1",
    "CREATE TEMP TABLE joined AS SELECT edge.* FROM edge JOIN bond ON edge.record_id = bond.id",
    "UPDATE model SET seq = 0",
    "UPDATE bond SET seq = 0",
    "CREATE TEMP TABLE many AS SELECT model.*, fresh.id AS new_id, fresh.i AS i FROM model, fresh",
    "UPDATE many SET id = new_id, slug = 'klinikum-' || i, system = 'his', external_id = 'alt-' || i",
    "CREATE TEMP TABLE bonds AS SELECT bond.*, fresh.edge AS new_id, fresh.i AS i FROM bond, fresh",
    "UPDATE bonds SET id = new_id, relationship_key = 'bond-' || i",
    "ALTER TABLE many DROP COLUMN new_id",
    "ALTER TABLE many DROP COLUMN i",
    "ALTER TABLE bonds DROP COLUMN new_id",
    "ALTER TABLE bonds DROP COLUMN i",
    "INSERT INTO record SELECT * FROM many",
    "INSERT INTO record SELECT * FROM bonds",
    "CREATE TEMP TABLE edges AS SELECT joined.*, fresh.edge AS new_edge, fresh.id AS new_from FROM joined, fresh",
    "UPDATE edges SET record_id = new_edge, from_id = new_from",
    "ALTER TABLE edges DROP COLUMN new_edge",
    "ALTER TABLE edges DROP COLUMN new_from",
    "INSERT INTO edge SELECT * FROM edges",
    "INSERT INTO identifier (record_id, scheme, value, origin, copied) \
     SELECT id, 'wikidata', 'Q27' || i, 'probe', false FROM fresh",
    "INSERT INTO tombstone (id, kind, origin, system, external_id, version, was_public, cause, created_at, deleted_at) \
     SELECT randomblob(16), 'actor', 'probe', 'his', 'weg-' || i, 2, true, 'deleted', 0, 0 FROM fresh",
    "INSERT INTO merged (loser_id, target_id) SELECT randomblob(16), id FROM fresh",
    "INSERT INTO change (seq, nonce, tx, kind, record_id, origin, op, version, newest, at, bulk, erased) \
     SELECT -i, 1, -i, 'actor', id, 'probe', 'upsert', 1, true, 0, true, false FROM fresh",
    "DROP TABLE fresh",
    "DROP TABLE model",
    "DROP TABLE bond",
    "DROP TABLE joined",
    "DROP TABLE many",
    "DROP TABLE bonds",
    "DROP TABLE edges",
];

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_write_costs_the_same_among_fifty_thousand_records() {
    wait_for(async {
        let node = Node::open().await;
        node.grow(SMALL).await;
        // What the first of a kind prepares is not counted.
        node.costs(0).await;
        let small = node.costs(1).await;
        let few = node.import(50).await;
        node.grow(LARGE).await;
        let large = node.costs(2).await;
        let many = node.import(100).await;
        for ((what, small), (_, large)) in small.iter().zip(&large) {
            assert!(
                *large * 10 <= *small * 13,
                "{what}: {small} steps among {SMALL} records, {large} among {LARGE}"
            );
        }
        assert!(
            many * 10 <= few * 22,
            "import: {few} steps for 50 lines, {many} for 100"
        );
    });
}

#[test]
fn a_page_of_relationships_costs_the_same_among_fifty_thousand() {
    wait_for(async {
        let node = Node::open().await;
        let around = RelationshipFilter {
            around: vec![node.network],
            ..RelationshipFilter::default()
        };
        let to = RelationshipFilter {
            to: vec![vec![node.network]],
            types: vec![vec![RelationshipType::MemberOf]],
            ..RelationshipFilter::default()
        };
        let filters = [RelationshipFilter::default(), around, to];
        node.grow(SMALL).await;
        let mut small = Vec::new();
        for filter in &filters {
            small.push(node.page(filter.clone()).await);
        }
        node.grow(LARGE).await;
        for (filter, small) in filters.iter().zip(small) {
            let large = node.page(filter.clone()).await;
            assert!(
                large * 10 <= small * 13,
                "{filter:?}: {small} steps among {SMALL}, {large} among {LARGE}"
            );
        }
    });
}

#[test]
fn every_statement_of_a_write_uses_an_index() {
    wait_for(async {
        let node = Node::open().await;
        observed::statements();
        node.costs(0).await;
        node.import(3).await;
        let statements = observed::statements();
        assert!(statements.len() > 30, "{statements:#?}");
        node.grow(SMALL).await;
        assert_eq!(node.scans(&statements).await, [""; 0], "without statistics");
        node.grow(LARGE).await;
        let raw = node.store.db().maintenance().await.unwrap();
        raw.execute_unprepared("ANALYZE").await.unwrap();
        raw.close().await.unwrap();
        assert_eq!(node.scans(&statements).await, [""; 0], "with statistics");
    });
}
