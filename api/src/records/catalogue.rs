//! The catalogue for data portals, by DCAT-AP.de 3.0: a dataset per kind with a distribution per
//! format, and the API as a data service.

use crate::config::Site;
use crate::formats::Format;
use crate::formats::jsonld::object_of;
use crate::formats::rdf::{Object, Resource};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Public, Query};
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes};
use crate::records::export;
use crate::records::reply::list_formats;
use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::{DateTime, Utc};
use domain::base::clock::rfc3339;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use serde_json::{Value, json};

const JSON_LD: &str = "application/ld+json";
const RDF_XML: &str = "application/rdf+xml";

/// Vocabularies of the Publications Office of the EU.
const EU: &str = "http://publications.europa.eu/resource/authority";

#[must_use]
pub fn routes() -> Routes {
    let json_ld = (
        "get_catalogue_jsonld",
        "Read the catalogue for data portals as JSON-LD",
    );
    let rdf_xml = (
        "get_catalogue_rdf",
        "Read the catalogue for data portals as RDF/XML",
    );
    let problems = &[Code::PublicUrlMissing];
    Routes::new("Node")
        .get("/dcat.jsonld", json_ld, problems, get_json_ld)
        .get("/dcat.rdf", rdf_xml, problems, get_rdf_xml)
}

async fn get_json_ld(_: Public, app: App, _: Query<()>) -> Result<JsonLdCatalogue, Problem> {
    Ok(JsonLdCatalogue(catalogue(&app).await?.json_ld()))
}

async fn get_rdf_xml(_: Public, app: App, _: Query<()>) -> Result<RdfXmlCatalogue, Problem> {
    Ok(RdfXmlCatalogue(catalogue(&app).await?.rdf_xml()))
}

#[derive(Debug)]
struct JsonLdCatalogue(String);

impl Responder for JsonLdCatalogue {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().content_type(JSON_LD).body(self.0)
    }
}

impl Reply for JsonLdCatalogue {
    fn describe(draft: &mut Draft) {
        let schema = object_of(&["@context", "@id", "@type"]);
        let example = json!({"@context": {}, "@id": "https://verzeichnis.example/dcat.rdf#catalogue", "@type": "dcat:Catalog"});
        describe(draft, JSON_LD, &schema, example);
    }
}

#[derive(Debug)]
struct RdfXmlCatalogue(String);

impl Responder for RdfXmlCatalogue {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(format!("{RDF_XML}; charset=utf-8"))
            .body(self.0)
    }
}

impl Reply for RdfXmlCatalogue {
    fn describe(draft: &mut Draft) {
        let example = json!("<rdf:RDF><dcat:Catalog/></rdf:RDF>");
        describe(draft, RDF_XML, &json!({"type": "string"}), example);
    }
}

fn describe(draft: &mut Draft, media_type: &str, schema: &Value, example: Value) {
    let mut response = content("The catalogue (DCAT-AP.de 3.0).", media_type, schema);
    insert(&mut response, &["content", media_type, "example"], example);
    draft.response(200, response);
}

async fn catalogue(app: &App) -> Result<Resource, Problem> {
    let site = &app.site;
    if site.base().is_none() {
        return Err(Problem::new(Code::PublicUrlMissing));
    }
    let updated = app.store.log().updated().await?;
    let provider = site.provider();
    let mut catalogue = Resource::new(address(site, "catalogue"), "dcat:Catalog")
        .texts(
            "dct:title",
            format!("Verzeichnis regionaler Gesundheitsnetzwerke: {provider}"),
            format!("Directory of regional health networks: {provider}"),
        )
        .texts(
            "dct:description",
            "Wer in den Regionen im Gesundheitswesen zusammenarbeitet, in welcher Rolle, wo und seit wann.",
            "Who works with whom in the health care of the regions, in which role, where and since when.",
        )
        .part("dct:publisher", publisher(site))
        .to("dct:language", format!("{EU}/language/DEU"))
        .to("dct:language", format!("{EU}/language/ENG"))
        .to("dcat:themeTaxonomy", format!("{EU}/data-theme"))
        .to("foaf:homepage", site.url("/"));
    if let Some(licence) = &site.licence {
        catalogue = catalogue.to("dct:license", portal_licence(licence));
    }
    catalogue = modified(catalogue, updated);
    for kind in Kind::ALL {
        catalogue = catalogue.part("dcat:dataset", dataset(site, *kind, updated));
    }
    Ok(catalogue.part("dcat:service", service(site)))
}

/// The address of a part of the catalogue.
fn address(site: &Site, part: &str) -> String {
    site.url(&format!("/dcat.rdf#{part}"))
}

fn modified(resource: Resource, at: Option<DateTime<Utc>>) -> Resource {
    let Some(at) = at else {
        return resource;
    };
    resource.with("dct:modified", Object::Typed(rfc3339(at), "dateTime"))
}

fn publisher(site: &Site) -> Resource {
    Resource::new(address(site, "publisher"), "foaf:Agent").text("foaf:name", site.provider())
}

fn contact(site: &Site) -> Resource {
    let contact = Resource::new(address(site, "contact"), "vcard:Organization")
        .text("vcard:fn", site.provider());
    match &site.contact_email {
        Some(email) => contact.to("vcard:hasEmail", format!("mailto:{email}")),
        None => contact.to("vcard:hasURL", site.url("/")),
    }
}

fn dataset(site: &Site, kind: Kind, updated: Option<DateTime<Utc>>) -> Resource {
    let schema = KindSchema::of(kind);
    let (plural, provider) = (kind.plural(), site.provider());
    let mut dataset = Resource::new(address(site, plural), "dcat:Dataset")
        .text("dct:identifier", address(site, plural))
        .texts(
            "dct:title",
            format!("{} – {provider}", schema.tag_de),
            format!("{} – {provider}", schema.tag),
        )
        .texts(
            "dct:description",
            format!(
                "Alle öffentlichen Datensätze der Art „{}“ im Verzeichnis regionaler Gesundheitsnetzwerke, laufend aktualisiert.",
                kind.labels().de
            ),
            format!("{} All public records, updated continuously.", schema.about),
        )
        .part("dct:publisher", publisher(site))
        .part("dcat:contactPoint", contact(site))
        .to("dcat:theme", format!("{EU}/data-theme/HEAL"))
        .texts("dcat:keyword", "Gesundheitsnetzwerke", "health networks")
        .to("dct:accrualPeriodicity", format!("{EU}/frequency/CONT"))
        .to("dct:accessRights", format!("{EU}/access-right/PUBLIC"))
        .to("dct:language", format!("{EU}/language/DEU"))
        .to("dcat:landingPage", site.url(&format!("/v1/{plural}")));
    if let Some(id) = &site.contributor_id {
        dataset = dataset.to("dcatde:contributorID", id.as_str());
    }
    dataset = modified(dataset, updated);
    for format in export::FORMATS.all() {
        let extension = format.extension();
        let path = format!("/v1/export?kind={}&format={extension}", kind.code());
        dataset = distribute(dataset, site, (kind, *format), (&path, Extent::File));
    }
    // The first one is JSON, of which a list has only a page.
    for format in list_formats(Some(kind)).all().iter().skip(1) {
        if export::FORMATS
            .all()
            .iter()
            .any(|one| one.extension() == format.extension())
        {
            continue;
        }
        let path = format!("/v1/{plural}.{}", format.extension());
        let extent = if format.is_calendar() {
            Extent::Calendar
        } else {
            Extent::Pages
        };
        dataset = distribute(dataset, site, (kind, *format), (&path, extent));
    }
    dataset
}

/// What an address of a dataset answers.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// All of it.
    File,
    /// A page, which leads to the next one.
    Pages,
    /// What is still of use in a calendar.
    Calendar,
}

fn distribute(
    dataset: Resource,
    site: &Site,
    (kind, format): (Kind, &dyn Format),
    (path, extent): (&str, Extent),
) -> Resource {
    let schema = KindSchema::of(kind);
    let (name, extension) = (format.name(), format.extension());
    let id = address(site, &format!("{}-{extension}", kind.plural()));
    let mut distribution = Resource::new(id, "dcat:Distribution")
        .texts(
            "dct:title",
            format!("{} ({name})", schema.tag_de),
            format!("{} ({name})", schema.tag),
        )
        .to("dcat:accessURL", site.url(path))
        .to(
            "dcat:mediaType",
            format!(
                "https://www.iana.org/assignments/media-types/{}",
                format.media_type()
            ),
        )
        .to("dcat:accessService", address(site, "service"));
    distribution = match extent {
        Extent::File => distribution.to("dcat:downloadURL", site.url(path)),
        Extent::Pages => distribution.texts(
            "dct:description",
            "In Seiten: Jede Antwort enthält die Adresse der nächsten. Alles auf einmal enthalten die Exporte.",
            "In pages: each response has the address of the next one. The exports have everything at once.",
        ),
        Extent::Calendar => distribution.texts(
            "dct:description",
            "Kalender zum Abonnieren: Veranstaltungen mit bekanntem Tag, seit einem Jahr und künftige.",
            "A calendar to subscribe to: events with a known day, of the last year and later.",
        ),
    };
    if let Some(file_type) = file_type(extension) {
        distribution = distribution.to("dct:format", format!("{EU}/file-type/{file_type}"));
    }
    if let Some(licence) = &site.licence {
        distribution = distribution
            .to("dct:license", portal_licence(licence))
            .text("dcatde:licenseAttributionByText", site.provider());
    }
    dataset.part("dcat:distribution", distribution)
}

fn service(site: &Site) -> Resource {
    let mut service = Resource::new(address(site, "service"), "dcat:DataService")
        .texts(
            "dct:title",
            format!("API des Verzeichnisses: {}", site.provider()),
            format!("API of the directory: {}", site.provider()),
        )
        .texts(
            "dct:description",
            "Lesen, Suchen, Filtern und Exportieren der öffentlichen Datensätze ohne Anmeldung.",
            "Reading, searching, filtering and exporting the public records, without an account.",
        )
        .to("dcat:endpointURL", site.url("/v1"))
        .to("dcat:endpointDescription", site.url("/openapi.json"))
        .part("dct:publisher", publisher(site))
        .part("dcat:contactPoint", contact(site))
        .to("dcat:theme", format!("{EU}/data-theme/HEAL"))
        .to("dct:accessRights", format!("{EU}/access-right/PUBLIC"));
    for kind in Kind::ALL {
        service = service.to("dcat:servesDataset", address(site, kind.plural()));
    }
    if let Some(licence) = &site.licence {
        service = service.to("dct:license", portal_licence(licence));
    }
    service
}

/// The code of a format in the list of file types of the EU, if it is there.
fn file_type(extension: &str) -> Option<&'static str> {
    match extension {
        "csv" => Some("CSV"),
        "geojson" => Some("GEOJSON"),
        "jsonld" => Some("JSON_LD"),
        "atom" => Some("ATOM"),
        "ics" => Some("ICS"),
        "xlsx" => Some("XLSX"),
        "ods" => Some("ODS"),
        "ndjson" => Some("NDJSON"),
        _ => None,
    }
}

/// A licence as DCAT-AP.de names it; others as they are.
fn portal_licence(licence: &str) -> String {
    const KNOWN: [(&str, &str); 6] = [
        ("creativecommons.org/publicdomain/zero/1.0", "cc-zero"),
        ("creativecommons.org/licenses/by/4.0", "cc-by/4.0"),
        ("creativecommons.org/licenses/by-sa/4.0", "cc-by-sa/4.0"),
        ("www.govdata.de/dl-de/by-2-0", "dl-by-de/2.0"),
        ("www.govdata.de/dl-de/zero-2-0", "dl-zero-de/2.0"),
        ("opendatacommons.org/licenses/odbl/1-0", "odbl"),
    ];
    let plain = licence.split_once("://").map_or(licence, |(_, rest)| rest);
    let plain = plain
        .trim_end_matches("/deed.de")
        .trim_end_matches("/deed.en");
    let plain = plain.trim_end_matches('/');
    let known = KNOWN.iter().find(|(address, _)| *address == plain);
    known.map_or_else(
        || licence.to_owned(),
        |(_, code)| format!("http://dcat-ap.de/def/licenses/{code}"),
    )
}

#[cfg(test)]
mod tests {
    use super::portal_licence;

    #[test]
    fn licences_are_named_as_portals_do() {
        for (licence, expected) in [
            (
                "https://creativecommons.org/licenses/by/4.0/deed.de",
                "http://dcat-ap.de/def/licenses/cc-by/4.0",
            ),
            (
                "http://creativecommons.org/publicdomain/zero/1.0/",
                "http://dcat-ap.de/def/licenses/cc-zero",
            ),
            (
                "https://www.govdata.de/dl-de/by-2-0",
                "http://dcat-ap.de/def/licenses/dl-by-de/2.0",
            ),
            ("https://lizenz.example/1", "https://lizenz.example/1"),
        ] {
            assert_eq!(portal_licence(licence), expected);
        }
    }
}
