//! Sitemaps (sitemaps.org).

use crate::formats::xml::XmlWriter;

const NAMESPACE: [(&str, &str); 1] = [("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9")];

/// The address of a page, and when it changed (RFC 3339).
#[derive(Debug)]
pub struct SitemapEntry {
    pub url: String,
    pub changed: String,
}

/// An index of sitemaps.
#[must_use]
pub fn index(pages: &[String]) -> String {
    let mut text = String::new();
    let mut xml = XmlWriter::new(&mut text);
    xml.declaration();
    xml.begin("sitemapindex", &NAMESPACE);
    for page in pages {
        xml.begin("sitemap", &[]);
        xml.element("loc", &[], page);
        xml.end("sitemap");
    }
    xml.end("sitemapindex");
    text
}

/// A sitemap.
#[must_use]
pub fn url_set(addresses: impl Iterator<Item = SitemapEntry>) -> String {
    let mut text = String::new();
    let mut xml = XmlWriter::new(&mut text);
    xml.declaration();
    xml.begin("urlset", &NAMESPACE);
    for address in addresses {
        xml.begin("url", &[]);
        xml.element("loc", &[], &address.url);
        xml.element("lastmod", &[], &address.changed);
        xml.end("url");
    }
    xml.end("urlset");
    text
}
