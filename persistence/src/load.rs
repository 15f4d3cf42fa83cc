//! Importing many records: the program's reference data, the seed pages, and imports.

mod line;
mod removal;
mod seen;

pub use line::LoadMode;

use crate::entity::node;
use crate::error::{Result, StoreError};
use crate::store::{REFERENCE_ORIGIN, Store};
use crate::transaction::{Transaction, WriteOptions};
use crate::write::names::Names;
use crate::write::outcome::{Applied, Outcome};
use crate::write::removals::{Removals, may_go};
use domain::access::rules::Caller;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json;
use domain::base::kind::Kind;
use domain::exchange::line::Line;
use line::{keys, load_line, repeated};
use removal::losing;
use sea_orm::EntityTrait;
use seen::Seen;
use serde_json::Value;

pub const CHUNK: usize = 200;

#[derive(Debug, Clone, Copy)]
pub struct Import {
    pub mode: LoadMode,
    /// Whether more than [`may_go`] records may lose members.
    pub confirm_removals: bool,
}

/// What became of a line.
#[derive(Debug)]
pub struct Imported {
    pub line: u64,
    pub kind: Option<Kind>,
    pub external_id: Option<String>,
    pub outcome: Outcome,
}

/// Room of imports.
#[derive(Debug, Clone, Copy)]
pub struct Imports<'a> {
    pub(crate) store: &'a Store,
}

/// Room for importing in a transaction.
#[derive(Debug)]
pub struct ImportsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn imports(&self) -> Imports<'_> {
        Imports { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn imports(&mut self) -> ImportsMut<'_, 's> {
        ImportsMut { tx: self }
    }
}

impl Imports<'_> {
    /// Imports up to [`CHUNK`] lines of NDJSON in one transaction; lines are independent, so a
    /// rejected one does not affect the others.
    pub async fn load(
        self,
        caller: &Caller,
        lines: &[&str],
        mode: LoadMode,
        options: &WriteOptions,
    ) -> Result<Vec<Outcome>> {
        let origin = self.store.node().origin.clone();
        load_as(self.store, &origin, caller, lines, mode, options).await
    }

    /// Imports all lines, [`CHUNK`] in a transaction, and reports each after its commit; returns
    /// what was removed, and whether it was applied: not if too many records would lose members. A
    /// dry run is one transaction, so that a line may reference one before it, as in the real run.
    ///
    /// `read` returns the lines from a position on, at most as many as asked for, and the next
    /// position; none at the end.
    pub async fn run(
        self,
        caller: &Caller,
        import: Import,
        options: &WriteOptions,
        read: impl AsyncFn(u64, usize) -> Result<(Vec<Line>, u64)>,
        report: impl FnMut(Imported),
    ) -> Result<(Removals, bool)> {
        let unconfirmed = !options.dry_run && !import.confirm_removals;
        let dry_run = WriteOptions {
            dry_run: true,
            ..options.clone()
        };
        if unconfirmed
            && self
                .may_remove_much(caller, import, &dry_run, &read)
                .await?
        {
            let mut lines = 0;
            let count = |_| lines += 1;
            let removals = self.pass(caller, import, &dry_run, &read, count).await?;
            if removals.are_many(lines) {
                return Ok((removals, false));
            }
        }
        let removals = self.pass(caller, import, options, &read, report).await?;
        Ok((removals, true))
    }

    /// Whether more records than [`may_go`] might lose members. It writes nothing and reads less
    /// than a dry run, which is needed only if they might.
    async fn may_remove_much(
        self,
        caller: &Caller,
        import: Import,
        dry_run: &WriteOptions,
        read: &impl AsyncFn(u64, usize) -> Result<(Vec<Line>, u64)>,
    ) -> Result<bool> {
        if import.mode == LoadMode::CreateMissing {
            return Ok(false);
        }
        let (mut at, mut all, mut some) = (0, 0, 0);
        loop {
            let (lines, next) = read(at, CHUNK).await?;
            if lines.is_empty() {
                return Ok(some > may_go(all));
            }
            all += lines.len() as u64;
            let count = async |tx: &mut Transaction<'_>| losing(tx, &lines).await;
            some += self.store.write(caller, dry_run, count).await?;
            at = next;
        }
    }

    async fn pass(
        self,
        caller: &Caller,
        import: Import,
        options: &WriteOptions,
        read: &impl AsyncFn(u64, usize) -> Result<(Vec<Line>, u64)>,
        mut report: impl FnMut(Imported),
    ) -> Result<Removals> {
        let (mut at, mut seen, mut removals) = (0, Seen::default(), Removals::default());
        loop {
            let part = async |tx: &mut Transaction<'_>| {
                let (mut imported, mut new, mut at) = (Vec::new(), Seen::default(), at);
                let mut names = Names::default();
                loop {
                    let (lines, next) = read(at, CHUNK).await?;
                    let done = lines.is_empty();
                    at = next;
                    for mut line in lines {
                        names.resolve(tx, None, &mut line).await?;
                        let one = one_of_many(tx, &line, import.mode, &seen, &mut new);
                        imported.push(one.await?);
                    }
                    if done || !options.dry_run {
                        return Ok((imported, new, (!done).then_some(at)));
                    }
                    tx.forget_entries();
                }
            };
            let (imported, new, next) = self.store.write(caller, options, part).await?;
            seen.extend(new);
            for one in imported {
                if let Some(kind) = one.kind {
                    removals.add(one.line, kind, &one.outcome);
                }
                report(one);
            }
            match next {
                Some(next) => at = next,
                None => return Ok(removals),
            }
        }
    }
}

async fn load_as(
    store: &Store,
    origin: &str,
    caller: &Caller,
    lines: &[&str],
    mode: LoadMode,
    options: &WriteOptions,
) -> Result<Vec<Outcome>> {
    store
        .write_as(origin, caller, options, async |tx| {
            let mut outcomes = Vec::with_capacity(lines.len());
            for text in lines {
                let outcome = match parse(text) {
                    Ok(line) => import(tx, &line, mode).await?.outcome,
                    Err(why) => Outcome(Err(why)),
                };
                outcomes.push(outcome);
            }
            Ok(outcomes)
        })
        .await
}

/// Updates the reference data to this release, if needed.
pub(crate) async fn load_reference_data(store: &Store) -> Result<()> {
    let release = json::hash(&domain::data::REFERENCE.concat());
    let node = node::Entity::find_by_id(1).one(store.db().reader()).await?;
    if node.is_some_and(|node| node.reference_hash.as_ref() == Some(&release)) {
        return Ok(());
    }
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    let caller = Caller::node();
    for file in domain::data::REFERENCE {
        let lines: Vec<&str> = file.lines().collect();
        for chunk in lines.chunks(CHUNK) {
            let outcomes = load_as(
                store,
                REFERENCE_ORIGIN,
                &caller,
                chunk,
                LoadMode::Upsert,
                &options,
            )
            .await?;
            for (line, outcome) in chunk.iter().zip(outcomes) {
                if let Err(why) = outcome.0 {
                    let why = format!("reference data: {why:?} in {line}");
                    return Err(StoreError::Corrupt(why));
                }
            }
        }
    }
    store
        .write(&caller, &options, async |tx| {
            let sql = "UPDATE sync_state SET reference_hash = $1 WHERE id = 1";
            tx.execute(sql, [release.clone().into()]).await
        })
        .await
}

impl ImportsMut<'_, '_> {
    /// Imports independent lines, so a rejected one does not affect the others.
    pub async fn load(self, lines: Vec<Line>, mode: LoadMode) -> Result<Vec<Imported>> {
        let mut imported = Vec::with_capacity(lines.len());
        for line in lines {
            imported.push(import(self.tx, &line, mode).await?);
        }
        Ok(imported)
    }
}

async fn import(tx: &mut Transaction<'_>, line: &Line, mode: LoadMode) -> Result<Imported> {
    one_of_many(tx, line, mode, &Seen::default(), &mut Seen::default()).await
}

/// Imports a line unless an earlier one has the same record, which would be lost.
async fn one_of_many(
    tx: &mut Transaction<'_>,
    line: &Line,
    mode: LoadMode,
    seen: &Seen,
    new: &mut Seen,
) -> Result<Imported> {
    let keys = match keys(tx, &line.record) {
        Ok(keys) => keys,
        Err(why) => return Imported::settled(line, None, Err(why)),
    };
    let first = seen.line_of(&keys).or_else(|| new.line_of(&keys));
    let first_line = |id| seen.line_of_id(id).or_else(|| new.line_of_id(id));
    let mut outcome = match first {
        Some(first) => Err(repeated(&keys, first)),
        None => load_line(tx, line, &keys, mode, first_line).await,
    };
    let mut rest = line.clone();
    while let Err(StoreError::Invalid(errors)) = &outcome
        && let Some((statement, record)) = rest.statement.without(errors)
    {
        (rest.statement, rest.record) = (statement, record);
        outcome = load_line(tx, &rest, &keys, mode, first_line).await;
    }
    let line = &rest;
    let imported = Imported::settled(line, Some(keys.kind), outcome)?;
    new.add(line.number, &keys, imported.outcome.id());
    Ok(imported)
}

impl Imported {
    fn settled(line: &Line, kind: Option<Kind>, outcome: Result<Applied>) -> Result<Self> {
        let key = line.record.pointer("/external_id/id");
        Ok(Self {
            line: line.number,
            kind,
            external_id: key.and_then(Value::as_str).map(str::to_owned),
            outcome: Outcome::settled(outcome)?.located(&line.statement),
        })
    }
}

fn parse(text: &str) -> Result<Line> {
    let record = json::parse(text.as_bytes()).map_err(|why| {
        let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
        StoreError::Invalid(vec![FieldError::new("", fault)])
    })?;
    Ok(Line::whole(0, record))
}
