//! Actions of editors at the nodes.

use super::World;
use super::truth::Act;
use crate::tables::record;
use domain::access::rules::{Caller, Grant, Role, Scope};
use domain::base::kind::Kind;
use persistence::StoreError;
use persistence::transaction::WriteOptions;
use persistence::write::Precondition;
use rand::Rng;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

const STATES: [&str; 5] = ["published", "published", "published", "draft", "archived"];
const NAMES: [&str; 4] = ["Klinik", "Praxis", "Verein", "Amt"];
const KINDS: [Kind; 3] = [Kind::Actor, Kind::Network, Kind::Topic];

pub(super) fn region(number: usize) -> Uuid {
    const IDS: [u128; 3] = [
        0x8e44_5e35_e294_543a_9ac0_79bf_21f5_cb7c,
        0x78de_e500_b184_59f3_a935_865d_e07c_7515,
        0x530b_901a_beda_59ad_85f6_819f_0508_312d,
    ];
    Uuid::from_u128(IDS[number])
}

fn editor() -> Caller {
    Caller {
        account: Some(Uuid::from_u128(7)),
        grants: vec![Grant {
            role: Role::Admin,
            scope: Scope::Node,
            system: None,
        }],
    }
}

impl World<'_> {
    fn one_of<'a>(&mut self, some: &[&'a str]) -> &'a str {
        some[self.rng.random_range(0..some.len())]
    }

    pub(super) async fn write(&mut self) {
        let node = self.any_node();
        self.write_at(node).await;
        if self.chance(40) {
            self.nodes[node].follow().await;
            self.nodes[node].remember();
        }
    }

    /// One to three changes in one transaction, which may be rolled back; and undoing a merge.
    pub(super) async fn write_at(&mut self, node: usize) {
        if self.chance(4) {
            return self.unmerge(node).await;
        }
        let count = [1, 1, 1, 2, 3][self.rng.random_range(0..5)];
        let mut acts = Vec::new();
        for _ in 0..count {
            acts.extend(self.act(node));
        }
        // The program erases in a separate transaction.
        if let Some(erasure) = acts.iter().position(|act| matches!(act, Act::Erase(..))) {
            acts = vec![acts.remove(erasure)];
        }
        let given_up = self.chance(4);
        let before = self.nodes[node].truth.clone();
        let store = &self.nodes[node].store;
        let options = WriteOptions::default();
        let caller = editor();
        let written = store.write(&caller, &options, async |tx| {
            let mut truth = before.clone();
            for act in &acts {
                truth.carry_out(tx, act).await?;
            }
            if given_up {
                return Err(StoreError::Setup("given up".to_owned()));
            }
            Ok(truth)
        });
        match written.await {
            Ok(truth) => {
                self.note(format!("{node} writes {acts:?}"));
                self.nodes[node].truth = truth;
                self.nodes[node].remember();
            }
            Err(why) => self.note(format!("{node} does not write {acts:?}: {why}")),
        }
    }

    fn act(&mut self, node: usize) -> Option<Act> {
        let own: Vec<(Uuid, Kind)> = {
            let alive = self.nodes[node].truth.alive.iter();
            alive.map(|(id, row)| (*id, row.kind)).collect()
        };
        let choice = self.rng.random_range(0..100);
        if own.len() < 3 || (choice < 22 && own.len() < 40) {
            return Some(self.create());
        }
        let (id, kind) = own[self.rng.random_range(0..own.len())];
        Some(match choice {
            0..45 => self.join(node, id, kind)?,
            45..80 => {
                let patch = self.patch(node, kind);
                Act::Patch(kind, id, patch)
            }
            80..87 => Act::Delete(kind, id),
            87..94 => {
                let same = own.iter().filter(|(_, other)| *other == kind);
                let same: Vec<_> = same.collect();
                let (into, _) = same[self.rng.random_range(0..same.len())];
                Act::Merge(kind, id, *into)
            }
            94..96 => Act::Erase(kind, id),
            96..98 => {
                let dead = &self.nodes[node].truth.dead;
                let which = self.rng.random_range(0..dead.len().max(1));
                let (id, kind) = self.nodes[node].truth.dead.iter().nth(which)?;
                Act::Erase(*kind, *id)
            }
            _ => Act::Renew(kind, id),
        })
    }

    fn create(&mut self) -> Act {
        self.named += 1;
        let kind = KINDS[self.rng.random_range(0..KINDS.len())];
        let mut body = json!({
            "name": self.one_of(&NAMES),
            "home_region": region(self.rng.random_range(0..3)),
            "publication": self.one_of(&STATES),
        });
        if self.chance(30) {
            let id = self.rng.random_range(0..20).to_string();
            body["external_id"] = json!({"system": "sim", "id": id});
        }
        if kind == Kind::Network {
            body["network_type"] = json!("alliance");
        }
        Act::Create(kind, body)
    }

    /// A relationship between an own record and one of any node, which may be unknown here.
    fn join(&mut self, node: usize, id: Uuid, kind: Kind) -> Option<Act> {
        if kind == Kind::Relationship || kind == Kind::Topic {
            return None;
        }
        let (other, its) = self.any_record(node)?;
        if its == Kind::Relationship || its == Kind::Topic {
            return None;
        }
        let body = json!({
            "type": self.one_of(&["cooperates_with", "related_to"]),
            "publication": self.one_of(&STATES),
            "from": {"kind": kind, "id": id},
            "to": {"kind": its, "id": other},
        });
        Some(Act::Create(Kind::Relationship, body))
    }

    fn any_record(&mut self, node: usize) -> Option<(Uuid, Kind)> {
        let other = if self.chance(40) {
            node
        } else {
            self.any_node()
        };
        let alive = &self.nodes[other].truth.alive;
        let count = alive.len();
        if count == 0 {
            return None;
        }
        let which = self.rng.random_range(0..count);
        let found = self.nodes[other].truth.alive.iter().nth(which);
        found.map(|(id, row)| (*id, row.kind))
    }

    fn patch(&mut self, node: usize, kind: Kind) -> Value {
        self.named += 1;
        let text = if kind == Kind::Relationship {
            "note"
        } else {
            "summary"
        };
        match self.rng.random_range(0..10) {
            0..4 => json!({text: self.named.to_string()}),
            4..7 => json!({"publication": self.one_of(&STATES)}),
            7 => json!({"home_region": region(self.rng.random_range(0..3))}),
            8 if kind == Kind::Actor || kind == Kind::Network => {
                let topics = match self.any_record(node) {
                    Some((id, Kind::Topic)) => json!([id]),
                    Some(_) | None => Value::Null,
                };
                json!({"topics": topics})
            }
            8 => json!({text: Value::Null}),
            _ => {
                let now = self.nodes[node].store.clock().now();
                let seconds = self.rng.random_range(0..5000);
                let at = now + chrono::TimeDelta::seconds(seconds);
                json!({"publication": "draft", "publish_at": domain::base::clock::rfc3339(at)})
            }
        }
    }

    async fn unmerge(&mut self, node: usize) {
        let merged: Vec<Uuid> = self.nodes[node].truth.merged.keys().copied().collect();
        if merged.is_empty() {
            return;
        }
        let id = merged[self.rng.random_range(0..merged.len())];
        let store = &self.nodes[node].store;
        let (caller, options) = (editor(), WriteOptions::default());
        for kind in KINDS {
            let key = id.to_string();
            let undone =
                store
                    .records()
                    .unmerge(&caller, (kind, &key), &Precondition::Any, &options);
            if let Ok(saved) = undone.await {
                self.note(format!("{node} undoes the merge of {id}"));
                self.nodes[node].truth.keep(&saved);
                self.nodes[node].remember();
                return;
            }
        }
    }

    pub(super) async fn hide(&mut self) {
        let node = self.any_node();
        let here = &self.nodes[node];
        let copies: Vec<(Uuid, String)> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .column(record::Column::Kind)
            .filter(record::Column::Origin.is_not_in([here.origin.as_str(), "verbund"]))
            .order_by_asc(record::Column::Id)
            .into_tuple()
            .all(here.store.db().reader())
            .await
            .unwrap();
        if copies.is_empty() {
            return;
        }
        let (id, kind) = &copies[self.rng.random_range(0..copies.len())];
        let kind: Kind = serde_json::from_value(json!(kind)).unwrap();
        let hide = self.chance(60);
        self.note(format!("{node} hides {id}: {hide}"));
        let (caller, options) = (editor(), WriteOptions::default());
        let store = &self.nodes[node].store;
        store
            .records()
            .hide(&caller, (kind, *id), hide, &options)
            .await
            .unwrap();
    }
}
