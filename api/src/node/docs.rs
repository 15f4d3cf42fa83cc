//! The OpenAPI document and Swagger UI, vendored: nothing is loaded from elsewhere.

use crate::http::request::routed_path;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue,
};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data, Path, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, route, web};
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, OnceLock};

/// Scripts, styles and connections from this server only; Swagger UI sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// The served document, generated on first use.
///
/// It is large and never changes: compressing it for each client would cost time, and memory as
/// long as a slow one reads.
#[derive(Debug)]
pub(crate) struct Document {
    make: fn() -> Value,
    text: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl Document {
    pub(crate) const fn new(make: fn() -> Value) -> Self {
        Self {
            make,
            text: OnceLock::new(),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        }
    }

    fn text(&self) -> &Bytes {
        self.text.get_or_init(|| (self.make)().to_string().into())
    }

    fn gzip(&self) -> std::io::Result<&Bytes> {
        if let Some(text) = self.gzip.get() {
            return Ok(text);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(self.text())?;
        let text = encoder.finish()?;
        Ok(self.gzip.get_or_init(|| text.into()))
    }

    fn brotli(&self) -> std::io::Result<&Bytes> {
        if let Some(text) = self.brotli.get() {
            return Ok(text);
        }
        let mut encoder = CompressorWriter::new(Vec::new(), 4096, 5, 20);
        encoder.write_all(self.text())?;
        encoder.flush()?;
        let text = encoder.into_inner();
        Ok(self.brotli.get_or_init(|| text.into()))
    }
}

#[route("/openapi.json", method = "GET", method = "HEAD")]
pub(crate) async fn openapi_json(
    request: HttpRequest,
    document: Data<Document>,
) -> std::io::Result<HttpResponse> {
    let offered = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(&request).ok();
    let coding = accepted.and_then(|accepted| accepted.negotiate(offered.iter()));
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    let body = match coding {
        Some(coding) if coding == Encoding::brotli() => {
            response.insert_header(ContentEncoding::Brotli);
            document.brotli()?
        }
        Some(coding) if coding == Encoding::gzip() => {
            response.insert_header(ContentEncoding::Gzip);
            document.gzip()?
        }
        Some(_) | None => return Ok(response.body(document.text().clone())),
    };
    response.insert_header((header::VARY, "accept-encoding"));
    Ok(response.body(body.clone()))
}

#[route("/docs", method = "GET", method = "HEAD")]
pub(crate) async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

/// Our own files of the page, which replace those of Swagger UI.
const FILES: [(&str, &str, &str); 4] = [
    ("/docs/", HTML, include_str!("docs/index.html")),
    ("/docs/index.html", HTML, include_str!("docs/index.html")),
    (
        "/docs/index.css",
        "text/css; charset=utf-8",
        include_str!("docs/index.css"),
    ),
    (
        "/docs/swagger-initializer.js",
        "text/javascript; charset=utf-8",
        include_str!("docs/swagger-initializer.js"),
    ),
];

const HTML: &str = "text/html; charset=utf-8";

/// Swagger UI.
pub(crate) fn page(config: &mut ServiceConfig) {
    for (path, content_type, text) in FILES {
        let file = move || async move { HttpResponse::Ok().content_type(content_type).body(text) };
        let resource = web::resource(path);
        config.service(resource.get(file).route(web::head().to(file)));
    }
    let resource = web::resource("/docs/{file}");
    config.service(resource.get(bundled).route(web::head().to(bundled)));
}

/// A file of Swagger UI.
async fn bundled(file: Path<String>) -> HttpResponse {
    match utoipa_swagger_ui::serve(&file, Arc::default()) {
        Ok(Some(file)) => {
            let mut response = HttpResponse::Ok();
            if file.gzpipped {
                response.insert_header(ContentEncoding::Gzip);
            }
            response
                .content_type(file.content_type)
                .body(file.bytes.into_owned())
        }
        Ok(None) | Err(_) => HttpResponse::NotFound().finish(),
    }
}

/// Writes the content security policy of the pages of `/docs`, including errors.
pub(crate) async fn content_security_policy<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let path = routed_path(response.request());
    if path == "/docs" || path.starts_with("/docs/") {
        let policy = HeaderValue::from_static(POLICY);
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}
