mod page;
pub(crate) mod query;

use crate::formats::{Format, Json, Place};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Accepted, Address, App, IfNoneMatch, Pairs, Query, Reader, RecordId, parse,
};
use crate::operation::reply::weak_tag;
use crate::operation::routes::Routes;
use crate::records::crud::find;
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use page::{AroundItems, Records, RelationshipList, body};
use persistence::read::relationships::AllOf;
pub(crate) use query::Everywhere;
use query::{Around, Sent};
use std::marker::PhantomData;
use uuid::Uuid;

#[must_use]
pub fn around(schema: &KindSchema) -> Routes {
    let path = format!("/v1/{}/{{id}}/relationships", schema.kind.plural());
    let id = format!("list_{}_relationships", schema.kind);
    let summary = format!("List the relationships of {}, both ways", schema.a);
    let problems = &[
        Code::InvalidCursor,
        Code::Moved,
        Code::Gone,
        Code::Overloaded,
    ];
    Routes::of(schema).get(&path, (&id, &summary), problems, list_around)
}

#[must_use]
pub fn list() -> Routes {
    let names = ("list_relationships", "List relationships");
    let problems = &[
        Code::InvalidCursor,
        Code::UnknownReference,
        Code::Overloaded,
    ];
    let path = "/v1/relationships";
    Routes::new("Relationships").get(path, names, problems, list_all)
}

async fn list_around(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    Query(Around(mut sent)): Query<Around>,
    known: IfNoneMatch,
    request: Address,
    Accepted(format): Accepted,
) -> Result<RelationshipList<AroundItems>, Problem> {
    let row = find(&app, &caller, id.kind, &id.key).await?;
    sent.filter.around = vec![row.id];
    answer(&app, &caller, sent, (&request, &known, format)).await
}

/// The relationships around a record as JSON: what the route answers to a caller, for the pages of
/// the explorer.
pub(crate) async fn json(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    query: &str,
) -> Result<String, Problem> {
    let Around(mut sent) = parse::<Around>(query, Some(id.kind), false)?;
    let row = find(app, caller, id.kind, &id.key).await?;
    sent.filter.around = vec![row.id];
    let path = format!("/v1/{}/{}/relationships", id.kind.plural(), id.key);
    let address = Address::new(path, query, Lang::En);
    let (text, _) = read(app, caller, sent, (&address, &Json)).await?;
    Ok(text)
}

async fn list_all(
    app: App,
    Reader(caller): Reader,
    Query(mut query): Query<Everywhere>,
    known: IfNoneMatch,
    request: Address,
    Accepted(format): Accepted,
) -> Result<RelationshipList<Records>, Problem> {
    query.resolve(&app, &caller).await?;
    answer(&app, &caller, query.sent, (&request, &known, format)).await
}

impl Everywhere {
    pub(crate) async fn resolve(&mut self, app: &App, caller: &Caller) -> Result<(), Problem> {
        let described: Vec<Kind> = Kind::ALL
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::Relationship)
            .collect();
        let filter = &mut self.sent.filter;
        filter.from = named(app, caller, ("from", &described), &self.from).await?;
        filter.to = named(app, caller, ("to", &described), &self.to).await?;
        let regions = [Kind::Region];
        filter.home_regions =
            named(app, caller, ("home_region", &regions), &self.home_region).await?;
        Ok(())
    }
}

async fn named(
    app: &App,
    caller: &Caller,
    (parameter, kinds): (&'static str, &[Kind]),
    lists: &AllOf<String>,
) -> Result<AllOf<Uuid>, Problem> {
    let mut found = Vec::with_capacity(lists.len());
    for list in lists {
        let mut ids = Vec::with_capacity(list.len());
        for value in list {
            let (_, id) = app
                .store
                .records()
                .find_named(caller, parameter, kinds, value)
                .await?;
            ids.push(id);
        }
        found.push(ids);
    }
    Ok(found)
}

async fn answer<S>(
    app: &App,
    caller: &Caller,
    sent: Sent,
    (request, known, format): (&Address, &IfNoneMatch, &'static dyn Format),
) -> Result<RelationshipList<S>, Problem> {
    let (text, next) = read(app, caller, sent, (request, format)).await?;
    let etag = weak_tag(&text);
    Ok(RelationshipList {
        body: (!known.has(&etag)).then_some((format, text)),
        etag,
        next,
        shape: PhantomData,
    })
}

/// A page, and the address of the next one.
async fn read(
    app: &App,
    caller: &Caller,
    sent: Sent,
    (address, format): (&Address, &'static dyn Format),
) -> Result<(String, Option<String>), Problem> {
    let around = sent.filter.around.first().copied();
    let lang = sent.lang.unwrap_or(address.lang);
    let query = address.query_in(format, sent.text);
    let bound = format!("{}?{query}", address.path);
    let page = app
        .store
        .relationships()
        .list(
            caller,
            &sent.filter,
            (sent.limit, sent.cursor.as_deref()),
            &bound,
        )
        .await?;
    let next = page.next.as_ref();
    let next = next.map(|cursor| Pairs::next(&address.path, &query, cursor));
    let place = Place {
        lang,
        next: next.clone(),
        ..address.place(&app.site, Some(Kind::Relationship), None)
    };
    let text = body(&page, around, (lang, sent.lang), (place, format))?;
    Ok((text, next))
}
