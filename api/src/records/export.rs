//! `GET /v1/export`: the content of lists in one streamed response.

mod parameters;

use crate::formats::{Csv, Format, GeoJson, ListSchema, NdJson, Place, Workbook, Xlsx};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{Accepted, AfterPosition, App, POSITION, Query, Reader, Told};
use crate::operation::media_type::Formats;
use crate::operation::routes::{Draft, Reply, Routes, reference};
use crate::records::download::{EndedEarly, Export, Running};
use crate::records::example::example;
use crate::records::list::parameters::DESCRIBED;
use crate::records::list::resolve_all;
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use futures::{TryStreamExt as _, stream};
use parameters::ExportParameters;
use persistence::search::filter::Filter;
use serde_json::{Map, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};

pub(crate) const FORMATS: Formats = Formats::negotiated(&[&NdJson, &Csv, &Xlsx, &GeoJson]);

#[must_use]
pub fn routes() -> Routes {
    let names = (
        "export",
        "Export records: NDJSON, CSV, XLSX or GeoJSON, streamed",
    );
    let problems = &[Code::UnknownReference, Code::IndexBehind, Code::Overloaded];
    Routes::new("Export").get("/v1/export", names, problems, export)
}

async fn export(
    app: App,
    Reader(caller): Reader,
    _: AfterPosition,
    Query(mut sent): Query<ExportParameters>,
    Told(lang): Told,
    Accepted(format): Accepted,
) -> Result<ExportReply, Problem> {
    let geometry = sent.check(format)?;
    let filter = &mut sent.records.filter;
    resolve_all(&app, &caller, &sent.records.names, filter).await?;
    if let Some(relationships) = &mut sent.relationships {
        relationships.resolve(&app, &caller).await?;
    }
    let position = app.search.position().await?;
    let parts = parts(&app, &caller, &sent).await?;
    let export = Export {
        store: app.store.clone(),
        caller,
        format,
        representation: sent.representation,
        geometry,
        records: sent.records.filter,
        relationships: sent
            .relationships
            .map(|sent| sent.sent.filter)
            .unwrap_or_default(),
        parts,
        place: Place::default(),
        dialect: sent.dialect,
        labels: sent.labels,
    };
    let name = match sent.kinds.as_slice() {
        [one] => one.plural(),
        _ => "export",
    };
    let date = app.store.clock().now().format("%Y-%m-%d");
    let origin = &app.store.node().origin;
    let position = app.store.log().position(position);
    let running = Running::new(export);
    let content = if format.is_workbook() {
        ExportContent::File(workbook(running, lang, &position, &sent.kinds).await?)
    } else {
        ExportContent::Running(Box::new(running))
    };
    Ok(ExportReply {
        file: format!("{origin}-{name}-{date}.{}", format.extension()),
        content,
        licence: app.site.licence.clone(),
        format,
        position,
    })
}

/// All records as a workbook, in a file without a name.
pub(crate) async fn workbook(
    mut running: Running,
    lang: Lang,
    position: &str,
    kinds: &[Kind],
) -> Result<std::fs::File, Problem> {
    let mut lines = BufWriter::new(tempfile::tempfile().map_err(|why| Problem::of_file(&why))?);
    while let Some(text) = running.next().await? {
        let written = lines.write_all(text.as_bytes());
        written.map_err(|why| Problem::of_file(&why))?;
    }
    let lines = lines.into_inner();
    let mut lines = lines.map_err(|why| Problem::of_file(why.error()))?;
    let (position, kinds) = (position.to_owned(), kinds.to_vec());
    let writing = tokio::task::spawn_blocking(move || {
        lines.rewind().map_err(|why| Problem::of_file(&why))?;
        let mut workbook = Workbook::new(running.context(), lang);
        for line in BufReader::new(lines).lines() {
            workbook.add(&line.map_err(|why| Problem::of_file(&why))?)?;
        }
        let mut file = workbook.save(&position, &kinds)?;
        file.rewind().map_err(|why| Problem::of_file(&why))?;
        Ok(file)
    });
    writing.await.map_err(|why| {
        tracing::error!(error = %why, "cannot write a workbook");
        Problem::new(Code::Internal)
    })?
}

/// Bytes of a file that are sent at once.
const PART: usize = 64 * 1024;

/// The next part of a file; none at its end.
async fn part_of(mut file: std::fs::File) -> Result<Option<(Bytes, std::fs::File)>, Problem> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut part = Vec::with_capacity(PART);
        let read = (&mut file).take(PART as u64).read_to_end(&mut part);
        read.map_err(|why| Problem::of_file(&why))?;
        Ok((!part.is_empty()).then(|| (Bytes::from(part), file)))
    });
    reading.await.map_err(|_| Problem::new(Code::Internal))?
}

/// The ids of all exported records, known before the first byte is sent: 16 bytes each.
async fn parts(
    app: &App,
    caller: &Caller,
    sent: &ExportParameters,
) -> Result<VecDeque<(Kind, Vec<uuid::Uuid>)>, Problem> {
    let mut parts = VecDeque::new();
    for kind in sent.kinds.iter().copied() {
        let ids = match (kind, &sent.relationships) {
            (Kind::Relationship, None) => Vec::new(),
            (Kind::Relationship, Some(relationships)) => {
                let filter = &relationships.sent.filter;
                app.store.relationships().list_ids(caller, filter).await?
            }
            _ => {
                let filter = Filter {
                    kinds: vec![kind],
                    ..sent.records.filter.clone()
                };
                let ids = app.search.ids(caller, &filter).await?;
                app.store.records().in_dependency_order(ids).await?
            }
        };
        parts.push_back((kind, ids));
    }
    Ok(parts)
}

#[derive(Debug)]
struct ExportReply {
    content: ExportContent,
    format: &'static dyn Format,
    file: String,
    licence: Option<String>,
    /// The state that was read.
    position: String,
}

#[derive(Debug)]
enum ExportContent {
    Running(Box<Running>),
    File(std::fs::File),
}

impl Responder for ExportReply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        let content_type = self.format.content_type();
        response.content_type(content_type).insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", self.file),
        ));
        response.insert_header((POSITION, self.position));
        if let Some(licence) = self.licence {
            response.insert_header((header::LINK, format!("<{licence}>; rel=\"license\"")));
        }
        if request.method() == Method::HEAD {
            return response.streaming(stream::empty::<Result<Bytes, EndedEarly>>());
        }
        match self.content {
            ExportContent::File(file) => {
                let early = |problem: Problem| {
                    tracing::error!(code = %problem.kind.code, "export ended early");
                    EndedEarly
                };
                response.streaming(stream::try_unfold(file, part_of).map_err(early))
            }
            ExportContent::Running(running) => response.streaming(running.into_stream()),
        }
    }
}

impl Reply for ExportReply {
    fn formats(_: Option<Kind>) -> Formats {
        FORMATS
    }

    fn describe(draft: &mut Draft) {
        let mut mapping = Map::new();
        let mut any = Vec::new();
        for kind in Kind::ALL {
            let schema = KindSchema::of(*kind);
            draft.components(schema.documented().clone());
            let record = reference(&format!("{}Record", schema.name));
            mapping.insert(
                kind.code().to_owned(),
                record.get("$ref").cloned().unwrap_or_default(),
            );
            any.push(record);
        }
        let record = json!({
            "description": "One line: a record, in the format of `import`.",
            "anyOf": any,
            "discriminator": {"propertyName": "kind", "mapping": mapping},
        });
        draft.components(Map::from_iter([("ExportedRecord".to_owned(), record)]));
        let record = reference("ExportedRecord");
        let kind = DESCRIBED.first().copied().unwrap_or(Kind::Actor);
        let list = ListSchema {
            name: "Export".to_owned(),
            page: json!({
                "type": "object",
                "required": ["items"],
                "properties": {"items": {"type": "array", "items": record}},
            }),
            example: example(KindSchema::of(kind)),
        };
        let text = "A stream; it is complete only if the connection ends as HTTP demands. Kinds come in dependency order, relationships last. Relationships match only if no filter was given that they do not have. The schema of NDJSON is that of one line.";
        let mut response = draft.success(text, |format| format.document_list(&list));
        let header =
            json!({"description": "A name for the file (RFC 6266).", "schema": {"type": "string"}});
        insert(&mut response, &["headers", "Content-Disposition"], header);
        let header = json!({"description": "The state that was read, opaque: a snapshot with it as `position` deletes nothing newer.", "schema": {"type": "string"}});
        insert(&mut response, &["headers", "Verbund-Position"], header);
        let header = json!({"description": "The licence of this node's data, as `rel=\"license\"` (RFC 8288); a record may state its own.", "schema": {"type": "string"}});
        insert(&mut response, &["headers", "Link"], header);
        draft.response(200, response);
    }
}
