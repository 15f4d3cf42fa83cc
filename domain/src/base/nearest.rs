//! Suggestions for misspelt words in error messages.

/// The candidate most similar to `given`, if any is similar enough to be suggested.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
    }
}
