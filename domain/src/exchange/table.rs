//! Records as rows of a table, for CSV, and back.
//!
//! Columns are dotted paths from the schema of the kind. `;` separates the elements of a list; `;`
//! and `\` inside an element are written `\;` and `\\`. A list of objects is one list per member,
//! so the second entries of `places.city` and of `places.street` belong to the same place.

mod cells;
mod content;

pub use crate::base::reading::Reason;
pub use cells::{Cells, Heading, Note, Position, letters};
pub use content::Content;

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::kind::Kind;
use crate::base::pointer::child;
use crate::base::schema::{COMPONENTS, Components};
use crate::base::vocabulary::Coded;
use crate::validation::body::KindSchema;
use crate::value::reference::ReferenceForm;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The last column: members that this release does not know, as JSON; only copies have them.
pub const OTHER: &str = "other_members";

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    path: Vec<Step>,
    form: Form,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    member: String,
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    /// A number or a boolean, in JSON notation.
    Plain,
    Json,
    /// `kind/key` of a record.
    Record,
    /// An id, a slug, or `system|key` of a record whose kind the member implies.
    Reference,
    /// A member of an open end; empty if the end is a record.
    Open,
}

/// The columns of a kind, in the order of its schema; [`OTHER`] is the last one.
#[must_use]
pub fn columns(kind: Kind) -> &'static [Column] {
    static COLUMNS: LazyLock<BTreeMap<Kind, Vec<Column>>> =
        LazyLock::new(|| Kind::ALL.iter().map(|kind| (*kind, make(*kind))).collect());
    COLUMNS.get(&kind).map_or(&[], Vec::as_slice)
}

#[must_use]
pub fn row(record: &Value, columns: &[Column]) -> Vec<String> {
    let known = |member: &String| {
        let first = |column: &Column| column.path.first().is_some_and(|one| one.member == *member);
        columns.iter().any(first)
    };
    let cells = columns.iter().map(|column| {
        if column.path.is_empty() {
            let others = record.as_object().into_iter().flatten();
            let others: Map<String, Value> = others
                .filter(|(member, _)| !known(member))
                .map(|(member, value)| (member.clone(), value.clone()))
                .collect();
            return leaf(&Value::Object(others), Form::Json);
        }
        cell(record, &column.path, column.form)
    });
    cells.collect()
}

fn cell(value: &Value, path: &[Step], form: Form) -> String {
    let Some((step, rest)) = path.split_first() else {
        return leaf(value, form);
    };
    let is_record = value.get("id").is_some();
    match value.get(&step.member) {
        Some(_) if form == Form::Open && rest.is_empty() && is_record => String::new(),
        None => String::new(),
        Some(Value::Array(items)) if step.list => {
            join(items.iter().map(|item| cell(item, rest, form)).collect())
        }
        Some(inner) => cell(inner, rest, form),
    }
}

fn leaf(value: &Value, form: Form) -> String {
    match (form, value) {
        (_, Value::Null) => String::new(),
        (Form::Json, Value::Object(members)) if members.is_empty() => String::new(),
        (Form::Record, Value::Object(end)) => {
            let text = |member: &str| end.get(member).and_then(Value::as_str);
            let named = text("kind").zip(text("id"));
            named.map_or(String::new(), |(kind, id)| format!("{kind}/{id}"))
        }
        (Form::Text | Form::Open | Form::Reference, Value::String(text)) => guarded(text),
        (_, other) => other.to_string(),
    }
}

/// The cell of a list: the inverse of [`split`].
#[must_use]
pub fn join(items: Vec<String>) -> String {
    if items.iter().all(String::is_empty) {
        return String::new();
    }
    let escaped = items
        .into_iter()
        .map(|item| item.replace('\\', "\\\\").replace(';', "\\;"));
    escaped.collect::<Vec<_>>().join(";")
}

/// The elements of a list in a cell.
#[must_use]
pub fn split(cell: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        match (char, items.last_mut()) {
            (';', _) => items.push(String::new()),
            ('\\', Some(item)) => item.extend(chars.next()),
            (char, Some(item)) => item.push(char),
            (_, None) => {}
        }
    }
    items
}

/// Whether a spreadsheet might interpret the text as a formula, ignoring apostrophes before it.
fn is_formula(text: &str) -> bool {
    let bare = text.trim_start_matches('\'');
    bare.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Prefixes text that a spreadsheet would execute with an apostrophe, as OWASP advises against CSV
/// injection. Text with leading apostrophes gets another one, so that [`unguarded`] always restores
/// the original.
fn guarded(text: &str) -> String {
    if is_formula(text) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// The text of a cell without the apostrophe before what a spreadsheet would execute.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        Some(_) | None => cell,
    }
}

/// The record of a row: the inverse of [`row`], without absent members.
///
/// # Errors
/// The member whose cell cannot be read.
pub fn record<'c, 't>(
    cells: impl IntoIterator<Item = (&'c Column, &'t str)>,
) -> Result<Value, FieldError> {
    let mut record = Value::Object(Map::new());
    for (column, cell) in cells {
        if cell.is_empty() {
            continue;
        }
        if column.path.is_empty() {
            let pointer = child("", &column.name);
            let others = read(column.form, cell, &pointer)?;
            if let (Some(members), Value::Object(others)) = (record.as_object_mut(), others) {
                members.extend(others);
            }
            continue;
        }
        put(&mut record, &column.path, column.form, cell, "")?;
    }
    Ok(record)
}

/// Puts a cell at a path below `at`.
fn put(
    into: &mut Value,
    path: &[Step],
    form: Form,
    cell: &str,
    at: &str,
) -> Result<(), FieldError> {
    let Some((step, rest)) = path.split_first() else {
        *into = read(form, cell, at)?;
        return Ok(());
    };
    if into.is_null() {
        *into = Value::Object(Map::new());
    }
    let at = child(at, &step.member);
    let place = into.as_object_mut().ok_or_else(|| unreadable(form, &at))?;
    let place = place.entry(&step.member).or_insert(Value::Null);
    if !step.list {
        return put(place, rest, form, cell, &at);
    }
    if place.is_null() {
        *place = Value::Array(Vec::new());
    }
    let items = place.as_array_mut().ok_or_else(|| unreadable(form, &at))?;
    for (index, cell) in split(cell).iter().enumerate() {
        if items.len() <= index {
            items.push(Value::Null);
        }
        if let (false, Some(item)) = (cell.is_empty(), items.get_mut(index)) {
            put(item, rest, form, cell, &child(&at, &index.to_string()))?;
        }
    }
    Ok(())
}

fn read(form: Form, cell: &str, at: &str) -> Result<Value, FieldError> {
    let value = match form {
        Form::Text | Form::Open => Some(unguarded(cell).into()),
        Form::Plain => serde_json::from_str(plain(cell)).ok(),
        Form::Json => serde_json::from_str(cell).ok(),
        Form::Record => Some(end(cell)),
        Form::Reference => Some(match cell.split_once('|') {
            Some((system, id)) => {
                serde_json::json!({"external_id": {"system": system, "id": id}})
            }
            None => cell.into(),
        }),
    };
    value.ok_or_else(|| unreadable(form, at))
}

/// `kind/key`; something else may be the name of a record.
fn end(cell: &str) -> Value {
    let Some((kind, key)) = cell.split_once('/') else {
        return cell.into();
    };
    if let Some((system, id)) = key.split_once('|') {
        let key = serde_json::json!({"system": system, "id": id});
        return serde_json::json!({"kind": kind, "external_id": key});
    }
    let is_id = uuid::Uuid::try_parse(key).is_ok();
    let member = if is_id { "id" } else { "slug" };
    serde_json::json!({"kind": kind, member: key})
}

/// The violation of a cell that is not in the notation of its column.
fn unreadable(form: Form, at: &str) -> FieldError {
    let (en, de) = match form {
        Form::Text | Form::Open | Form::Reference => ("a text", "ein Text"),
        Form::Plain => (
            "a number such as 51.96, or true or false",
            "eine Zahl wie 51.96, oder true oder false",
        ),
        Form::Json => ("JSON", "JSON"),
        Form::Record => (
            "a kind and a slug or an id, such as actor/praxis-am-markt",
            "eine Art und ein Slug oder eine Id, etwa actor/praxis-am-markt",
        ),
    };
    let fault = Fault::new(FaultCode::Cell)
        .with("expected", en)
        .with("expected_de", de);
    FieldError::new(at, fault)
}

/// A boolean in JSON notation, however a spreadsheet spells it.
fn plain(cell: &str) -> &str {
    match cell {
        "TRUE" | "WAHR" => "true",
        "FALSE" | "FALSCH" => "false",
        other => other,
    }
}

fn make(kind: Kind) -> Vec<Column> {
    let schema = KindSchema::of(kind);
    let mut maker = Maker {
        schema,
        components: schema.components(),
        columns: Vec::new(),
    };
    if let Some(schema) = maker.components.get(&format!("{}Record", schema.name)) {
        maker.add(schema, &[], Form::Text);
    }
    maker.columns.push(Column {
        name: OTHER.to_owned(),
        path: Vec::new(),
        form: Form::Json,
        content: Content::Json,
    });
    maker.columns
}

struct Maker<'a> {
    schema: &'static KindSchema,
    components: &'a Components,
    columns: Vec<Column>,
}

impl<'a> Maker<'a> {
    fn add(&mut self, schema: &Value, path: &[Step], text: Form) {
        let schema = self.behind(schema);
        let is = |name: &str| schema.get("type").and_then(Value::as_str) == Some(name);
        if let Some(Value::Array(forms)) = schema.get("anyOf") {
            self.push(path, Form::Record, Content::Record);
            for form in forms {
                self.members(form, path, Form::Open);
            }
        } else if schema.get("properties").is_some() {
            self.members(schema, path, text);
        } else if let (true, Some(items)) = (is("array"), schema.get("items")) {
            let mut path = path.to_vec();
            if let Some(last) = path.last_mut() {
                last.list = true;
            }
            self.add(items, &path, text);
        } else if is("object") {
            self.push(path, Form::Json, Content::Json);
        } else if let Some(kind) = self.referenced(path) {
            self.push(path, Form::Reference, Content::Reference(kind));
        } else if is("string") {
            self.push(path, text, Content::of_text(schema));
        } else {
            self.push(path, Form::Plain, Content::of_plain(schema));
        }
    }

    /// The kind of the records that the member at a path references.
    fn referenced(&self, path: &[Step]) -> Option<Kind> {
        let mut pointer = String::new();
        for step in path {
            pointer.push('/');
            pointer.push_str(&step.member);
            pointer.push_str(if step.list { "/*" } else { "" });
        }
        let mut references = self.schema.references.iter();
        let found = references.find(|one| one.path == pointer)?;
        match found.form {
            ReferenceForm::Slot(kind) => Some(kind),
            ReferenceForm::End => None,
        }
    }

    /// Resolves the references of a schema.
    fn behind<'b>(&self, schema: &'b Value) -> &'b Value
    where
        'a: 'b,
    {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let component = reference.and_then(|name| name.strip_prefix(COMPONENTS));
        let found = component.and_then(|name| self.components.get(name));
        found.map_or(schema, |found| self.behind(found))
    }

    fn members(&mut self, schema: &Value, path: &[Step], text: Form) {
        let members = self
            .behind(schema)
            .get("properties")
            .and_then(Value::as_object);
        for (member, schema) in members.into_iter().flatten() {
            // The id of an end is in the cell of the end itself.
            if text == Form::Open && member == "id" {
                continue;
            }
            let step = Step {
                member: member.clone(),
                list: false,
            };
            self.add(schema, &[path, &[step]].concat(), text);
        }
    }

    fn push(&mut self, path: &[Step], form: Form, content: Content) {
        let names: Vec<&str> = path.iter().map(|step| step.member.as_str()).collect();
        let name = names.join(".");
        if self.columns.iter().any(|column| column.name == name) {
            return;
        }
        self.columns.push(Column {
            name,
            path: path.to_vec(),
            form,
            content,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn back(kind: Kind, value: &Value) -> Value {
        let columns = columns(kind);
        let cells = row(value, columns);
        let pairs = columns.iter().zip(cells.iter().map(String::as_str));
        record(pairs).unwrap()
    }

    fn cell_of(kind: Kind, value: &Value, name: &str) -> String {
        let columns = columns(kind);
        let at = columns.iter().position(|one| one.name == name).unwrap();
        row(value, columns).remove(at)
    }

    #[test]
    fn lists_are_one_cell_and_lists_of_objects_one_cell_a_member() {
        let actor = json!({
            "name": "A", "goals": ["a;b", "c\\d", "'=e"], "publication": "published",
            "places": [{"street": "Weg 1; Hof"}, {"city": "Kassel", "point": {"lat": -51.5, "lon": 9}}],
            "translations": {"en": {"name": "B"}}, "name_is_description": true, "hovers": [1],
        });
        let cell = |name| cell_of(Kind::Actor, &actor, name);
        assert_eq!(cell("goals"), r"a\;b;c\\d;''=e");
        assert_eq!(cell("places.street"), r"Weg 1\; Hof;");
        assert_eq!(cell("places.city"), ";Kassel");
        assert_eq!(cell("places.point.lat"), ";-51.5");
        assert_eq!(cell("translations"), r#"{"en":{"name":"B"}}"#);
        assert_eq!(cell(OTHER), r#"{"hovers":[1]}"#);
        assert_eq!(back(Kind::Actor, &actor), actor);
    }

    #[test]
    fn ends_are_kind_and_key_or_what_was_stated() {
        let id = "0193e5a0-0000-7000-8000-000000000000";
        let edge = json!({
            "type": "member_of", "from": {"kind": "actor", "id": id},
            "to": {"class": {"kind": "network"}, "as_stated": "alle"},
        });
        let cell = |name| cell_of(Kind::Relationship, &edge, name);
        assert_eq!(cell("from"), format!("actor/{id}"));
        assert_eq!(
            (cell("from.kind"), cell("to")),
            (String::new(), String::new())
        );
        assert_eq!(
            (cell("to.class.kind"), cell("to.as_stated")),
            ("network".into(), "alle".into())
        );
        assert_eq!(back(Kind::Relationship, &edge), edge);
        let nested = json!({"outcomes": [
            {"type": "service", "audiences": ["hospital", "school"], "figures": [{"measure": "a;b", "value": 1}]},
            {"type": "solution", "available_at": {"as_stated": "hier", "kind": "actor"}},
        ]});
        assert_eq!(back(Kind::Project, &nested), nested);
    }

    #[test]
    fn truth_values_are_read_as_spreadsheets_write_them() {
        for (cell, value) in [("true", true), ("TRUE", true), ("FALSCH", false)] {
            assert_eq!(read(Form::Plain, cell, ""), Ok(json!(value)));
        }
        assert!(read(Form::Plain, "ja", "").is_err());
        assert_eq!(read(Form::Text, "TRUE", ""), Ok(json!("TRUE")));
    }

    #[test]
    fn formulas_are_guarded_and_nothing_else_is() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+49 561", "'+49 561"),
            ("-x", "'-x"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("'=x", "''=x"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(guarded(text), cell);
            assert_eq!(unguarded(cell), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(name in "['=+\\-@;\\\\a\t\r\n]{1,8}", goals in proptest::collection::vec("['=;\\\\a]{1,5}", 1..4)) {
            let actor = json!({"name": name, "goals": goals});
            prop_assert_eq!(back(Kind::Actor, &actor), actor);
        }
    }
}
