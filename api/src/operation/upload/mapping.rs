//! What the columns of a source mean, stored for all its tables.

use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::pointer::child;
use domain::exchange::table::{Column, columns};
use domain::spreadsheet::nearest_heading;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};

const MAX_COLUMNS: usize = 300;
const MAX_TEXT: usize = 500;

/// Columns of a source's tables, by their headings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ColumnMapping, example = json!({"columns": {"Krankenhaus": "name", "IK": "identifiers.0.value", "Fax": null}, "values": {"identifiers.0.scheme": "ik", "categories": "hospital", "home_region": "nordhessen"}}))]
pub(crate) struct Mapping {
    #[serde(default)]
    #[schema(schema_with = targets)]
    pub(crate) columns: BTreeMap<String, Option<String>>,
    /// Members with the same value in every row that has others of the same list.
    #[serde(default)]
    pub(crate) values: BTreeMap<String, String>,
}

/// The schema of the columns: utoipa does not tell that values may be `null`.
fn targets() -> Object {
    let target = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .build();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Heading, and the member that its cells are: a column of an export, for one element of a list with its index, such as `identifiers.0.value`. `null` leaves the column out."))
        .additional_properties(Some(Schema::Object(target)))
        .build()
}

/// The column that a target names, and the element of its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) column: &'static Column,
    pub(super) element: Option<usize>,
}

impl Target {
    /// A path with at most one index, below ten.
    pub(super) fn parse(kind: Kind, target: &str) -> Option<Self> {
        let mut element = None;
        let mut members = Vec::new();
        for part in target.split('.') {
            match part.parse::<usize>() {
                Ok(index) if element.is_none() && index < 10 => element = Some(index),
                Ok(_) => return None,
                Err(_) => members.push(part),
            }
        }
        let path = members.join(".");
        let column = columns(kind).iter().find(|column| column.name == path)?;
        (element.is_none() || column.is_list()).then_some(Self { column, element })
    }
}

impl Mapping {
    /// What is wrong with the mapping for tables of a kind.
    pub(crate) fn violations(&self, kind: Kind) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.columns.len() + self.values.len() > MAX_COLUMNS {
            let fault = Fault::new(FaultCode::TooMany).with("max", MAX_COLUMNS);
            errors.push(FieldError::new("/columns", fault));
            return errors;
        }
        let columns = self.columns.iter().filter_map(|(heading, target)| {
            Some((
                child("/columns", heading),
                heading.as_str(),
                target.as_deref()?,
            ))
        });
        let values = self
            .values
            .iter()
            .map(|(target, value)| (child("/values", target), value.as_str(), target.as_str()));
        for (pointer, text, target) in columns.chain(values) {
            if text.chars().count() > MAX_TEXT {
                let fault = Fault::new(FaultCode::TooLong).with("max", MAX_TEXT);
                errors.push(FieldError::new(&pointer, fault));
            }
            if Target::parse(kind, target).is_none() {
                let fault = Fault::new(FaultCode::UnknownMember)
                    .with("given", target)
                    .with("nearest", nearest_heading(kind, target).unwrap_or_default());
                errors.push(FieldError::new(pointer, fault));
            }
        }
        errors
    }
}
