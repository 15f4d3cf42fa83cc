//! The dates that a postponed event had before, for calendars that have its entry.

use crate::formats::{FORMER, Format, entry_dates};
use crate::http::problem::Problem;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::event::EventStatus;
use persistence::Store;
use persistence::records::Record;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// By event, for [`crate::formats::Item::more`]; empty unless the format is a calendar.
pub(super) async fn dates(
    store: &Store,
    format: &dyn Format,
    rows: impl IntoIterator<Item = &Record>,
) -> Result<BTreeMap<Uuid, Value>, Problem> {
    let mut found = BTreeMap::new();
    if !format.is_calendar() {
        return Ok(found);
    }
    for row in rows {
        let event = row.current_value();
        let postponed = event.get("status") == Some(&json!(EventStatus::Postponed.code()));
        if row.kind != Kind::Event || !postponed || entry_dates(&event).is_some() {
            continue;
        }
        let bodies = store.history().public_bodies(row.id).await?;
        if let Some(body) = bodies.into_iter().find(|body| entry_dates(body).is_some()) {
            found.insert(row.id, json!({FORMER: body}));
        }
    }
    Ok(found)
}
