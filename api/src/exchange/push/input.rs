use crate::operation::extract::Body;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::exchange::line::Statement;
use domain::exchange::sync::{PushMode, PushOp, SystemVersion};
use domain::validation::shape::Shape;
use persistence::StoreError;
use persistence::push::{Item, MAX_ITEMS};
use serde::Deserialize;
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// Records of a system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushInput {
    /// Whether items are independent, or nothing is done if one is rejected.
    pub(crate) mode: PushMode,
    /// At most 500 items, in any order.
    #[schema(min_items = 1, max_items = 500, value_type = Vec<PushItem>)]
    pub(crate) items: Vec<Value>,
}

/// [`PushInput`] with unparsed items, so that violations are reported per item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Envelope {
    mode: PushMode,
    #[schema(min_items = 1, max_items = 500, value_type = Vec<Value>)]
    items: Vec<Value>,
}

/// Change of the record with a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushItem {
    /// Operation of the item.
    op: PushOp,
    /// Kind of the record.
    kind: Kind,
    /// Key of the record in the system.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$", example = "42")]
    external_id: String,
    /// State of the record; one older than the last is a conflict.
    system_version: Option<SystemVersion>,
    /// Record as for creation (`ActorInput` and so on); its `external_id` may be left out. Absent
    /// for deletions.
    #[schema(value_type = Option<Object>)]
    record: Option<Value>,
}

impl Body for PushInput {
    const EXAMPLE: &'static str = r#"{"mode": "each", "items": [{"op": "upsert", "kind": "actor", "external_id": "42", "system_version": 7, "record": {"name": "Praxis am Markt", "home_region": "nordhessen", "publication": "published"}}, {"op": "delete", "kind": "actor", "external_id": "43"}]}"#;

    const LIMIT: usize = 4 * 1024 * 1024;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<Envelope>);
        &SHAPE
    }

    // Each item is processed separately.
    fn tidy(_: &mut Value) -> Vec<FieldError> {
        Vec::new()
    }

    fn faults(&self) -> Vec<FieldError> {
        if self.items.len() <= MAX_ITEMS {
            return Vec::new();
        }
        let fault = Fault::new(FaultCode::TooMany).with("max", MAX_ITEMS);
        vec![FieldError::new("/items", fault)]
    }
}

pub(crate) fn item(sent: &Value) -> Result<Item, StoreError> {
    static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<PushItem>);
    let misfits = SHAPE.misfits(sent);
    if !misfits.is_empty() {
        return Err(StoreError::Invalid(misfits));
    }
    let wrong = |pointer, fault| StoreError::Invalid(vec![FieldError::new(pointer, fault)]);
    let item: PushItem = serde_json::from_value(sent.clone())
        .map_err(|why| wrong("", Fault::new(FaultCode::InvalidValue).with("why", why)))?;
    if let Some(SystemVersion::Text(text)) = &item.system_version
        && !(1..=100).contains(&text.chars().count())
    {
        let why = "a text of 1 to 100 characters, or a whole number";
        return Err(wrong(
            "/system_version",
            Fault::new(FaultCode::NotAllowed).with("why", why),
        ));
    }
    let record = match (item.op, item.record) {
        (PushOp::Upsert, None) => {
            let fault = Fault::new(FaultCode::Required)
                .with("what", "the record as it is to be")
                .with("what_de", "der Datensatz, wie er sein soll");
            return Err(wrong("/record", fault));
        }
        (PushOp::Upsert, Some(record)) => record,
        (PushOp::Delete, _) => Value::Null,
    };
    Ok(Item {
        op: item.op,
        kind: item.kind,
        external_id: item.external_id,
        system_version: item.system_version,
        record,
        statement: Statement::Whole,
    })
}
