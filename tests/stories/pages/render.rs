//! The building blocks of rendered pages: responses, and members as words.

use serde_json::Value;
use std::fmt::Debug;
use tests::Node;

const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

pub(super) async fn record(node: &Node, path: &str) -> Value {
    node.get(&format!("/v1/{path}")).await.expect(200).json
}

pub(super) async fn around(node: &Node, path: &str, kind: &str) -> Vec<Value> {
    let path = format!("{path}/relationships?type={kind}&limit=200");
    let page = record(node, &path).await;
    assert_eq!(page["next"], Value::Null);
    page["items"].as_array().unwrap().clone()
}

/// Everything around a record, counted: `5 member_of`.
pub(super) async fn told(node: &Node, path: &str) -> Vec<String> {
    let page = record(node, &format!("{path}/relationships?limit=200")).await;
    assert_eq!(page["next"], Value::Null);
    let types: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    let same = types.chunk_by(|one, next| one["type"] == next["type"]);
    same.map(|same| format!("{} {}", same.len(), text(same[0], "/type")))
        .collect()
}

pub(super) async fn follow(node: &Node, item: &Value, query: &str) -> Value {
    let (kind, id) = (text(item, "/other/kind"), text(item, "/other/id"));
    record(node, &format!("{kind}s/{id}?{query}")).await
}

pub(super) async fn label(node: &Node, vocabulary: &str, code: &Value) -> String {
    let items = &record(node, &format!("vocabularies/{vocabulary}")).await["items"];
    let item = items.as_array().unwrap().iter();
    let [item] = exactly(item.filter(|item| item["code"] == *code));
    text(item, "/labels/de").to_owned()
}

#[track_caller]
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer}: {value:#}"))
}

#[track_caller]
pub(super) fn items<'a, const N: usize>(value: &'a Value, member: &str) -> [&'a Value; N] {
    let found = value[member].as_array();
    exactly(found.unwrap_or_else(|| panic!("no {member}: {value:#}")))
}

#[track_caller]
pub(super) fn texts<'a, const N: usize>(value: &'a Value, member: &str) -> [&'a str; N] {
    items(value, member).map(|item| item.as_str().unwrap())
}

#[track_caller]
pub(super) fn exactly<T: Debug, const N: usize>(found: impl IntoIterator<Item = T>) -> [T; N] {
    let found: Vec<T> = found.into_iter().collect();
    let too_many = |found| panic!("{N} on the page, not {found:#?}");
    found.try_into().unwrap_or_else(too_many)
}

/// The name of the other end, or the wording of an open end.
#[track_caller]
pub(super) fn other(item: &Value) -> &str {
    let other = &item["other"];
    let name = other["name"]
        .as_str()
        .or_else(|| other["as_stated"].as_str());
    name.unwrap_or_else(|| panic!("no other end: {item:#}"))
}

/// The other ends of relationships: as many as the page has.
#[track_caller]
pub(super) fn others<const N: usize>(found: &[Value]) -> [&str; N] {
    exactly(found.iter().map(other))
}

#[track_caller]
pub(super) fn named<'a>(record: &'a Value, name_type: &str) -> Vec<&'a str> {
    let names = record["names"].as_array().unwrap().iter();
    let names = names.filter(|name| name["type"] == name_type);
    names.map(|name| text(name, "/value")).collect()
}

pub(super) fn topics(record: &Value) -> Vec<&str> {
    let ids = record["topics"].as_array().unwrap().iter();
    let pointer = |id: &Value| format!("/included/topic/{}/name", id.as_str().unwrap());
    ids.map(|id| text(record, &pointer(id))).collect()
}

/// `Regionalmanagement Nordhessen` → `Regionalmanagements Nordhessen`.
pub(super) fn genitive(name: &str) -> String {
    name.replacen(' ', "s ", 1)
}

/// `Pharmazeutische Versorgung` → `pharmazeutische Versorgung`, an adjective within a sentence.
pub(super) fn lower_first(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

/// `2021-03-18` → `18. März 2021`.
pub(super) fn long_date(date: &Value) -> String {
    let [year, month, day] = exactly(date.as_str().unwrap().split('-'));
    let month = MONTHS[month.parse::<usize>().unwrap() - 1];
    format!("{}. {month} {year}", day.trim_start_matches('0'))
}

/// `2021-01-27` → `27.01.2021`.
pub(super) fn short_date(date: &Value) -> String {
    let [year, month, day] = exactly(date.as_str().unwrap().split('-'));
    format!("{day}.{month}.{year}")
}

/// CommonMark as the lines of a page: headings, paragraphs, bullets.
pub(super) fn lines(description: &str) -> Vec<String> {
    let written = description.lines().filter(|line| !line.is_empty());
    let shown = written.map(|line| match line.strip_prefix("- ") {
        Some(bullet) => format!("• {bullet}"),
        None => line.trim_start_matches("## ").to_owned(),
    });
    shown.collect()
}

/// A count in the wording of the page, which must match value and qualifier.
pub(super) async fn figure(node: &Node, record: &Value, measure: &str) -> String {
    let figures = record["figures"].as_array().unwrap().iter();
    let [figure] = exactly(figures.filter(|figure| figure["measure"] == measure));
    let stated = text(figure, "/as_stated");
    let word = label(node, "figure_qualifier", &figure["qualifier"]).await;
    let words = match text(figure, "/qualifier") {
        "exact" => vec![String::new()],
        "more_than" => vec![format!("{word} "), "mehr als ".to_owned()],
        _ => vec![format!("{word} ")],
    };
    let value = figure["value"].to_string();
    let numbers = if value == "6" {
        vec!["6", "sechs"]
    } else {
        vec![&*value]
    };
    let begins = |start: String| stated.to_lowercase().starts_with(&start);
    let said = words.iter().any(|word| {
        let mut numbers = numbers.iter();
        numbers.any(|number| begins(format!("{word}{number} ")))
    });
    assert!(said, "{figure:#}");
    stated.to_owned()
}

#[test]
fn dates_are_written_as_the_pages_write_them() {
    assert_eq!(long_date(&Value::from("2020-11-04")), "4. November 2020");
    assert_eq!(short_date(&Value::from("2020-11-04")), "04.11.2020");
}
