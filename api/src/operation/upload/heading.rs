//! Which row of a table is its heading, and what its cells mean.

use super::faults::{refused, unfit};
use super::mapping::{Mapping, Target};
use super::row::{ColumnRead, Raw, Row};
use super::spool::Filling;
use crate::http::problem::{Code, Problem};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::table::{Column, Content, Heading, Position, Reason, columns, letters};
use domain::spreadsheet::{Meaning, meaning, nearest_heading};
use domain::validation::upgrade::renamed;
use persistence::StoreError;
use std::sync::Arc;

/// Rows among which the heading is searched.
pub(super) const SEARCHED: usize = 25;

/// Cells of a row among which headings are counted.
pub(super) const COUNTED: usize = 500;

/// Bytes of a heading.
const MAX_HEADING: usize = 200;

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) kind: Kind,
    pub(super) heading: Arc<Heading>,
    pub(super) positions: Vec<Position>,
    /// Members that are the same in each row: the index of the column, the element, the value.
    pub(super) values: Vec<(usize, Option<usize>, String)>,
    /// Columns of the file that are left out.
    pub(super) left_out: Vec<(usize, Reason)>,
    /// The columns of figures whose exactness may be in the cell of their value: value, qualifier,
    /// wording.
    pub(super) estimates: Vec<[usize; 3]>,
    pub(super) read: Vec<ColumnRead>,
    /// Columns of the file.
    pub(super) width: usize,
    /// Whether a heading is in words of people.
    pub(super) is_worded: bool,
}

/// Whether a text is a heading of a table of one of the allowed kinds.
pub(super) fn is_known(filling: &Filling, text: &str) -> bool {
    if text.len() > MAX_HEADING {
        return false;
    }
    filling.mapping().columns.contains_key(text.trim())
        || kinds(filling)
            .iter()
            .any(|kind| meaning(*kind, text) != Meaning::Unknown)
}

fn is_path(filling: &Filling, text: &str) -> bool {
    let known = |kind: &Kind| {
        columns(*kind)
            .iter()
            .any(|column| column.name == text.trim())
    };
    kinds(filling).iter().any(known)
}

fn kinds(filling: &Filling) -> Vec<Kind> {
    match filling.only_kind() {
        Some(kind) => vec![kind],
        None => Kind::ALL.to_vec(),
    }
}

/// The index of the heading among the first rows: the one with most paths of columns, otherwise
/// with most known headings, otherwise the first that is not blank.
pub(super) fn choose(rows: &[Row], filling: &Filling) -> Option<usize> {
    let first = rows.iter().position(|row| !row.is_blank())?;
    let (mut best, mut chosen) = ((0, 0), first);
    for (at, row) in rows.iter().enumerate() {
        let cells = row.cells.iter().take(COUNTED);
        let filled = cells.filter(|cell| !cell.is_blank());
        let count =
            |is: &dyn Fn(&str) -> bool| filled.clone().filter(|cell| is(&cell.text)).count();
        let known = count(&|text| is_known(filling, text));
        let paths = count(&|text| is_path(filling, text));
        let all = filled.clone().count();
        // A value may be the name of a column by accident.
        let fits = at == first || known >= 2 || (known == 1 && all == 1);
        let paths = if paths * 2 >= all { paths } else { 0 };
        if fits && known > 0 && (paths, known) > best {
            (best, chosen) = ((paths, known), at);
        }
    }
    Some(chosen)
}

/// The kind of the records of a table: the only allowed one, or that of its first row.
///
/// # Errors
/// `invalid-parameter` if it is unknown.
fn kind(headings: &[Raw], first: Option<&Row>, filling: &Filling) -> Result<Kind, Problem> {
    let at = headings.iter().position(|cell| {
        Kind::ALL
            .iter()
            .any(|kind| meaning(*kind, &cell.text) == Meaning::Column("kind"))
    });
    let told = at
        .and_then(|at| first?.cells.get(at))
        .map(|cell| cell.text.trim());
    let told = told.and_then(|told| {
        let labelled = |kind: &&Kind| {
            let labels = kind.labels();
            [kind.code(), labels.de, labels.en]
                .iter()
                .any(|label| label.eq_ignore_ascii_case(told))
        };
        Kind::ALL.iter().find(labelled).copied()
    });
    filling.only_kind().or(told).ok_or_else(|| {
        Problem::new(Code::InvalidParameter).detail(
            "`kind` is missing: set the kind of the records in the table, here or in a column `kind`.",
            "`kind` fehlt: Sagen Sie hier oder in einer Spalte `kind`, von welcher Art die Datensätze der Tabelle sind.",
        )
    })
}

/// What the cells of a heading mean.
///
/// # Errors
/// `validation-failed` for unknown and repeated columns, `invalid-parameter` if the kind is unknown.
pub(super) fn columns_of(
    headings: &[Raw],
    number: u64,
    first: Option<&Row>,
    filling: &Filling,
) -> Result<Columns, Problem> {
    let kind = kind(headings, first, filling)?;
    let mapping = filling.mapping();
    let mut made = Making {
        kind,
        number,
        own: Vec::new(),
        positions: Vec::new(),
        left_out: Vec::new(),
        read: Vec::new(),
        errors: Vec::new(),
        is_worded: false,
    };
    let most = columns(kind).len() * 2 + mapping.columns.len() + SEARCHED;
    if headings.len() > most {
        let (given, kinds) = (headings.len(), kind.plural());
        return Err(refused(unfit((
            format!("the heading has {given} columns; a table of {kinds} has at most {most}"),
            format!(
                "die Überschrift hat {given} Spalten, eine Tabelle von {kinds} höchstens {most}"
            ),
        ))));
    }
    for (at, cell) in headings.iter().enumerate() {
        made.add(at, cell.text.trim(), mapping);
    }
    made.finish(headings.len(), mapping)
}

struct Making {
    kind: Kind,
    number: u64,
    own: Vec<&'static Column>,
    positions: Vec<Position>,
    left_out: Vec<(usize, Reason)>,
    read: Vec<ColumnRead>,
    errors: Vec<FieldError>,
    is_worded: bool,
}

impl Making {
    fn add(&mut self, at: usize, heading: &str, mapping: &Mapping) {
        let target = match mapping.columns.get(heading) {
            Some(None) => return self.leave_out(at, heading, Reason::Ignored),
            Some(Some(target)) => Target::parse(self.kind, target),
            None => match meaning(self.kind, heading) {
                _ if heading.is_empty() => return self.leave_out(at, heading, Reason::Ignored),
                Meaning::Column(path) => Target::parse(self.kind, path),
                Meaning::NameBeside => return self.leave_out(at, heading, Reason::Ignored),
                Meaning::Person => return self.leave_out(at, heading, Reason::Person),
                Meaning::Unknown => None,
            },
        };
        let Some(target) = target else {
            return self.errors.push(self.unknown(at, heading));
        };
        let column = target.column;
        let index = self.own.iter().position(|one| one.name == column.name);
        let index = index.unwrap_or_else(|| {
            self.own.push(column);
            self.own.len() - 1
        });
        let taken = self.positions.iter().any(|one| {
            one.column == index
                && (one.element == target.element
                    || one.element.is_none()
                    || target.element.is_none())
        });
        if taken {
            let first = self.positions.iter().find(|one| one.column == index);
            let first = first.map_or(String::new(), |one| letters(one.at));
            let second = letters(at);
            return self.errors.push(unfit((
                format!(
                    "the columns {first} and {second} are both \"{}\"; remove one",
                    column.name
                ),
                format!(
                    "die Spalten {first} und {second} sind beide „{}“; entfernen Sie eine",
                    column.name
                ),
            )));
        }
        self.is_worded |= heading != column.name;
        self.positions.push(Position {
            at,
            column: index,
            element: target.element,
        });
        let element = target
            .element
            .map_or(String::new(), |element| format!("[{element}]"));
        self.read.push(ColumnRead {
            letter: letters(at),
            heading: heading.to_owned(),
            member: Some(format!("{}{element}", column.name)),
            reason: None,
        });
    }

    fn leave_out(&mut self, at: usize, heading: &str, reason: Reason) {
        self.left_out.push((at, reason));
        if !heading.is_empty() {
            self.read.push(ColumnRead {
                letter: letters(at),
                heading: heading.to_owned(),
                member: None,
                reason: Some(reason),
            });
        }
    }

    fn unknown(&self, at: usize, heading: &str) -> FieldError {
        let cell = format!("{}{}", letters(at), self.number);
        if let Some(now) = renamed(self.kind, heading) {
            let fault = Fault::new(FaultCode::RenamedMember)
                .with("given", heading)
                .with("now", now);
            return FieldError::new("", fault.with("cell", cell));
        }
        let close = nearest_heading(self.kind, heading).unwrap_or_default();
        let fault = Fault::new(FaultCode::UnknownMember)
            .with("given", heading)
            .with("nearest", close)
            .with("cell", cell);
        FieldError::new("", fault)
    }

    fn finish(mut self, width: usize, mapping: &Mapping) -> Result<Columns, Problem> {
        let mut values = Vec::new();
        for (target, value) in &mapping.values {
            let Some(target) = Target::parse(self.kind, target) else {
                continue;
            };
            let index = self
                .own
                .iter()
                .position(|one| one.name == target.column.name);
            let index = index.unwrap_or_else(|| {
                self.own.push(target.column);
                self.own.len() - 1
            });
            values.push((index, target.element, value.clone()));
        }
        let estimates = self.estimates();
        if !self.errors.is_empty() {
            return Err(StoreError::Invalid(self.errors).into());
        }
        let heading = Heading::placed(self.kind, self.own, self.positions.clone());
        Ok(Columns {
            kind: self.kind,
            heading: Arc::new(heading),
            positions: self.positions,
            values,
            left_out: self.left_out,
            estimates,
            read: self.read,
            width,
            is_worded: self.is_worded,
        })
    }

    /// Adds the columns that a figure such as „ca. 50" needs.
    fn estimates(&mut self) -> Vec<[usize; 3]> {
        let figures: Vec<(usize, &str)> = self
            .own
            .iter()
            .enumerate()
            .filter(|(_, column)| *column.content() == Content::Number)
            .filter_map(|(at, column)| Some((at, column.name.strip_suffix(".value")?)))
            .collect();
        let mut found = Vec::new();
        for (value, list) in figures {
            let mut index = |name: &str| {
                let name = format!("{list}.{name}");
                let at = self.own.iter().position(|column| column.name == name);
                at.or_else(|| {
                    let column = columns(self.kind)
                        .iter()
                        .find(|column| column.name == name)?;
                    self.own.push(column);
                    Some(self.own.len() - 1)
                })
            };
            if let (Some(qualifier), Some(wording)) = (index("qualifier"), index("as_stated")) {
                found.push([value, qualifier, wording]);
            }
        }
        found
    }
}
