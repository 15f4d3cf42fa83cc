//! Rows as changes: what a table has no column for stays as it is.

use super::{Column, Form, columns, put, read, record};
use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::kind::Kind;
use crate::base::pointer::child;
use crate::base::reading::Reason;
use crate::base::record::ENVELOPE;
use crate::base::vocabulary::Coded;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The columns of a table.
#[derive(Debug, Clone)]
pub struct Heading {
    pub kind: Kind,
    pub columns: Vec<&'static Column>,
    /// The columns of the file that these were read from.
    positions: Vec<Position>,
    /// Lists of which the table has some columns, but not all.
    partial: Vec<Vec<&'static str>>,
}

/// A column of the file, and the column or the element of a list that its cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Index in the file.
    pub at: usize,
    /// Index in [`Heading::columns`].
    pub column: usize,
    pub element: Option<usize>,
}

/// What was changed while a cell was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Index in the file.
    pub at: usize,
    pub reason: Reason,
    pub given: String,
    /// Empty if the value was left out.
    pub taken: String,
}

/// A row: a text for each column.
#[derive(Debug, Clone)]
pub struct Cells {
    pub heading: Arc<Heading>,
    pub texts: Vec<String>,
    /// Number of the row as a spreadsheet shows it: lines within a cell do not count.
    pub row: u64,
    /// Whether they are the whole record: what the table has no column for is removed.
    pub replace: bool,
    pub notes: Vec<Note>,
    /// Columns whose cells say nothing.
    pub dropped: Vec<usize>,
    /// Whether an invalid cell may be left out, instead of the row.
    pub skip_invalid: bool,
}

#[derive(Debug, Clone)]
struct Cell<'a> {
    column: &'static Column,
    text: Cow<'a, str>,
}

impl Heading {
    /// A table with these columns in this order.
    #[must_use]
    pub fn new(kind: Kind, own: Vec<&'static Column>) -> Self {
        let positions = (0..own.len()).map(|at| Position {
            at,
            column: at,
            element: None,
        });
        let positions = positions.collect();
        Self::placed(kind, own, positions)
    }

    #[must_use]
    pub fn placed(kind: Kind, own: Vec<&'static Column>, positions: Vec<Position>) -> Self {
        let has = |column: &Column| own.iter().any(|one| one.name == column.name);
        let missing: Vec<&Column> = columns(kind).iter().filter(|column| !has(column)).collect();
        let mut partial = Vec::new();
        for column in &own {
            for depth in column.lists() {
                let list = column.members(depth);
                let lacks = missing.iter().any(|one| one.members(depth) == list);
                if lacks && !partial.contains(&list) {
                    partial.push(list);
                }
            }
        }
        Self {
            kind,
            columns: own,
            positions,
            partial,
        }
    }

    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The column of the file in which a pointer is found.
    #[must_use]
    pub fn place_of(&self, pointer: &str) -> Option<usize> {
        let column = self.column_of(pointer)?;
        let element = pointer
            .split('/')
            .find_map(|part| part.parse::<usize>().ok());
        let mut of_column = self.positions.iter().filter(|one| one.column == column);
        let first = of_column.clone().next();
        let exact = of_column.find(|one| one.element.is_none() || one.element == element);
        exact.or(first).map(|one| one.at)
    }
}

impl Heading {
    /// The index of the column of a pointer: its own, or the first of the member that it names.
    fn column_of(&self, pointer: &str) -> Option<usize> {
        let members = pointer.split('/').skip(1);
        let members: Vec<&str> = members
            .filter(|member| member.parse::<usize>().is_err())
            .collect();
        let name = members.join(".");
        let position = |is: &dyn Fn(&str) -> bool| {
            let mut columns = self.columns.iter();
            columns.position(|column| is(&column.name))
        };
        let below = format!("{name}.");
        position(&|column| column == name)
            .or_else(|| position(&|column| column.starts_with(&below)))
            .or_else(|| position(&|column| name.starts_with(&format!("{column}."))))
            .filter(|_| !name.is_empty())
    }
}

/// The letters of a column in a spreadsheet.
#[must_use]
pub fn letters(column: usize) -> String {
    let mut letters = String::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        let letter = u8::try_from(rest % 26).unwrap_or_default();
        letters.insert(0, char::from(b'A' + letter));
        rest /= 26;
    }
    letters
}

impl Column {
    /// The lengths of the paths of the lists that the column is in.
    fn lists(&self) -> impl Iterator<Item = usize> {
        let steps = self.path.iter().zip(1..);
        steps.filter(|(step, _)| step.list).map(|(_, depth)| depth)
    }

    /// The first members of the path.
    fn members(&self, depth: usize) -> Vec<&str> {
        let steps = self.path.iter().take(depth);
        steps.map(|step| step.member.as_str()).collect()
    }
}

impl Cells {
    /// The stored record with the changes of the row: an empty cell removes a member, and a missing
    /// column leaves it as it is. A list of objects with some of its columns is changed element by
    /// element.
    ///
    /// # Errors
    /// The cell that cannot be read, or the list whose number of elements differs from the stored
    /// one, so that it is unknown which elements are meant.
    pub fn apply(&self, stored: &Value) -> Result<Value, FieldError> {
        if self.replace {
            return self.record();
        }
        let cells: Vec<Cell<'_>> = self
            .stated()
            .map(|(column, text)| Cell {
                column,
                text: Cow::Borrowed(text),
            })
            // A key is never removed, and may be known from elsewhere.
            .filter(|cell| !(cell.text.is_empty() && cell.member(0) == "external_id"))
            .collect();
        let (others, members): (Vec<_>, Vec<_>) = cells
            .into_iter()
            .partition(|cell| cell.column.path.is_empty());
        let changed = self.value(stored, 0, "", &members)?;
        let mut record = changed.unwrap_or_else(|| Value::Object(Map::new()));
        for cell in others.iter().filter(|cell| !cell.text.is_empty()) {
            let others = cell.read(&child("", &cell.column.name))?;
            if let (Some(members), Value::Object(others)) = (record.as_object_mut(), others) {
                members.extend(others);
            }
        }
        Ok(record)
    }

    /// The cells that say something.
    fn stated(&self) -> impl Iterator<Item = (&'static Column, &str)> {
        let cells = self.heading.columns.iter().zip(&self.texts).enumerate();
        let stated = cells.filter(|(at, _)| !self.dropped.contains(at));
        stated.map(|(_, (column, text))| (*column, text.as_str()))
    }

    /// The same row without the cells of violations, so that these members stay as they are, with a
    /// note of each; none if that is not wanted, if a violation is in no cell, or if it is in one
    /// without which the record is unknown.
    #[must_use]
    pub fn without(&self, errors: &[FieldError]) -> Option<Self> {
        if !self.skip_invalid {
            return None;
        }
        let mut rest = self.clone();
        let columns = &self.heading.columns;
        for error in errors {
            let at = self.heading.column_of(&error.pointer)?;
            let first = |at: usize| columns.get(at).and_then(|one| one.path_members().next());
            let member = first(at)?;
            if ["id", "kind", "external_id", "origin", "version"].contains(&member) {
                return None;
            }
            let is_filled = |at: &usize| self.texts.get(*at).is_some_and(|text| !text.is_empty());
            if !rest.dropped.contains(&at) && is_filled(&at) {
                rest.drop_cell(at, &error.pointer);
                continue;
            }
            // Its value alone was not the reason.
            let others = (0..columns.len()).filter(|other| first(*other) == Some(member));
            let others: Vec<usize> = others.filter(|at| !rest.dropped.contains(at)).collect();
            for at in others {
                rest.drop_cell(at, "");
            }
        }
        (rest.dropped.len() > self.dropped.len()).then_some(rest)
    }

    fn drop_cell(&mut self, column: usize, pointer: &str) {
        self.dropped.push(column);
        let given = self.texts.get(column).cloned().unwrap_or_default();
        let of_column = self
            .heading
            .positions
            .iter()
            .find(|one| one.column == column);
        let at = self
            .heading
            .place_of(pointer)
            .or(of_column.map(|one| one.at));
        if let Some(at) = at.filter(|_| !given.is_empty()) {
            self.notes.push(Note {
                at,
                reason: Reason::Invalid,
                given,
                taken: String::new(),
            });
        }
    }

    /// The record as a new one, with its kind.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn whole_record(&self) -> Result<Value, FieldError> {
        let mut record = self.record()?;
        if let Some(members) = record.as_object_mut()
            && !members.contains_key("kind")
        {
            members.insert("kind".to_owned(), self.heading.kind.code().into());
        }
        Ok(record)
    }

    /// Replaces the text of a column, with a note.
    pub fn replace_text(&mut self, column: usize, taken: String, reason: Reason) {
        let position = self
            .heading
            .positions
            .iter()
            .find(|one| one.column == column);
        let Some(text) = self.texts.get_mut(column) else {
            return;
        };
        let given = std::mem::replace(text, taken.clone());
        if let Some(position) = position {
            self.notes.push(Note {
                at: position.at,
                reason,
                given,
                taken,
            });
        }
    }

    /// What was changed while the row was read, as warnings with their cells.
    #[must_use]
    pub fn warnings(&self) -> Vec<FieldError> {
        let warnings = self.notes.iter().map(|note| {
            let position = self.heading.positions.iter().find(|one| one.at == note.at);
            let name = position.and_then(|one| self.heading.columns.get(one.column));
            let mut pointer = String::new();
            for member in name.iter().flat_map(|column| column.path_members()) {
                pointer = child(&pointer, member);
            }
            let fault = note.reason.fault(&note.given, &note.taken);
            let cell = format!("{}{}", letters(note.at), self.row);
            FieldError::new(pointer, fault.with("cell", cell))
        });
        warnings.collect()
    }

    /// The cells as a text, without those that only tell where the record came from.
    pub(in crate::exchange) fn fingerprint(&self) -> String {
        let cells = self.heading.columns.iter().zip(&self.texts);
        let stated = cells.filter(|(column, _)| !ENVELOPE.contains(&column.name.as_str()));
        let stated: Map<String, Value> = stated
            .map(|(column, text)| (column.name.clone(), text.as_str().into()))
            .collect();
        // An empty cell removes a value, one that was left out does not.
        format!(
            "{} {:?} {}",
            self.replace,
            self.dropped,
            Value::Object(stated)
        )
    }

    /// Adds the cell of each violation, such as `C17`.
    pub fn locate(&self, errors: &mut [FieldError]) {
        for error in errors {
            if let Some(at) = self.heading.place_of(&error.pointer) {
                let cell = format!("{}{}", letters(at), self.row);
                error.fault.params.push(("cell", cell));
            }
        }
    }

    /// The record as a new one.
    ///
    /// # Errors
    /// The member whose cell cannot be read.
    pub fn record(&self) -> Result<Value, FieldError> {
        record(self.stated())
    }

    /// The value at a path of `depth` members after the cells of the columns in it; none if it is
    /// removed.
    fn value(
        &self,
        stored: &Value,
        depth: usize,
        pointer: &str,
        cells: &[Cell<'_>],
    ) -> Result<Option<Value>, FieldError> {
        let (own, below): (Vec<_>, Vec<_>) = cells
            .iter()
            .cloned()
            .partition(|cell| cell.column.path.len() == depth);
        if let Some(cell) = own.iter().find(|cell| !cell.text.is_empty()) {
            return cell.read(pointer).map(Some);
        }
        let mut base = stored.as_object().cloned().unwrap_or_default();
        if base.contains_key("id") && below.iter().all(|cell| cell.column.form == Form::Open) {
            // The end is a record: cells of open ends are empty, and others replace it.
            let open = below.iter().any(|cell| !cell.text.is_empty());
            if own.is_empty() && !open {
                return Ok(Some(stored.clone()));
            }
            base.clear();
        } else if below.is_empty() && !own.iter().any(|cell| cell.column.form == Form::Record) {
            return Ok(None);
        }
        let mut members: Vec<&str> = Vec::new();
        for cell in &below {
            let member = cell.member(depth);
            if !members.contains(&member) {
                members.push(member);
            }
        }
        for member in members {
            let inner = below.iter().filter(|cell| cell.member(depth) == member);
            let inner: Vec<_> = inner.cloned().collect();
            let old = base.get(member).unwrap_or(&Value::Null);
            let at = child(pointer, member);
            let is_list = inner.iter().any(|cell| cell.is_list(depth));
            let new = if is_list {
                self.list(old, depth + 1, &at, &inner)?
            } else {
                self.value(old, depth + 1, &at, &inner)?
            };
            match new {
                Some(value) => {
                    base.insert(member.to_owned(), value);
                }
                None => {
                    base.shift_remove(member);
                }
            }
        }
        Ok((!base.is_empty()).then_some(Value::Object(base)))
    }

    fn list(
        &self,
        stored: &Value,
        depth: usize,
        pointer: &str,
        cells: &[Cell<'_>],
    ) -> Result<Option<Value>, FieldError> {
        let stored = stored.as_array().filter(|items| !items.is_empty());
        let Some(items) = stored.filter(|_| self.is_partial(depth, cells)) else {
            return whole(depth, pointer, cells);
        };
        let pieces: Vec<Vec<String>> = cells.iter().map(Cell::pieces).collect();
        let count = pieces.iter().map(Vec::len).max().unwrap_or_default();
        if count > 0 && count != items.len() {
            let fault = Fault::new(FaultCode::ListLength)
                .with("given", count)
                .with("expected", items.len());
            return Err(FieldError::new(pointer, fault));
        }
        let mut changed = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let inner: Vec<Cell<'_>> = (cells.iter().zip(&pieces))
                .map(|(cell, pieces)| Cell {
                    column: cell.column,
                    text: pieces.get(index).cloned().unwrap_or_default().into(),
                })
                .collect();
            let at = child(pointer, &index.to_string());
            let item = self.value(item, depth, &at, &inner)?;
            changed.push(item.unwrap_or_else(|| Value::Object(Map::new())));
        }
        let empty = |item: &Value| item.as_object().is_some_and(Map::is_empty);
        Ok((!changed.iter().all(empty)).then_some(Value::Array(changed)))
    }

    fn is_partial(&self, depth: usize, cells: &[Cell<'_>]) -> bool {
        let list = cells.first().map(|cell| cell.column.members(depth));
        let dropped = self
            .dropped
            .iter()
            .filter_map(|at| self.heading.columns.get(*at));
        list.is_some_and(|list| {
            let mut dropped = dropped;
            self.heading.partial.contains(&list)
                || dropped.any(|column| column.members(depth) == list)
        })
    }
}

/// A list of which the table states everything.
fn whole(depth: usize, pointer: &str, cells: &[Cell<'_>]) -> Result<Option<Value>, FieldError> {
    let mut list = Value::Object(Map::new());
    let (parent, _) = pointer.rsplit_once('/').unwrap_or_default();
    let mut member = "";
    for cell in cells.iter().filter(|cell| !cell.text.is_empty()) {
        let path = cell.column.path.get(depth - 1..).unwrap_or_default();
        member = cell.member(depth - 1);
        put(&mut list, path, cell.column.form, &cell.text, parent)?;
    }
    Ok(list.get(member).cloned())
}

impl Cell<'_> {
    fn member(&self, depth: usize) -> &'static str {
        let step = self.column.path.get(depth);
        step.map_or("", |step| step.member.as_str())
    }

    fn is_list(&self, depth: usize) -> bool {
        self.column.path.get(depth).is_some_and(|step| step.list)
    }

    fn pieces(&self) -> Vec<String> {
        if self.text.is_empty() {
            return Vec::new();
        }
        super::split(&self.text)
    }

    fn read(&self, pointer: &str) -> Result<Value, FieldError> {
        read(self.column.form, &self.text, pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::row;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn table(kind: Kind, names: &[&str]) -> Arc<Heading> {
        let all = columns(kind);
        let own = names.iter().map(|name| {
            let found = all.iter().find(|column| column.name == *name);
            found.unwrap_or_else(|| panic!("no column {name}"))
        });
        Arc::new(Heading::new(kind, own.collect()))
    }

    fn applied(kind: Kind, stored: &Value, cells: &[(&str, &str)]) -> Result<Value, FieldError> {
        let names: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
        let texts = cells.iter().map(|(_, text)| (*text).to_owned()).collect();
        let heading = table(kind, &names);
        let row = 2;
        Cells {
            heading,
            texts,
            row,
            replace: false,
            notes: Vec::new(),
            dropped: Vec::new(),
            skip_invalid: false,
        }
        .apply(stored)
    }

    fn actor() -> Value {
        json!({
            "name": "A", "goals": ["a", "b"],
            "contact": {"phone": "1", "website": "https://a.de"},
            "places": [{"street": "Weg 1", "city": "Kassel"}, {"city": "Fulda", "point": {"lat": 51, "lon": 9}}],
            "other": {"kept": true},
        })
    }

    #[test]
    fn missing_columns_leave_and_empty_cells_remove() {
        let changed = |cells: &[(&str, &str)], place: &str, value: Value| {
            let mut expected = actor();
            let (parent, member) = place.rsplit_once('/').unwrap();
            let members = expected
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap();
            match value {
                Value::Null => members.shift_remove(member),
                value => members.insert(member.to_owned(), value),
            };
            assert_eq!(
                applied(Kind::Actor, &actor(), cells).unwrap(),
                expected,
                "{cells:?}"
            );
        };
        changed(&[("name", "B")], "/name", json!("B"));
        changed(
            &[("name", "B"), ("external_id.system", "")],
            "/name",
            json!("B"),
        );
        changed(&[("contact.phone", "2")], "/contact/phone", json!("2"));
        changed(&[("contact.phone", "")], "/contact/phone", Value::Null);
        changed(&[("goals", "c")], "/goals", json!(["c"]));
        changed(&[("goals", "")], "/goals", Value::Null);
        changed(
            &[("places.city", "Kassel;Hanau")],
            "/places/1/city",
            json!("Hanau"),
        );
        changed(&[("places.street", ";")], "/places/0/street", Value::Null);
        changed(
            &[("places.point.lat", ";52")],
            "/places/1/point/lat",
            json!(52),
        );
    }

    #[test]
    fn a_list_of_another_length_is_refused_unless_it_is_stated_whole() {
        let refused = applied(Kind::Actor, &actor(), &[("places.city", "Kassel")]).unwrap_err();
        assert_eq!(
            (refused.pointer.as_str(), refused.fault.code),
            ("/places", FaultCode::ListLength)
        );
        // None was there: nothing can be mixed up.
        let new = applied(
            Kind::Actor,
            &json!({"name": "A"}),
            &[("places.city", "Kassel;Hanau")],
        );
        let expected = json!({"name": "A", "places": [{"city": "Kassel"}, {"city": "Hanau"}]});
        assert_eq!(new.unwrap(), expected);
        // No element is left with a city: they have other members.
        let without = applied(Kind::Actor, &actor(), &[("places.city", "")]).unwrap();
        assert_eq!(
            without["places"],
            json!([{"street": "Weg 1"}, {"point": {"lat": 51, "lon": 9}}])
        );
        let all: Vec<&str> = columns(Kind::Actor)
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| name.starts_with("places."))
            .collect();
        let cells: Vec<(&str, &str)> = all
            .iter()
            .map(|name| (*name, if *name == "places.city" { "Kassel" } else { "" }))
            .collect();
        let whole = applied(Kind::Actor, &actor(), &cells).unwrap();
        assert_eq!(whole["places"], json!([{"city": "Kassel"}]));
    }

    #[test]
    fn ends_are_replaced_as_one_value() {
        let id = "0193e5a0-0000-7000-8000-000000000000";
        let record = json!({"to": {"kind": "actor", "id": id}});
        let open = json!({"to": {"kind": "actor", "as_stated": "alle"}});
        let kind = Kind::Relationship;
        let end = format!("actor/{id}");
        assert_eq!(
            applied(kind, &record, &[("to.as_stated", "")]).unwrap(),
            record
        );
        assert_eq!(applied(kind, &open, &[("to", "")]).unwrap(), open);
        assert_eq!(applied(kind, &open, &[("to", &end)]).unwrap(), record);
        let cells = [("to", ""), ("to.kind", "actor"), ("to.as_stated", "alle")];
        assert_eq!(applied(kind, &record, &cells).unwrap(), open);
        assert_eq!(applied(kind, &record, &[("to", "")]).unwrap(), json!({}));
    }

    #[test]
    fn violations_are_located_as_a_spreadsheet_shows_them() {
        let names = ["name", "places.city", "contact.phone"];
        let cells = Cells {
            heading: table(Kind::Actor, &names),
            texts: names.map(str::to_owned).to_vec(),
            row: 17,
            replace: false,
            notes: Vec::new(),
            dropped: Vec::new(),
            skip_invalid: false,
        };
        let cell_of = |pointer: &str| {
            let mut errors = [FieldError::new(pointer, Fault::new(FaultCode::Required))];
            cells.locate(&mut errors);
            let [error] = errors;
            error.fault.params.first().map(|(_, cell)| cell.clone())
        };
        assert_eq!(cell_of("/places/1/city").as_deref(), Some("B17"));
        assert_eq!(cell_of("/places").as_deref(), Some("B17"));
        assert_eq!(cell_of("/contact").as_deref(), Some("C17"));
        assert_eq!(cell_of("/name/x").as_deref(), Some("A17"));
        assert_eq!(cell_of("/topics"), None);
        assert_eq!(cell_of(""), None);
        assert_eq!([0, 25, 26, 86].map(letters), ["A", "Z", "AA", "CI"]);
    }

    proptest! {
        /// A table with any of the columns of an export changes nothing.
        #[test]
        fn what_was_exported_changes_nothing(chosen in proptest::collection::vec(any::<bool>(), 120)) {
            let nested = json!({"name": "P", "outcomes": [
                {"type": "service", "audiences": ["hospital", "school"], "figures": [{"measure": "a;b", "value": 1}]},
                {"type": "solution", "available_at": {"as_stated": "hier", "kind": "actor"}},
            ]});
            for (kind, stored) in [(Kind::Actor, actor()), (Kind::Project, nested)] {
                let mut stored = stored;
                stored.as_object_mut().unwrap().shift_remove("other");
                let all = columns(kind);
                let texts = row(&stored, all);
                let cells: Vec<(&str, &str)> = (all.iter().zip(&texts).zip(chosen.iter().cycle()))
                    .filter(|(_, chosen)| **chosen)
                    .map(|((column, text), _)| (column.name.as_str(), text.as_str()))
                    .collect();
                prop_assert_eq!(applied(kind, &stored, &cells).unwrap(), stored);
            }
        }
    }
}
