//! The text of a page, and the parts that have been rendered.

pub(super) struct Page {
    text: String,
    rendered: Vec<bool>,
}

/// One space for every run of white space, non-breaking spaces too.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    pub(super) fn of(text: &str) -> Self {
        let text = normal(text);
        let rendered = vec![false; text.len()];
        Self { text, rendered }
    }

    #[track_caller]
    pub(super) fn shows(&mut self, lines: &[String]) {
        let mut from = 0;
        for line in lines {
            let line = normal(line);
            let start = self.find(&line, from);
            from = start + line.len();
            self.rendered[start..from].fill(true);
        }
    }

    /// The page states these facts in this order; one may contain the next.
    #[track_caller]
    pub(super) fn states(&self, facts: &[String]) {
        let mut from = 0;
        for fact in facts {
            from = self.find(&normal(fact), from);
        }
    }

    #[track_caller]
    fn find(&self, line: &str, from: usize) -> usize {
        assert!(!line.is_empty(), "nothing is rendered");
        let rest = self.text.get(from..).unwrap();
        let Some(start) = rest.find(line) else {
            let where_else = if self.text.contains(line) {
                "at this place, but before"
            } else {
                "at all"
            };
            panic!("the page does not say this {where_else}: {line:?}");
        };
        from + start
    }

    pub(super) fn leftovers(&self) -> Vec<String> {
        let mut pieces = vec![String::new()];
        for (at, letter) in self.text.char_indices() {
            if !self.rendered[at] {
                pieces.last_mut().unwrap().push(letter);
            } else if pieces.last().is_some_and(|piece| !piece.is_empty()) {
                pieces.push(String::new());
            }
        }
        let trimmed = pieces.iter().map(|piece| piece.trim().to_owned());
        trimmed.filter(|piece| !piece.is_empty()).collect()
    }
}

#[test]
fn what_no_line_covers_is_left_over() {
    let mut page = Page::of("Eins\u{a0}zwei\n\n  drei vier – fünf");
    page.shows(&["Eins zwei".to_owned(), "vier".to_owned()]);
    assert_eq!(page.leftovers(), ["drei", "– fünf"]);
}

#[test]
#[should_panic(expected = "at this place, but before")]
fn lines_in_another_order_than_the_page_are_refused() {
    let mut page = Page::of("Eins zwei drei");
    page.shows(&["zwei".to_owned(), "Eins".to_owned()]);
}

#[test]
#[should_panic(expected = "at all")]
fn what_the_page_does_not_have_is_refused() {
    Page::of("Eins zwei drei").states(&["vier".to_owned()]);
}
