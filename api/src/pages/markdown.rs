//! Descriptions: `CommonMark` as HTML that cannot execute anything.
//!
//! The write path rejects raw HTML and other schemes, but copies are shown as they were received.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// Headings of a text are below those of the page.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// An address that a browser may follow: http, https, or mailto.
pub(super) fn address(text: &str) -> Option<&str> {
    let parsed = url::Url::parse(text).ok()?;
    ["http", "https", "mailto"]
        .contains(&parsed.scheme())
        .then_some(text)
}

pub(super) fn commonmark(text: &str) -> Markup {
    // Whether each open link has an address that may be followed.
    let mut links: Vec<bool> = Vec::new();
    let events = Parser::new(text).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: lower(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        // Images of other servers are links.
        Event::Start(
            Tag::Link {
                link_type,
                dest_url,
                ..
            }
            | Tag::Image {
                link_type,
                dest_url,
                ..
            },
        ) => {
            let mail = link_type == pulldown_cmark::LinkType::Email;
            let target = if mail {
                format!("mailto:{dest_url}")
            } else {
                dest_url.to_string()
            };
            // A picture in a link is its text.
            let fine = address(&target).is_some() && links.is_empty();
            links.push(fine);
            let opened =
                html! { a href=(target) rel="nofollow noopener noreferrer" {} }.into_string();
            let opened = opened.strip_suffix("</a>").unwrap_or_default().to_owned();
            Event::InlineHtml(if fine { opened.into() } else { "".into() })
        }
        Event::End(TagEnd::Link | TagEnd::Image) => {
            let fine = links.pop().unwrap_or_default();
            Event::InlineHtml(if fine { "</a>".into() } else { "".into() })
        }
        other => other,
    });
    let mut written = String::new();
    pulldown_cmark::html::push_html(&mut written, events);
    PreEscaped(written)
}

#[cfg(test)]
mod tests {
    use super::commonmark;

    fn shown(text: &str) -> String {
        commonmark(text).into_string().trim().to_owned()
    }

    #[test]
    fn nothing_is_executed() {
        assert_eq!(shown("[a](javascript:alert(1))"), "<p>a</p>");
        assert_eq!(
            shown("[a](JaVaScRiPt:alert(1)) <b onclick=x>"),
            "<p>a &lt;b onclick=x&gt;</p>"
        );
        assert_eq!(
            shown("<script>alert(1)</script>"),
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
        );
        assert!(!shown("![x](https://evil.example/x.png)").contains("<img"));
        assert!(!shown("[a](https://a.example/\"onmouseover=\"x)").contains("\"onmouseover"));
        assert_eq!(shown("[a](data:text/html,x)"), "<p>a</p>");
        assert_eq!(shown("[a](/relative)"), "<p>a</p>");
    }

    #[test]
    fn texts_are_shown() {
        assert_eq!(shown("# A\n\n*b*"), "<h3>A</h3>\n<p><em>b</em></p>");
        assert_eq!(
            shown("<a@b.example>"),
            "<p><a href=\"mailto:a@b.example\" rel=\"nofollow noopener noreferrer\">a@b.example</a></p>"
        );
    }
}
