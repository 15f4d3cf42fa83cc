//! Files of the pages: embedded in the program, named by their content, compressed once.

use crate::http::problem::{Code, Problem};
use crate::pages::appearance::Appearance;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue,
};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

/// A file with its address, which changes with its content.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) path: String,
    content_type: &'static str,
    text: Bytes,
    gzip: Bytes,
    brotli: Bytes,
}

impl Asset {
    /// # Errors
    /// If the file cannot be compressed, which needs memory only.
    pub(super) fn new(
        name: &str,
        extension: &str,
        content_type: &'static str,
        text: &[u8],
    ) -> std::io::Result<Self> {
        let hash = Sha256::digest(text);
        let hash = hash.iter().take(6).fold(String::new(), |mut hash, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(text)?;
        let mut brotli = CompressorWriter::new(Vec::new(), 4096, 9, 20);
        brotli.write_all(text)?;
        brotli.flush()?;
        Ok(Self {
            path: format!("/assets/{name}.{hash}.{extension}"),
            content_type,
            text: text.to_vec().into(),
            gzip: gzip.finish()?.into(),
            brotli: brotli.into_inner().into(),
        })
    }
}

/// The embedded files.
#[derive(Debug)]
pub(super) struct Assets {
    pub(super) style: Asset,
    pub(super) script: Asset,
    pub(super) map: Asset,
    pub(super) icon: Asset,
}

impl Assets {
    fn new() -> std::io::Result<Self> {
        let style = include_bytes!("assets/explorer.css");
        let script = include_bytes!("assets/explorer.js");
        let map = include_bytes!("../../../data/map/europe.svg");
        let icon = include_bytes!("assets/icon.svg");
        Ok(Self {
            style: Asset::new("explorer", "css", "text/css; charset=utf-8", style)?,
            script: Asset::new("explorer", "js", "text/javascript; charset=utf-8", script)?,
            map: Asset::new("europe", "svg", SVG, map)?,
            icon: Asset::new("icon", "svg", SVG, icon)?,
        })
    }

    fn all(&self) -> [&Asset; 4] {
        [&self.style, &self.script, &self.map, &self.icon]
    }
}

pub(super) const SVG: &str = "image/svg+xml";

#[expect(clippy::expect_used, reason = "writing to memory cannot fail")]
pub(super) static ASSETS: LazyLock<Assets> =
    LazyLock::new(|| Assets::new().expect("files are compressed in memory"));

pub(super) async fn serve(
    request: HttpRequest,
    site: Data<Appearance>,
) -> Result<HttpResponse, Problem> {
    let path = request.path();
    let mut all = ASSETS.all().into_iter().chain(site.assets());
    let asset = all.find(|asset| asset.path == path);
    let asset = asset.ok_or_else(|| Problem::new(Code::NotFound))?;
    let offered = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(&request).ok();
    let coding = accepted.and_then(|accepted| accepted.negotiate(offered.iter()));
    let mut response = HttpResponse::Ok();
    response
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, HeaderValue::from_static("accept-encoding")));
    let body = match coding {
        Some(coding) if coding == Encoding::brotli() => {
            response.insert_header(ContentEncoding::Brotli);
            &asset.brotli
        }
        Some(coding) if coding == Encoding::gzip() => {
            response.insert_header(ContentEncoding::Gzip);
            &asset.gzip
        }
        Some(_) | None => {
            response.insert_header(ContentEncoding::Identity);
            &asset.text
        }
    };
    Ok(response.body(body.clone()))
}
