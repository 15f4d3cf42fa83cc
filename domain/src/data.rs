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
