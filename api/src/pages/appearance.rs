//! What an operator sets of the pages: names, texts, colours, links.

use crate::config::{Config, Site};
use crate::pages::assets::{Asset, SVG};
use crate::pages::locale::Locale;
use domain::base::clock::Tz;
use domain::base::fault::Lang;
use std::path::Path;

/// The settings of the pages.
#[derive(Debug)]
pub struct Appearance {
    title: Option<String>,
    /// Above the search of the first page: German, English.
    introduction: [Option<String>; 2],
    pub(super) imprint_url: Option<String>,
    pub(super) privacy_url: Option<String>,
    pub(super) accessibility_url: Option<String>,
    pub(super) logo: Option<Asset>,
    pub(super) stylesheet: Option<Asset>,
    pub(super) tiles: Option<Tiles>,
    /// Where visitors suggest corrections: a mailbox.
    corrections: Option<String>,
    /// The time zone of events that name none.
    pub(super) timezone: Tz,
    /// The licence of the node's own records.
    pub(super) licence: Option<String>,
    /// The provider of the data, or else the name of the node.
    pub(super) provider: String,
    /// The URL of this server, without a trailing slash; empty if it is not known.
    pub(super) base_url: String,
}

/// A service of map tiles.
#[derive(Debug)]
pub(super) struct Tiles {
    /// With `{z}`, `{x}` and `{y}`.
    url: String,
    /// Scheme, host and port: a source of the content security policy.
    pub(super) origin: String,
    pub(super) attribution: String,
}

impl Tiles {
    pub(super) fn url(&self, zoom: u32, x: u32, y: u32) -> String {
        self.url
            .replace("{z}", &zoom.to_string())
            .replace("{x}", &x.to_string())
            .replace("{y}", &y.to_string())
    }
}

impl Appearance {
    /// Reads what the configuration says about the pages of a node.
    ///
    /// # Errors
    /// If a configured file cannot be read, or is of another type; the message names the key.
    pub fn new(config: &Config, site: &Site) -> std::io::Result<Self> {
        let text =
            |url: &Option<crate::config::WebUrl>| url.as_ref().map(|url| url.as_str().to_owned());
        Ok(Self {
            title: config.explorer_title.clone(),
            introduction: [
                config.explorer_introduction.clone(),
                config.explorer_introduction_en.clone(),
            ],
            imprint_url: text(&config.imprint_url),
            privacy_url: text(&config.privacy_url),
            accessibility_url: text(&config.accessibility_url),
            logo: file("explorer_logo", config.explorer_logo.as_deref(), LOGOS)?,
            stylesheet: file(
                "explorer_stylesheet",
                config.explorer_stylesheet.as_deref(),
                STYLES,
            )?,
            tiles: tiles(config)?,
            corrections: site.contact_email.clone(),
            timezone: config.timezone,
            licence: site.licence.clone(),
            provider: site.provider().to_owned(),
            base_url: site.url(""),
        })
    }

    pub(super) fn title(&self, locale: Locale) -> &str {
        let usual = locale.t("Gesundheitsnetzwerke", "Health networks");
        self.title.as_deref().unwrap_or(usual)
    }

    pub(super) fn introduction(&self, locale: Locale) -> Option<&str> {
        let [de, en] = &self.introduction;
        match locale.0 {
            Lang::De => de.as_deref(),
            Lang::En => en.as_deref(),
        }
    }

    pub(super) fn corrections(&self) -> Option<&str> {
        self.corrections.as_deref()
    }

    pub(super) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.logo.iter().chain(&self.stylesheet)
    }

    /// Pages load from this server only, and map tiles from the configured one.
    pub(super) fn policy(&self) -> String {
        let tiles = self.tiles.as_ref();
        let tiles = tiles.map_or(String::new(), |tiles| format!(" {}", tiles.origin));
        format!(
            "default-src 'self'; img-src 'self'{tiles}; object-src 'none'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'self'"
        )
    }
}

const LOGOS: &[(&str, &str)] = &[("svg", SVG), ("png", "image/png")];
const STYLES: &[(&str, &str)] = &[("css", "text/css; charset=utf-8")];

fn file(
    key: &str,
    path: Option<&Path>,
    types: &[(&'static str, &'static str)],
) -> std::io::Result<Option<Asset>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let wrong = |why: String| std::io::Error::other(format!("{key} = {}: {why}", path.display()));
    let extension = path.extension().and_then(|extension| extension.to_str());
    let known = types.iter().find(|(known, _)| Some(*known) == extension);
    let Some((extension, content_type)) = known else {
        let known: Vec<&str> = types.iter().map(|(known, _)| *known).collect();
        return Err(wrong(format!(
            "the name must end with .{}",
            known.join(" or .")
        )));
    };
    let text = std::fs::read(path).map_err(|why| wrong(why.to_string()))?;
    Asset::new("own", extension, content_type, &text).map(Some)
}

fn tiles(config: &Config) -> std::io::Result<Option<Tiles>> {
    let Some(url) = &config.tile_url else {
        return Ok(None);
    };
    let wrong = || {
        std::io::Error::other(format!(
            "tile_url = {url}: must be an https URL with {{z}}, {{x}} and {{y}}, such as https://tiles.example/{{z}}/{{x}}/{{y}}.png"
        ))
    };
    let whole = ["{z}", "{x}", "{y}"].iter().all(|part| url.contains(part));
    let parsed = url::Url::parse(url)
        .ok()
        .filter(|url| url.scheme() == "https");
    let origin = parsed.filter(|_| whole).ok_or_else(wrong)?.origin();
    Ok(Some(Tiles {
        url: url.clone(),
        origin: origin.ascii_serialization(),
        attribution: config.tile_attribution.clone().unwrap_or_default(),
    }))
}
