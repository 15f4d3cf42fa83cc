//! Writing XML 1.0.

/// Writes elements into a text.
#[derive(Debug)]
pub(super) struct XmlWriter<'a> {
    to: &'a mut String,
}

impl<'a> XmlWriter<'a> {
    pub(super) const fn new(to: &'a mut String) -> Self {
        Self { to }
    }

    /// Writes the declaration.
    pub(super) fn declaration(&mut self) {
        self.to
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }

    /// Begins an element; [`Self::end`] ends it.
    pub(super) fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes);
        self.to.push('>');
    }

    pub(super) fn end(&mut self, name: &str) {
        self.to.push_str("</");
        self.to.push_str(name);
        self.to.push('>');
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes);
        self.to.push_str("/>");
    }

    /// An element with text only.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.begin(name, attributes);
        escape(text, self.to);
        self.end(name);
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.to.push('<');
        self.to.push_str(name);
        for (name, value) in attributes {
            self.to.push(' ');
            self.to.push_str(name);
            self.to.push_str("=\"");
            escape(value, self.to);
            self.to.push('"');
        }
    }
}

/// Writes text as content or as the value of an attribute. Characters that XML 1.0 does not have
/// are left out.
fn escape(text: &str, to: &mut String) {
    for char in text.chars() {
        match char {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            // Otherwise an attribute has spaces in their place.
            '\n' => to.push_str("&#10;"),
            '\t' => to.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => {}
            char if char < ' ' => {}
            char => to.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut text = String::new();
        let mut xml = XmlWriter::new(&mut text);
        xml.element("a", &[("b", "\"<&>\n")], "</a>\u{0}\u{ffff}\u{b}ä 𝄞");
        assert_eq!(text, "<a b=\"&quot;&lt;&amp;&gt;&#10;\">&lt;/a&gt;ä 𝄞</a>");
    }
}
