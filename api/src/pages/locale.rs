//! The language of a page: German at `/`, English below `/en/`.

use actix_web::HttpRequest;
use domain::base::fault::Lang;
use domain::base::vocabulary::Labels;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locale(pub Lang);

/// The path of the English pages.
const ENGLISH: &str = "/en";

impl Locale {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let below = request.path().strip_prefix(ENGLISH);
        let english = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        Self(if english { Lang::En } else { Lang::De })
    }

    /// The language as in `lang`.
    pub(super) const fn code(self) -> &'static str {
        match self.0 {
            Lang::De => "de",
            Lang::En => "en",
        }
    }

    pub(super) const fn other(self) -> Self {
        Self(match self.0 {
            Lang::De => Lang::En,
            Lang::En => Lang::De,
        })
    }

    /// Chooses between a German and an English text.
    pub(super) const fn t<'a>(self, de: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Lang::De => de,
            Lang::En => en,
        }
    }

    pub(super) const fn label(self, labels: Labels) -> &'static str {
        labels.get(self.0)
    }

    /// The address of a page, whose path is given without language.
    pub(super) fn path(self, path: &str) -> String {
        match self.0 {
            Lang::De => path.to_owned(),
            Lang::En => format!("{ENGLISH}{path}"),
        }
    }

    /// The path of a request without language, with exactly one slash in front: a link with two
    /// would lead to another server, and browsers take a backslash for a slash.
    pub(super) fn strip(self, path: &str) -> String {
        let rest = match self.0 {
            Lang::De => path,
            Lang::En => path.strip_prefix(ENGLISH).unwrap_or(path),
        };
        format!("/{}", rest.trim_start_matches(['/', '\\']))
    }

    /// A whole number with the separators of the language.
    pub(super) fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let separator = self.t(".", ",");
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            // In German, numbers of four digits are written without a separator.
            let grouped = digits.len() > 4 || self.0 == Lang::En;
            if at > 0 && (digits.len() - at).is_multiple_of(3) && grouped {
                text.push_str(separator);
            }
            text.push(digit);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_paths_follow_the_language() {
        let (de, en) = (Locale(Lang::De), Locale(Lang::En));
        assert_eq!(de.number(1234), "1234");
        assert_eq!(de.number(1_234_567), "1.234.567");
        assert_eq!(en.number(1234), "1,234");
        assert_eq!(en.number(7), "7");
        assert_eq!(en.path("/graph"), "/en/graph");
        assert_eq!(en.strip("/en/"), "/");
        assert_eq!(en.strip("/en"), "/");
        assert_eq!(de.strip("/data"), "/data");
        for path in ["//a.example/x", "///a.example/x", "/\\a.example/x"] {
            assert_eq!(de.strip(path), "/a.example/x", "{path}");
            assert_eq!(en.strip(&format!("/en{path}")), "/a.example/x", "{path}");
        }
    }
}
