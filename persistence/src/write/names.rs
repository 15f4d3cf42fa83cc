//! References in tables by the name of a record, or by the key that its row has there.
//!
//! Only tables refer to records by name: people write them. Names are not unique, so programs use
//! ids, slugs and keys.

use crate::entity::record::{self, Column};
use crate::error::Result;
use crate::record::Record;
use crate::store::rank;
use crate::transaction::Transaction;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::{Line, Statement};
use domain::exchange::table::{Content, Reason, join, split};
use domain::value::text::is_slug;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

/// Different names that one import looks up.
const MOST: usize = 10_000;

/// Records with a name that are looked at.
const CANDIDATES: u64 = 20;

/// A record, and whether it has the text as its slug.
type Found = Option<(Kind, Uuid, bool)>;

/// Names that were looked up.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashMap<(Option<Kind>, String, String), Found>,
    /// The kind of the rows.
    of: Option<Kind>,
}

impl Names {
    /// Replaces names and keys in the references of a row by ids.
    pub(crate) async fn resolve(
        &mut self,
        tx: &Transaction<'_>,
        system: Option<&str>,
        line: &mut Line,
    ) -> Result<()> {
        let Statement::Cells(cells) = &mut line.statement else {
            return Ok(());
        };
        self.of = Some(cells.heading.kind);
        let key = line.record.pointer("/external_id/system");
        let system = system.or(key.and_then(|system| system.as_str()));
        let system = system.unwrap_or_default().to_owned();
        let columns = cells.heading.columns.clone();
        let mut changed = false;
        for (at, column) in columns.iter().enumerate() {
            let kind = match column.content() {
                Content::Reference(kind) => Some(*kind),
                Content::Record => None,
                _ => continue,
            };
            let Some(text) = cells.texts.get(at).filter(|text| !text.is_empty()) else {
                continue;
            };
            let mut pieces = if column.is_list() {
                split(text)
            } else {
                vec![text.clone()]
            };
            let mut any = false;
            for piece in &mut pieces {
                if let Some(id) = self.find(tx, kind, &system, piece).await? {
                    (*piece, any) = (id, true);
                }
            }
            if any {
                let text = if column.is_list() {
                    join(pieces)
                } else {
                    pieces.concat()
                };
                cells.replace_text(at, text, Reason::Name);
                changed = true;
            }
        }
        if changed && let Ok(record) = cells.whole_record() {
            line.record = record;
        }
        Ok(())
    }

    /// The id in place of a name; none if the text is an id or a slug, or the name of nothing.
    async fn find(
        &mut self,
        tx: &Transaction<'_>,
        kind: Option<Kind>,
        system: &str,
        text: &str,
    ) -> Result<Option<String>> {
        if let Some(kind) = kind {
            if text.is_empty()
                || text.contains('|')
                || is_slug(text)
                || Uuid::try_parse(text).is_ok()
            {
                return Ok(None);
            }
            let found = self.lookup(tx, Some(kind), "", text).await?;
            return Ok(found.map(|(_, id, _)| id.to_string()));
        }
        // An end: `kind/key`, or a name or a key alone.
        let (given, key) = match text.split_once('/') {
            Some((kind, key)) if Kind::parse(kind).is_some() => (Kind::parse(kind), key),
            _ => (None, text),
        };
        if let Some((system, id)) = key.split_once('|') {
            if given.is_some() {
                return Ok(None);
            }
            let found = self.lookup_key(tx, system, id).await?;
            return Ok(found.map(|(kind, id, _)| format!("{}/{id}", kind.code())));
        }
        if key.is_empty() || Uuid::try_parse(key).is_ok() {
            return Ok(None);
        }
        let found = self.lookup(tx, given, system, key).await?;
        // `kind/slug` is what it says.
        let found = found.filter(|(.., by_slug)| !by_slug || given.is_none());
        Ok(found.map(|(kind, id, _)| format!("{}/{id}", kind.code())))
    }

    async fn lookup(
        &mut self,
        tx: &Transaction<'_>,
        kind: Option<Kind>,
        system: &str,
        text: &str,
    ) -> Result<Found> {
        let key = (kind, system.to_owned(), text.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if self.known.len() >= MOST {
            return Ok(None);
        }
        let kinds = kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let of_kind = Column::Kind.is_in(kinds.iter().map(|kind| kind.code()));
        let own = Condition::all()
            .add(Column::System.eq(system))
            .add(Column::ExternalId.eq(text));
        // From the surest to the least sure.
        let mut meanings = vec![Condition::all().add(Column::Slug.eq(text))];
        if !system.is_empty() {
            meanings.push(own);
        }
        meanings.push(Condition::all().add(Column::Name.eq(text)));
        let mut found = None;
        for (at, meaning) in meanings.into_iter().enumerate() {
            let meaning = Condition::all().add(of_kind.clone()).add(meaning);
            found = only(tx, meaning)
                .await?
                .map(|(kind, id, _)| (kind, id, at == 0));
            if found.is_some() {
                break;
            }
        }
        // A later row may name one that this table has created meanwhile.
        if found.is_some() || kind != self.of {
            self.known.insert(key, found);
        }
        Ok(found)
    }

    async fn lookup_key(&mut self, tx: &Transaction<'_>, system: &str, id: &str) -> Result<Found> {
        let of_key = Condition::all()
            .add(Column::System.eq(system))
            .add(Column::ExternalId.eq(id));
        only(tx, of_key).await
    }
}

/// The only visible record that fits, an own one before others.
async fn only(tx: &Transaction<'_>, condition: Condition) -> Result<Found> {
    let rows = record::Entity::find().filter(condition).limit(CANDIDATES);
    let rows = rows.into_model::<Record>().all(&tx.sql).await?;
    let visible: Vec<&Record> = rows
        .iter()
        .filter(|row| tx.caller.can_read(&tx.subject(row)))
        .collect();
    let rank = |row: &Record| rank(&row.origin, &tx.origin);
    let first = visible.iter().map(|row| rank(row)).min();
    let mut meant = visible.into_iter().filter(|row| Some(rank(row)) == first);
    Ok(match (meant.next(), meant.next()) {
        (Some(row), None) => Some((row.kind, row.id, false)),
        _ => None,
    })
}
