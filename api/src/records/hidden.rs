//! Hiding copies on this node.

use crate::http::problem::Problem;
use crate::operation::extract::{App, Hider, HowToWrite, Id};
use crate::operation::reply::Done;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::access::rules::Caller;
use domain::base::kind::Resource;
use persistence::unit::WriteOptions;

/// The routes of a kind.
#[must_use]
pub fn routes<T: Resource>(tag: &'static str) -> Routes {
    let path = format!("/v1/{}/{{id}}/hidden", T::KIND.plural());
    let hide = format!("hide_{}", T::KIND);
    let hide = (hide.as_str(), "Hide a copy on this node");
    let show = format!("unhide_{}", T::KIND);
    let show = (show.as_str(), "Show a hidden copy again");
    Routes::new(tag)
        .route(Method::PUT, &path, hide, &[], put::<T>)
        .route(Method::DELETE, &path, show, &[], delete::<T>)
}

async fn put<T: Resource>(
    app: App,
    Hider(caller): Hider,
    id: Id<T>,
    HowToWrite(options): HowToWrite,
) -> Result<Done, Problem> {
    change(&app, &caller, &id, true, &options).await
}

async fn delete<T: Resource>(
    app: App,
    Hider(caller): Hider,
    id: Id<T>,
    HowToWrite(options): HowToWrite,
) -> Result<Done, Problem> {
    change(&app, &caller, &id, false, &options).await
}

async fn change<T: Resource>(
    app: &App,
    caller: &Caller,
    id: &Id<T>,
    hide: bool,
    options: &WriteOptions,
) -> Result<Done, Problem> {
    let row = app.store.to_hide(caller, T::KIND, &id.0).await?;
    let key = (T::KIND, row.id);
    app.store.hide(caller, key, hide, options).await?;
    Ok(Done)
}
