//! The events of a record: those that it is related to, or that are in a region or on a topic.

use super::page::{RecordList, describe_list};
use super::read::{EventParameters, ListParameters};
use super::{PROBLEMS, answer, read};
use crate::formats::{ICalendar, Json};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Accepted, Address, AfterPosition, App, IfNoneMatch, Query, Reader, RecordId, parse,
};
use crate::operation::media_type::Formats;
use crate::operation::routes::{Draft, Reply, Routes};
use crate::records::crud::find;
use crate::records::list::parameters::related;
use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use persistence::search::filter::{Condition, Test};
use uuid::Uuid;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let path = format!("/v1/{}/{{id}}/events", schema.kind.plural());
    let id = format!("list_{}_events", schema.kind);
    let summary = format!("List the events of {}", schema.a);
    let problems = [PROBLEMS, &[Code::Moved, Code::Gone]].concat();
    Routes::of(schema).get(&path, (&id, &summary), &problems, list)
}

/// The formats of the events of a record.
const EVENTS_OF: Formats = Formats::with_paths(&[&Json, &ICalendar]);

/// [`RecordList`] of events.
#[derive(Debug)]
struct EventList(RecordList);

#[expect(clippy::too_many_arguments, reason = "extractors")]
async fn list(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    _: AfterPosition,
    Query(EventParameters(mut parameters)): Query<EventParameters>,
    known: IfNoneMatch,
    address: Address,
    Accepted(format): Accepted,
) -> Result<EventList, Problem> {
    narrow(&app, &caller, &id, &mut parameters).await?;
    let asked = (&address, &known, format);
    let list = answer(&app, &caller, parameters, asked).await?;
    Ok(EventList(list))
}

/// A page of the events of a record as JSON: what the route answers to a caller, for the pages of the
/// explorer.
pub(crate) async fn json(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    query: &str,
) -> Result<String, Problem> {
    let EventParameters(mut parameters) = parse(query, Some(id.kind), true)?;
    narrow(app, caller, id, &mut parameters).await?;
    let path = format!("/v1/{}/{}/events", id.kind.plural(), id.key);
    let address = Address::new(path, query, Lang::default());
    let page = read(app, caller, parameters, (&address, &Json)).await?;
    Ok(page.text)
}

/// Leaves only the events of a record that the caller sees.
async fn narrow(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    parameters: &mut ListParameters,
) -> Result<(), Problem> {
    let row = find(app, caller, id.kind, &id.key).await?;
    let conditions = &mut parameters.query.filter.conditions;
    conditions.push(at(row.kind, row.id));
    Ok(())
}

/// The condition of events that have to do with a record.
fn at(kind: Kind, id: Uuid) -> Condition {
    let all = related(Kind::Event);
    let fitting = all
        .iter()
        .filter(|one| one.kinds(Kind::Event).contains(&kind));
    let tests = fitting.map(|one| Test::Related {
        code: one.name(),
        role: None,
        other: id,
        below: one.below(),
    });
    let mut any: Vec<Test> = tests.collect();
    if kind == Kind::Region {
        any.push(Test::Region(id));
    }
    if kind == Kind::Topic {
        any.push(Test::Below {
            name: "topic",
            record: id,
        });
    }
    Condition {
        parameter: "events".to_owned(),
        any,
    }
}

impl Responder for EventList {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.0.respond_to(request)
    }
}

impl Reply for EventList {
    fn formats(_: Option<Kind>) -> Formats {
        EVENTS_OF
    }

    fn describe(draft: &mut Draft) {
        describe_list(draft, Some(Kind::Event));
    }
}
