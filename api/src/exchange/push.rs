//! Pushing: records that a system supplies by their keys, individually or completely.

mod columns;
mod input;
mod report;
mod snapshot;

pub(crate) use report::ItemView;

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Feeder, HowToWrite, JsonBody, Told};
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::base::fault::Lang;
use domain::exchange::sync::PushMode;
use input::{PushInput, item};
use persistence::push::Item;
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Outcome;
use report::PushReport;

#[must_use]
pub fn routes() -> Routes {
    let records = (
        "push_records",
        "Push records: create, change and delete them by the keys of their system",
    );
    let all = (
        "push_snapshot",
        "Plan or apply a snapshot of a system; missing records are deleted",
    );
    Routes::new("Sync")
        .route(
            Method::POST,
            "/v1/sync/systems/{system}/records",
            records,
            &[Code::ItemsRefused],
            push,
        )
        .route(
            Method::POST,
            "/v1/sync/systems/{system}/snapshot",
            all,
            &[
                Code::ItemsRefused,
                Code::StalePlan,
                Code::DeletionThresholdExceeded,
                Code::RemovalThresholdExceeded,
                Code::RecordsRekeyed,
                Code::NewerThanExport,
            ],
            snapshot::push,
        )
        .route(
            Method::GET,
            "/v1/sync/systems/{system}/columns",
            ("get_columns", "What the columns of a system's tables mean"),
            &[],
            columns::get,
        )
        .route(
            Method::PUT,
            "/v1/sync/systems/{system}/columns",
            (
                "set_columns",
                "Tell once what the columns of a system's tables mean",
            ),
            &[],
            columns::set,
        )
}

async fn push(
    app: App,
    feeder: Feeder,
    HowToWrite(mut options): HowToWrite,
    Told(lang): Told,
    JsonBody(input): JsonBody<PushInput>,
) -> Result<Private<PushReport>, Problem> {
    let read = input.items.iter().map(item);
    let (mut items, mut places, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (index, item) in read.enumerate() {
        match item {
            Ok(item) => {
                items.push(item);
                places.push(index);
            }
            Err(why) => refused.push((index, None, Outcome(Err(why)))),
        }
    }
    // The violations of all items are reported, but nothing is done.
    let hopeless = input.mode == PushMode::All && !refused.is_empty();
    let dry_run = options.dry_run;
    options.dry_run |= hopeless;
    let (pushed, applied) = app
        .store
        .push()
        .batch(
            &feeder.caller,
            &feeder.system,
            input.mode,
            &items,
            &WriteOptions { ..options },
        )
        .await?;
    let done = places.into_iter().zip(items).zip(pushed);
    let mut results: Vec<(usize, Option<Item>, Outcome)> = done
        .map(|((index, item), pushed)| (index, Some(item), pushed))
        .chain(refused)
        .collect();
    results.sort_by_key(|(index, ..)| *index);
    answer(results, applied && !hopeless, dry_run, lang)
}

fn answer(
    results: Vec<(usize, Option<Item>, Outcome)>,
    applied: bool,
    dry_run: bool,
    lang: Lang,
) -> Result<Private<PushReport>, Problem> {
    let views = results.into_iter().map(|(index, item, pushed)| {
        let key = item.map(|item| (item.kind, Some(item.external_id)));
        ItemView::new(key, pushed, lang).at_index(index)
    });
    let report = PushReport::new(views.collect(), dry_run);
    if applied {
        return Ok(Private::new(report));
    }
    let refused = report.refused();
    let count = refused.len();
    Err(Problem::new(Code::ItemsRefused)
        .detail(
            format!("{count} items were rejected, so nothing was changed; `items` has them, or the first of very many."),
            format!("{count} Einträge wurden abgelehnt, also keiner ausgeführt; `items` nennt sie, bei sehr vielen die ersten."),
        )
        .list("items", refused))
}
