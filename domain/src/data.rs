//! Data that ships with the program; sources are in `data/README.md`.

/// Reference data (NDJSON) in the order of loading: regions, their tree, topics.
pub const REFERENCE: [&str; 3] = [
    include_str!("../../data/reference/regions.ndjson"),
    include_str!("../../data/reference/region-tree.ndjson"),
    include_str!("../../data/reference/topics.ndjson"),
];

/// The five seed pages (NDJSON) by document.
pub const SEEDS: [(&str, &str); 5] = [
    ("000", include_str!("../../data/seeds/000.ndjson")),
    ("001", include_str!("../../data/seeds/001.ndjson")),
    ("002", include_str!("../../data/seeds/002.ndjson")),
    ("003", include_str!("../../data/seeds/003.ndjson")),
    ("004", include_str!("../../data/seeds/004.ndjson")),
];

pub const SEARCH_WORDS: &str = include_str!("../../data/search/words.txt");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::country;

    #[test]
    fn every_country_of_the_reference_data_has_a_code() {
        const BEFORE: &str = r#""scheme":"urn:iso:std:iso:3166","value":""#;
        let countries = REFERENCE[0].lines();
        let countries = countries.filter(|line| line.contains(r#""level":"country""#));
        let codes = countries.map(|line| line.split_once(BEFORE).unwrap().1.get(..2).unwrap());
        let mut codes: Vec<&str> = codes.collect();
        codes.sort_unstable();
        assert_eq!(country::codes().collect::<Vec<_>>(), codes);
        assert!(!country::is_country("XX") && !country::is_country("EU"));
    }
}
