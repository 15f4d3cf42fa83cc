//! Parts that several pages share.

use crate::formats::Format;
use crate::pages::layout::Visit;
use crate::pages::locale::Locale;
use crate::pages::markdown::address;
use crate::pages::words::{kind, text};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};
use persistence::store::REFERENCE_ORIGIN;
use serde_json::Value;

/// The form of the search, on the page of this path.
pub(super) fn search_form(visit: &Visit, path: &str, typed: &str) -> Markup {
    let label = visit.t(
        "Krankenhaus, Netzwerk, Ort, Thema …",
        "Hospital, network, place, topic …",
    );
    html! {
        form.search #search role="search" method="get" action=(visit.locale.path(path)) {
            label.visually-hidden for="q" { (visit.t("Suchbegriffe", "Search words")) }
            div.field {
                input #q type="search" name="q" value=(typed) maxlength="500" placeholder=(label) autocomplete="off"
                    data-suggest=(format!("/v1/suggest?lang={}", visit.locale.code())) data-pages=(visit.locale.path(""));
                button type="submit" { (visit.t("Suchen", "Search")) }
            }
        }
    }
}

/// The address of data in a format, with labels and texts in the language of the page where the
/// format has them.
pub(super) fn in_format(path: &str, query: &str, format: &dyn Format, locale: Locale) -> String {
    let mut address = format!("{path}?{query}");
    if !query.is_empty() {
        address.push('&');
    }
    address.push_str("format=");
    address.push_str(format.extension());
    if !format.is_whole() {
        address.push_str("&lang=");
        address.push_str(locale.code());
    }
    address
}

/// The address of a calendar to subscribe to, with labels and texts in the language of the page.
pub(super) fn calendar(path: &str, query: &str, locale: Locale) -> String {
    let separator = if query.is_empty() { "" } else { "&" };
    format!("{path}.ics?{query}{separator}lang={}", locale.code())
}

/// Whether a record is this node's own, or the same on every node.
pub(super) fn is_own(record: &Value, node: &str) -> bool {
    text(record, "/origin").is_some_and(|origin| [node, REFERENCE_ORIGIN].contains(&origin))
}

/// The path of a record's page, by slug if this node is its origin or it is reference data: slugs of
/// copies may be taken.
pub(super) fn page_of(kind: Kind, record: &Value, node: &str, locale: Locale) -> String {
    let slug = text(record, "/slug").filter(|_| is_own(record, node));
    let key = slug.or_else(|| text(record, "/id")).unwrap_or_default();
    locale.path(&format!("/{}/{key}", kind.plural()))
}

/// The path of the page of a record that is named in short, with kind and id.
pub(super) fn page_of_id(end: &Value, locale: Locale) -> Option<String> {
    let kind = kind(end)?;
    let id = text(end, "/id")?;
    Some(locale.path(&format!("/{}/{id}", kind.plural())))
}

/// The kind of a record, with its colour.
pub(super) fn badge(kind: Kind, locale: Locale) -> Markup {
    html! { span.badge data-kind=(kind.code()) { (locale.label(kind.labels())) } }
}

/// A link to another server; anything else than a web address is text.
pub(super) fn link(url: &str, title: &str) -> Markup {
    html! {
        @match address(url) {
            Some(url) => a.external href=(url) rel="nofollow noopener noreferrer" { (title) },
            None => span { (title) },
        }
    }
}

/// An address without scheme and trailing slash, as people write it.
pub(super) fn short(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.strip_prefix("www.")
        .unwrap_or(rest)
        .trim_end_matches('/')
}

/// The language of a text if it is not that of the page.
pub(super) fn foreign(record: &Value, locale: Locale) -> Option<&str> {
    let language = text(record, "/language")?;
    let primary = language.split('-').next().unwrap_or(language);
    (!primary.eq_ignore_ascii_case(locale.code())).then_some(language)
}
