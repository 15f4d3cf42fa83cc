//! A list as one streamed response, for calendars: they subscribe to an address and know no pages.

use super::page::{Content, RecordList};
use super::read::ListParameters;
use crate::formats::{Dialect, Format};
use crate::http::problem::Problem;
use crate::operation::extract::{Address, App, IfNoneMatch, wrong};
use crate::operation::reply::weak_tag;
use crate::records::download::{Export, Running};
use chrono::{Months, NaiveDate};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::event::EventStatus;
use domain::value::edtf::EdtfDate;
use persistence::read::relationships::RelationshipFilter;
use persistence::search::filter::{Bound, Condition, Test};
use std::collections::VecDeque;

/// Months for which past events stay, unless dates are asked for.
const PAST: Months = Months::new(12);

pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    parameters: ListParameters,
    (address, known, format): (&Address, &IfNoneMatch, &'static dyn Format),
) -> Result<RecordList, Problem> {
    if let Some((name, value)) = &parameters.given.of_pages {
        let expected = (
            "left out: this format has everything that matches in one response",
            "kein Parameter dieses Formats: es enthält alles Passende in einer Antwort",
        );
        return Err(wrong(name, value, expected));
    }
    let mut filter = parameters.query.filter;
    let today = app.store.clock().today();
    if !parameters.given.dates {
        filter.conditions.push(recent(today));
    }
    let position = app.search.position().await?;
    let ids = app.search.ids(caller, &filter).await?;
    let lang = parameters.representation.lang();
    let place = address.place(&app.site, parameters.kind, lang);
    // What anonymous callers see changes with the log, the day and the configuration only.
    let state = format!("{position} {today} {place:?} {}", env!("CARGO_PKG_VERSION"));
    let etag = caller.account.is_none().then(|| weak_tag(&state));
    if etag.as_deref().is_some_and(|etag| known.has(etag)) {
        return Ok(RecordList {
            body: None,
            etag,
            next: None,
            languages: Vec::new(),
        });
    }
    let kind = parameters.kind.unwrap_or(Kind::Event);
    let export = Export {
        store: app.store.clone(),
        caller: caller.clone(),
        format,
        representation: parameters.representation,
        geometry: false,
        records: filter,
        relationships: RelationshipFilter::default(),
        parts: VecDeque::from([(kind, ids)]),
        place,
        dialect: Dialect::default(),
        labels: false,
    };
    Ok(RecordList {
        body: Some((format, Content::Stream(Box::new(Running::new(export))))),
        etag,
        next: None,
        languages: Vec::new(),
    })
}

/// Events of the last year and later, and postponed ones, which may have no date.
fn recent(today: NaiveDate) -> Condition {
    let first = today.checked_sub_months(PAST).unwrap_or(today);
    let from = first.to_string().parse::<EdtfDate>().ok();
    Condition {
        parameter: "start".to_owned(),
        any: vec![
            Test::Within {
                bound: Bound::Begin,
                from,
                to: None,
                certain: false,
            },
            Test::Is {
                name: "status",
                value: EventStatus::Postponed.code().to_owned(),
            },
        ],
    }
}
