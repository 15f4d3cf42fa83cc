//! The word lists of `data/search/words.txt` and the names of the reference data, folded.

use super::words::{Folded, words_as_written};
use std::collections::HashSet;
use std::sync::LazyLock;

pub(super) struct Lists {
    /// Words that are optional in a query with other words.
    pub(super) stop: HashSet<String>,
    pub(super) legal: Vec<Vec<String>>,
    pub(super) feminine: Vec<String>,
    /// Words with such an ending that are not feminine.
    pub(super) neuter: HashSet<String>,
    /// Parts of compounds that the segmenter does not know, long ones first.
    pub(super) parts: Vec<String>,
    pub(super) whole: HashSet<String>,
}

pub(super) static LISTS: LazyLock<Lists> =
    LazyLock::new(|| Lists::read(domain::data::SEARCH_WORDS));

/// The names of the reference regions, which are never split.
pub(super) static PLACE_NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    domain::data::REFERENCE
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|record| record.get("kind").and_then(|kind| kind.as_str()) == Some("region"))
        .filter_map(|record| Some(record.get("name")?.as_str()?.to_owned()))
        .flat_map(|name| words_as_written(&name))
        .filter(|word| !GENERIC.contains(&word.as_str()))
        .collect()
});

const GENERIC: [&str; 4] = ["landkreis", "stadtkreis", "kreisfreie", "regionalverband"];

impl Lists {
    fn read(text: &str) -> Self {
        let mut lists = Self {
            stop: HashSet::new(),
            legal: Vec::new(),
            feminine: Vec::new(),
            neuter: HashSet::new(),
            parts: Vec::new(),
            whole: HashSet::new(),
        };
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
                continue;
            }
            let words = line.split_whitespace().map(|word| Folded::of(word).0);
            match section {
                "stop" => lists.stop.extend(words),
                "legal" => lists.legal.push(words.collect()),
                "feminine" => lists.feminine.extend(words),
                "neuter" => lists.neuter.extend(words),
                "parts" => lists.parts.extend(words),
                "whole" => lists.whole.extend(words),
                // A section that is never read is a mistake in the file; a test finds it.
                _ => {}
            }
        }
        lists
            .parts
            .sort_by_key(|part| std::cmp::Reverse(part.len()));
        lists
            .legal
            .sort_by_key(|form| std::cmp::Reverse(form.len()));
        lists
    }
}
