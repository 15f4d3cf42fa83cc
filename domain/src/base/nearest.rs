//! Suggestions for misspelt words in error messages.

/// Bytes of a word that may be a misspelt one.
const LONGEST: usize = 100;

/// The candidate most similar to `given`, if any is similar enough to be suggested.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes as long as both words multiplied.
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&given, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_nothing() {
        let known = ["category", "region", "role"];
        assert_eq!(nearest("categroy", known), Some("category"));
        assert_eq!(nearest("xyzzy", known), None);
        assert_eq!(nearest(&"category".repeat(100_000), known), None);
    }
}
