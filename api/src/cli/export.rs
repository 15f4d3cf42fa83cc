//! `verbund export`: this node's own records, whatever their publication, to standard output.

use crate::cli::context::Failure;
use crate::formats::{Dialect, Format, NdJson, Place};
use crate::http::problem::Problem;
use crate::records::download::{Export, Running};
use crate::records::export::{FORMATS, workbook};
use crate::records::view::Representation;
use clap::Args;
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use persistence::Store;
use persistence::read::relationships::RelationshipFilter;
use persistence::search::filter::Filter;
use std::collections::VecDeque;
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct ExportOptions {
    /// Only this kind; required for a table
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Format of the records: ndjson (as for `import`), csv (a table of one kind), xlsx (a workbook) or geojson (a map)
    #[arg(long, value_parser = format, default_value = NdJson.extension())]
    format: &'static dyn Format,
    /// How CSV is written: excel-de for a German Excel
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,
    /// Add the name of the record next to each reference in tables
    #[arg(long)]
    labels: bool,
    /// Language of the headings of a workbook: de or en
    #[arg(long, value_parser = language, default_value = "de")]
    lang: Lang,
}

fn dialect(given: &str) -> Result<Dialect, String> {
    match given {
        "excel-de" => Ok(Dialect::GermanExcel),
        _ => Err("excel-de".to_owned()),
    }
}

fn language(given: &str) -> Result<Lang, String> {
    match given {
        "de" => Ok(Lang::De),
        "en" => Ok(Lang::En),
        _ => Err("one of de, en".to_owned()),
    }
}

fn format(given: &str) -> Result<&'static dyn Format, String> {
    let known = FORMATS.all().iter().copied();
    let names: Vec<&str> = known.clone().map(Format::extension).collect();
    let found = known.clone().find(|format| format.extension() == given);
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

pub(super) fn kind(given: &str) -> Result<Kind, String> {
    let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    Kind::parse(given).ok_or_else(|| format!("one of {}", known.join(", ")))
}

pub(super) async fn run(store: &Store, options: &ExportOptions) -> Result<(), Failure> {
    let format = options.format;
    if format.is_table() && options.kind.is_none() {
        let why = "a table has one set of columns; add --kind, such as --kind actor";
        return Err(Failure::Told(why.to_owned()));
    }
    let publications = vec![Publication::ALL.to_vec()];
    let relationships = RelationshipFilter {
        origins: vec![vec![store.node().origin.clone()]],
        publications: publications.clone(),
        ..RelationshipFilter::default()
    };
    let caller = Caller::node();
    let mut parts = VecDeque::new();
    for kind in Kind::ALL.iter().copied() {
        if options.kind.is_some_and(|only| only != kind) {
            continue;
        }
        let ids = match kind {
            Kind::Relationship => {
                store
                    .relationships()
                    .list_ids(&caller, &relationships)
                    .await?
            }
            _ => {
                store
                    .records()
                    .in_dependency_order(store.records().own_ids(kind).await?)
                    .await?
            }
        };
        parts.push_back((kind, ids));
    }
    let kinds: Vec<Kind> = parts.iter().map(|(kind, _)| *kind).collect();
    let mut running = Running::new(Export {
        store: store.clone(),
        caller,
        format,
        representation: Representation::canonical(),
        geometry: format.has_areas(),
        records: Filter {
            publications,
            ..Filter::default()
        },
        relationships,
        parts,
        place: Place::default(),
        dialect: options.dialect.unwrap_or_default(),
        labels: options.labels,
    });
    if format.is_workbook() {
        let position = store.log().position(*store.log().watch().borrow());
        let made = workbook(running, options.lang, &position, &kinds).await;
        let mut file = made.map_err(|problem| failure(&problem))?;
        let copied = std::io::copy(&mut file, &mut std::io::stdout().lock());
        return copied
            .map(drop)
            .map_err(|why| Failure::Io("standard output".to_owned(), why));
    }
    let mut output = std::io::stdout().lock();
    while let Some(text) = running.next().await.map_err(|problem| failure(&problem))? {
        let written = output.write_all(text.as_bytes());
        written.map_err(|why| Failure::Io("standard output".to_owned(), why))?;
    }
    let written = output.flush();
    written.map_err(|why| Failure::Io("standard output".to_owned(), why))
}

fn failure(problem: &Problem) -> Failure {
    Failure::Told(problem.document(Lang::En, "", "").to_string())
}
