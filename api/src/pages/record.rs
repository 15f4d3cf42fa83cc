//! The page of a record.

mod aside;
mod events;

use crate::http::problem::{Code, Problem};
use crate::operation::extract::RecordId;
use crate::pages::calls::query;
use crate::pages::json_ld;
use crate::pages::layout::{Head, Visit};
use crate::pages::locale::Locale;
use crate::pages::markdown::commonmark;
use crate::pages::parts::{badge, foreign, link, page_of, short};
use crate::pages::relationships;
use crate::pages::words::{self, code, date, list, main_type, member, text, texts};
use crate::records::list::parameters::DESCRIBED;
use actix_web::HttpResponse;
use actix_web::http::header;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};
use serde_json::Value;

/// What is fetched for a page.
struct Found {
    record: Value,
    relationships: Value,
    persons: Value,
    /// Absent if the record cannot have any.
    events: Option<Value>,
    geometry: Option<Value>,
}

pub(super) async fn page(id: RecordId, visit: Visit) -> Result<HttpResponse, Problem> {
    let record = visit.calls.record(&id, &include(id.kind)).await?;
    let key = page_of(id.kind, &record, visit.calls.node(), Locale(Lang::De));
    // Links by id end at the address that people share, if no other record can have it.
    let own = text(&record, "/origin") == Some(visit.calls.node());
    if own && visit.path != key && visit.query.is_empty() {
        return Ok(HttpResponse::Found()
            .insert_header((header::LOCATION, visit.locale.path(&key)))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .finish());
    }
    if id.kind == Kind::Relationship {
        return relationship(&id, &visit, &record, &key).await;
    }
    let relationships = visit.calls.relationships(&id, &around(&visit)?).await?;
    let mut found = Found {
        persons: visit.calls.contact_persons(&id).await?,
        events: events::coming(&visit, &id, &relationships).await?,
        relationships,
        geometry: None,
        record,
    };
    if id.kind == Kind::Region {
        found.geometry = visit.calls.geometry(&id).await?;
    }
    let record = &found.record;
    let name = text(record, "/name").unwrap_or_default();
    let head = Head {
        title: name.to_owned(),
        description: text(record, "/summary").map(str::to_owned),
        json_ld: Some(json_ld::of(
            record,
            &format!("{}{}", visit.site.base_url, visit.locale.path(&key)),
        )),
        alternates: aside::alternates(id.kind, record, visit.locale),
        // Data about people must not stay in caches.
        is_private: !list(&found.persons, "/items").is_empty(),
        canonical: Some(key.clone()),
        ..Head::default()
    };
    let content = html! {
        article.record data-kind=(id.kind.code()) {
            (heading(&visit, record, &found.relationships))
            div.body {
                div.text {
                    (figures(&visit, record))
                    (description(&visit, record))
                    (lists(&visit, record))
                    (outcomes(&visit, record))
                    (links(&visit, record))
                    (related(&visit, &id, &found, &key))
                }
                aside {
                    (aside::facts(&visit, record))
                    (aside::places(&visit, record, found.geometry.as_ref()))
                    (aside::contact(&visit, record, list(&found.persons, "/items")))
                    (aside::provenance(&visit, &id, record, &key))
                }
            }
        }
    };
    Ok(visit.page(&head, &content))
}

/// The records that are named with a page; topics and regions of the kinds that have them.
fn include(kind: Kind) -> String {
    let names = if kind == Kind::Relationship {
        "home_region"
    } else {
        "home_region,topics,region,broader"
    };
    query([("include", names)])
}

/// The page of relationships that is asked for.
fn around(visit: &Visit) -> Result<String, Problem> {
    let mut sent = vec![("limit".to_owned(), "200".to_owned())];
    for (name, value) in url::form_urlencoded::parse(visit.query.as_bytes()).into_owned() {
        match name.as_str() {
            "cursor" => sent.push((name, value)),
            other => return Err(crate::operation::extract::unknown(other, &["cursor"])),
        }
    }
    Ok(query(
        sent.iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    ))
}

fn heading(visit: &Visit, record: &Value, relationships: &Value) -> Markup {
    let locale = visit.locale;
    let Some(kind) = words::kind(record) else {
        return html! {};
    };
    let language = foreign(record, locale);
    let names = list(record, "/names").iter().filter_map(|name| {
        let value = text(name, "/value")?;
        let is_former = text(name, "/type") == Some("former");
        Some(if is_former {
            format!("{} {value}", visit.t("früher:", "formerly"))
        } else {
            value.to_owned()
        })
    });
    let names: Vec<String> = names.collect();
    html! {
        header.heading {
            p.kind {
                (badge(kind, locale))
                @if let Some(main) = main_type(record, locale) { span.type { (main) } }
                @if record.pointer("/name_is_description") == Some(&Value::Bool(true)) {
                    span.note { (visit.t("Die Quelle nennt keinen Namen, nur diese Umschreibung", "The source gives no name, only this phrase")) }
                }
            }
            h1 lang=[language] { (text(record, "/name").unwrap_or_default()) }
            @if !names.is_empty() { p.names lang=[language] { (names.join(" · ")) } }
            @if let Some(line) = text(record, "/tagline") { p.lead lang=[language] { (line) } }
            @if let Some(summary) = text(record, "/summary") { p.lead lang=[language] { (summary) } }
            @if let Some(status) = text(record, "/status").filter(|status| ["cancelled", "postponed"].contains(status)) {
                p.notice { (code("event_status", status, locale)) }
            }
            p.actions {
                (classified(visit, kind, record))
                @if let Some(total) = relationships.pointer("/total").and_then(Value::as_u64).filter(|total| *total > 0) {
                    a.button href="#relationships" {
                        (visit.locale.number(total)) " " (if total == 1 { visit.t("Beziehung", "relationship") } else { visit.t("Beziehungen", "relationships") })
                    }
                }
            }
        }
    }
}

/// From a region or a topic to the records that it classifies.
fn classified(visit: &Visit, kind: Kind, record: &Value) -> Markup {
    let (name, label) = match kind {
        Kind::Region => (
            "region",
            visit.t("Einträge in dieser Region", "Records in this region"),
        ),
        Kind::Topic => (
            "topic",
            visit.t("Einträge zu diesem Thema", "Records on this topic"),
        ),
        Kind::Actor | Kind::Network | Kind::Project | Kind::Event | Kind::Relationship => {
            return html! {};
        }
    };
    let id = text(record, "/id").unwrap_or_default();
    let href = format!("{}?{}", visit.locale.path("/"), query([(name, id)]));
    html! { a.button href=(href) { (label) } }
}

fn figures(visit: &Visit, record: &Value) -> Markup {
    let all = list(record, "/figures");
    html! {
        @if !all.is_empty() {
            ul.figures aria-label=(member("figures", visit.locale)) {
                @for one in all { (figure(visit, record, one)) }
            }
        }
    }
}

fn figure(visit: &Visit, record: &Value, one: &Value) -> Markup {
    let (amount, measure) = words::figure(one, visit.locale);
    let source = text(one, "/source/publisher");
    html! {
        li {
            strong { (amount) } span { (measure) }
            @if let Some(stated) = text(one, "/as_stated") { q lang=[foreign(record, visit.locale)] { (stated) } }
            @if let Some(at) = text(one, "/as_of") { small { (visit.t("Stand ", "as of ")) (date(at, visit.locale)) } }
            @if let Some(note) = text(one, "/note") { small { (note) } }
            @if let Some(source) = source { small { (visit.t("Quelle: ", "Source: ")) (source) } }
        }
    }
}

fn description(visit: &Visit, record: &Value) -> Markup {
    html! {
        @if let Some(description) = text(record, "/description") {
            section.description aria-label=(member("description", visit.locale)) lang=[foreign(record, visit.locale)] {
                h2.visually-hidden lang=(visit.locale.code()) { (member("description", visit.locale)) }
                (commonmark(description))
            }
        }
        @if let Some(approach) = text(record, "/approach") {
            section { h2 { (member("approach", visit.locale)) } p lang=[foreign(record, visit.locale)] { (approach) } }
        }
    }
}

/// Texts in the order of the source.
const LISTS: &[&str] = &["goals", "challenges", "audiences", "activities", "focus"];

fn lists(visit: &Visit, record: &Value) -> Markup {
    let locale = visit.locale;
    let language = foreign(record, locale);
    let joining = record.pointer("/joining");
    html! {
        @for name in LISTS {
            @let lines = texts(record, &format!("/{name}"));
            @if !lines.is_empty() {
                section { h2 { (member(name, locale)) } ul lang=[language] { @for line in lines { li { (line) } } } }
            }
        }
        @if !list(record, "/components").is_empty() {
            section { h2 { (member("components", locale)) }
                dl lang=[language] { @for one in list(record, "/components") {
                    dt { (text(one, "/title").unwrap_or_default()) }
                    dd { (text(one, "/description").unwrap_or_default()) }
                } }
            }
        }
        @if let Some(joining) = joining {
            section { h2 { (member("joining", locale)) }
                @if joining.pointer("/open") == Some(&Value::Bool(true)) { p { (visit.t("Neue Mitglieder sind willkommen.", "New members are welcome.")) } }
                @if joining.pointer("/open") == Some(&Value::Bool(false)) { p { (visit.t("Zurzeit werden keine Mitglieder aufgenommen.", "No members are admitted at present.")) } }
                @if let Some(how) = text(joining, "/how") { p lang=[language] { (how) } }
                @for part in ["audiences", "benefits"] {
                    @let lines = texts(joining, &format!("/{part}"));
                    @if !lines.is_empty() { ul lang=[language] { @for line in lines { li { (line) } } } }
                }
                @if let Some(url) = text(joining, "/url") { p { (link(url, visit.t("Zum Antrag", "To the application"))) } }
            }
        }
        @if !list(record, "/milestones").is_empty() {
            section { h2 { (member("milestones", locale)) }
                ul { @for one in list(record, "/milestones") {
                    li { strong { (text(one, "/date").map(|at| date(at, locale)).unwrap_or_default()) } " "
                        span lang=[language] { (text(one, "/title").unwrap_or_default()) } " "
                        span.note { (text(one, "/state").map(|state| code("milestone_state", state, locale)).unwrap_or_default()) } }
                } }
            }
        }
    }
}

fn outcomes(visit: &Visit, record: &Value) -> Markup {
    let (locale, all) = (visit.locale, list(record, "/outcomes"));
    let language = foreign(record, locale);
    html! {
        @if !all.is_empty() {
            section { h2 { (member("outcomes", locale)) }
                ul.outcomes { @for one in all {
                    li {
                        span.type { (text(one, "/type").map(|of| code("outcome_type", of, locale)).unwrap_or_default()) }
                        h3 lang=[language] { (text(one, "/title").unwrap_or_default()) }
                        @if let Some(about) = text(one, "/description") { p lang=[language] { (about) } }
                        @let audiences: Vec<&str> = texts(one, "/audiences").into_iter().map(|one| code("category", one, locale)).collect();
                        @if !audiences.is_empty() { p.facts { (visit.t("Für: ", "For: ")) (audiences.join(", ")) } }
                        @if let Some(at) = one.pointer("/available_at") { p.facts { (visit.t("Erhältlich bei: ", "Available at: ")) (relationships::end(visit, at)) } }
                        @for figure in list(one, "/figures") { @let (amount, measure) = words::figure(figure, locale); p.facts { (amount) " " (measure) } }
                        @if let Some(url) = text(one, "/url") { p { (link(url, short(url))) } }
                    }
                } }
            }
        }
    }
}

/// Links and media; pictures of other servers are links too.
fn links(visit: &Visit, record: &Value) -> Markup {
    let (links, media) = (list(record, "/links"), list(record, "/media"));
    let locale = visit.locale;
    let language = foreign(record, locale);
    html! {
        @if !links.is_empty() || !media.is_empty() {
            section { h2 { (member("links", locale)) }
                ul lang=[language] {
                    @for one in links {
                        @let title = text(one, "/title").or_else(|| text(one, "/url").map(short)).unwrap_or_default();
                        li { @match text(one, "/url") {
                            Some(url) => (link(url, title)),
                            None => { (title) " " span.note { (visit.t("(Adresse nicht genannt)", "(address not stated)")) } }
                        } }
                    }
                    @for one in media {
                        @let of = text(one, "/type").map(|of| code("media_type", of, locale)).unwrap_or_default();
                        @let title = text(one, "/caption").or_else(|| text(one, "/alt")).unwrap_or(of);
                        li {
                            @match text(one, "/url") { Some(url) => (link(url, title)), None => (title) }
                            @if title != of { " " span.note { "(" (of) ")" } }
                            @if let Some(credit) = text(one, "/credit") { " " span.note { "© " (credit) } }
                        }
                    }
                }
            }
        }
    }
}

fn related(visit: &Visit, id: &RecordId, found: &Found, key: &str) -> Markup {
    let total = found
        .relationships
        .pointer("/total")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let next = text(&found.relationships, "/next").and_then(|next| next.rsplit_once("cursor="));
    let is_part = next.is_some() || !visit.query.is_empty();
    let from = text(&found.record, "/id")
        .map(|of| format!("{}/{of}", id.kind.code()))
        .unwrap_or_default();
    let diagram = format!(
        "{}?{}",
        visit.locale.path("/graph"),
        query([("from", from.as_str())])
    );
    html! {
        section.relationships aria-labelledby="relationships" {
            div.heading {
                h2 #relationships { (words::plural(Kind::Relationship, visit.locale)) " " span.count { (visit.locale.number(total)) } }
                @if total > 0 { a.button href=(diagram) { (visit.t("Als Diagramm", "As a diagram")) } }
            }
            @if total == 0 { p.note { (visit.t("Es sind keine Beziehungen bekannt.", "No relationships are known.")) } }
            @if is_part { (part_of(visit, id, found, total)) }
            (relationships::section(visit, &found.relationships, is_part))
            @if let Some((_, cursor)) = next {
                p { a.button href=(format!("{}?cursor={cursor}#relationships", visit.locale.path(key))) { (visit.t("Weitere Beziehungen", "More relationships")) } }
            }
        }
        (events::section(visit, id, &found.record, found.events.as_ref()))
    }
}

/// Says that the page has only some of the relationships, and where all of them are.
fn part_of(visit: &Visit, id: &RecordId, found: &Found, total: u64) -> Markup {
    let shown = list(&found.relationships, "/items").len();
    let shown = visit
        .locale
        .number(u64::try_from(shown).unwrap_or_default());
    let total = visit.locale.number(total);
    let is_first = visit.query.is_empty();
    let all = format!(
        "/v1/{}/{}/relationships?limit=200&lang={}",
        id.kind.plural(),
        text(&found.record, "/id").unwrap_or_default(),
        visit.locale.code()
    );
    let german = if is_first {
        format!("Gezeigt werden nur die ersten {shown} von {total} Beziehungen.")
    } else {
        format!("Gezeigt werden nur weitere {shown} von {total} Beziehungen.")
    };
    let english = if is_first {
        format!("Only the first {shown} of {total} relationships are shown.")
    } else {
        format!("Only {shown} more of {total} relationships are shown.")
    };
    html! {
        p.note { (visit.t(&german, &english)) " " a href=(all) { (visit.t("Die ganze Liste als JSON", "The whole list as JSON")) } }
    }
}

/// The page of a relationship: its two ends, and everything that is stated about it.
async fn relationship(
    id: &RecordId,
    visit: &Visit,
    record: &Value,
    key: &str,
) -> Result<HttpResponse, Problem> {
    let locale = visit.locale;
    let mut ends = Vec::new();
    for side in ["/from", "/to"] {
        let end = record.pointer(side).unwrap_or(&Value::Null);
        ends.push(named(visit, end).await?);
    }
    let code_of = text(record, "/type").unwrap_or_default();
    let label = code("relationship_type", code_of, locale);
    let name = |end: &Value| {
        text(end, "/name")
            .or_else(|| text(end, "/as_stated"))
            .unwrap_or_default()
            .to_owned()
    };
    let title = ends
        .iter()
        .map(&name)
        .collect::<Vec<_>>()
        .join(&format!(" {label} "));
    let head = Head {
        title: title.clone(),
        canonical: Some(key.to_owned()),
        alternates: aside::alternates(id.kind, record, locale),
        ..Head::default()
    };
    let roles: Vec<&str> = texts(record, "/roles")
        .into_iter()
        .map(|role| code("relationship_role", role, locale))
        .collect();
    let content = html! {
        article.record data-kind="relationship" {
            header.heading {
                p.kind { (badge(Kind::Relationship, locale)) }
                h1.statement {
                    @for (at, end) in ends.iter().enumerate() {
                        @if at > 0 { " " span.verb { (label) } " " }
                        (relationships::end(visit, end))
                    }
                }
            }
            div.body {
                div.text {
                    (figures(visit, record))
                    dl.facts {
                        @if !roles.is_empty() { div { dt { (member("roles", locale)) } dd { (roles.join(", ")) } } }
                        @if let Some(subject) = text(record, "/subject") { div { dt { (member("subject", locale)) } dd { (subject) } } }
                        @if let Some(valid) = record.pointer("/valid").and_then(|valid| words::period(valid, locale)) { div { dt { (member("valid", locale)) } dd { (valid) } } }
                        @if let Some(note) = text(record, "/note") { div { dt { (member("note", locale)) } dd { q { (note) } } } }
                        @for one in list(record, "/identifiers") { div { dt { (text(one, "/scheme").unwrap_or_default()) } dd { code { (text(one, "/value").unwrap_or_default()) } } } }
                    }
                }
                aside { (aside::provenance(visit, id, record, key)) }
            }
        }
    };
    Ok(visit.page(&head, &content))
}

/// An end with its name, as far as this caller sees it.
async fn named(visit: &Visit, end: &Value) -> Result<Value, Problem> {
    let kind = words::kind(end).filter(|kind| DESCRIBED.contains(kind));
    let (Some(kind), Some(key)) = (kind, text(end, "/id")) else {
        return Ok(end.clone());
    };
    let id = RecordId::new(kind, key)?;
    match visit.calls.record(&id, "fields=name,language").await {
        // The end was merged or deleted; the link to it leads on.
        Err(problem) if [Code::Moved, Code::Gone].contains(&problem.kind.code) => Ok(end.clone()),
        found => found,
    }
}
