use super::compound;
use super::typed::Typed;
use super::words::{Word, is_number, stem, words};

const MARK: (&str, &str) = ("<mark>", "</mark>");

const EXCERPT: usize = 240;

const BEFORE: usize = 60;

impl Typed {
    /// An excerpt of the text as HTML, with the matches between `<mark>` and `</mark>` and
    /// everything else escaped; `None` without a match.
    #[must_use]
    pub fn highlight(&self, text: &str) -> Option<String> {
        let sought: Vec<Sought> = self
            .words
            .iter()
            .filter(|word| !word.dropped)
            .map(|word| word.whole.as_str())
            .chain(self.written_as_one.iter().map(|(_, whole)| whole.as_str()))
            .chain(self.phrases.iter().flatten().map(String::as_str))
            .map(Sought::of)
            .collect();
        let found: Vec<Word> = words(text)
            .into_iter()
            .filter(|word| sought.iter().any(|sought| sought.is(&word.whole)))
            .collect();
        let first = found.first()?;
        let begin = start_of_excerpt(text, first.from);
        let end = text
            .get(begin..)?
            .char_indices()
            .nth(EXCERPT)
            .map_or(text.len(), |(at, _)| (begin + at).max(first.to));
        let mut html = String::new();
        if begin > 0 {
            html.push('…');
        }
        let mut at = begin;
        for word in found.iter().take_while(|word| word.to <= end) {
            escape(text.get(at..word.from)?, &mut html);
            html.push_str(MARK.0);
            escape(text.get(word.from..word.to)?, &mut html);
            html.push_str(MARK.1);
            at = word.to;
        }
        escape(text.get(at..end)?, &mut html);
        if end < text.len() {
            html.push('…');
        }
        Some(html)
    }
}

/// Beginning of the excerpt: at a word, not far before the first match.
fn start_of_excerpt(text: &str, first: usize) -> usize {
    let before = text.get(..first).unwrap_or_default();
    let Some((far, _)) = before.char_indices().rev().nth(BEFORE) else {
        return 0;
    };
    before
        .get(far..)
        .and_then(|near| near.char_indices().find(|(_, c)| c.is_whitespace()))
        .map_or(far, |(at, c)| far + at + c.len_utf8())
}

fn escape(text: &str, html: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
}

struct Sought {
    stem: String,
    part: String,
    number: bool,
}

impl Sought {
    fn of(whole: &str) -> Self {
        let stem = stem(whole);
        let parts = compound::parts(whole);
        let part = if parts.is_empty() {
            stem.clone()
        } else {
            compound::term(&parts)
        };
        Self {
            part,
            number: is_number(whole),
            stem,
        }
    }

    fn is(&self, whole: &str) -> bool {
        let stem = stem(whole);
        if stem == self.stem {
            return true;
        }
        let letters = self.stem.chars().count();
        !self.number
            && (letters >= 3 && whole.starts_with(&self.stem)
                || compound::terms(&compound::parts(whole)).contains(&self.part)
                || match letters {
                    0..4 => false,
                    4..8 => is_within(1, &self.stem, &stem),
                    _ => is_within(2, &self.stem, &stem),
                })
    }
}

/// Whether a word becomes the other by this many edits: an inserted, deleted or replaced letter, or
/// two swapped ones.
fn is_within(changes: usize, a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    within(changes, &a, &b)
}

fn within(changes: usize, a: &[char], b: &[char]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (
        a.get(same..).unwrap_or_default(),
        b.get(same..).unwrap_or_default(),
    );
    match (a, b) {
        ([], rest) | (rest, []) => rest.len() <= changes,
        _ if changes == 0 => false,
        ([x, more_a @ ..], [y, more_b @ ..]) => {
            let swapped = match (more_a, more_b) {
                ([x2, rest_a @ ..], [y2, rest_b @ ..]) if x == y2 && y == x2 => {
                    within(changes - 1, rest_a, rest_b)
                }
                _ => false,
            };
            swapped
                || within(changes - 1, more_a, b)
                || within(changes - 1, a, more_b)
                || within(changes - 1, more_a, more_b)
        }
    }
}
