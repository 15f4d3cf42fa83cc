//! Parameters of an export: every filter of the lists, those of a single kind only together with
//! it.

use crate::formats::{Dialect, Format};
use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter, Parameters, unknown, wrong};
use crate::operation::param;
use crate::operation::param::Known;
use crate::records::areas;
use crate::records::export::FORMATS;
use crate::records::list::{Narrowing, parameters};
use crate::records::relationships::Everywhere;
use crate::records::view;
use crate::records::view::Representation;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use std::sync::LazyLock;

/// The query of an export; references are not resolved yet.
#[derive(Debug)]
pub(crate) struct ExportParameters {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) records: Narrowing,
    /// Absent if no relationship can match.
    pub(crate) relationships: Option<Everywhere>,
    pub(crate) representation: Representation,
    /// Whether regions have their area.
    pub(crate) geometry: bool,
    /// How a table is written.
    pub(crate) dialect: Dialect,
    /// Whether tables have the names of referenced records.
    pub(crate) labels: bool,
    /// The parameter that changes the shape of records, if any.
    shaped: Option<&'static str>,
}

/// Parameters of lists without meaning in an export.
const PAGING: &[&str] = &[
    "sort",
    "limit",
    "cursor",
    "facets",
    "highlights",
    "include",
    "kind",
];

const SHARED: &[&str] = &[
    "id",
    "home_region",
    "origin",
    "publication",
    "external_id",
    "updated_since",
];

const KIND: Parameter = param::codes(
    "kind",
    "Only these kinds; comma is OR. With a single one its own filters can be given; CSV needs a single one.",
    Known::Of(param::of::<Kind>),
)
.example("actor");

const DIALECT: Parameter = param::code(
    "dialect",
    "How CSV is written. `excel-de`: as a German Excel opens it, with semicolons, a byte order mark, commas in numbers and German headings.",
    Known::These(&["excel-de"]),
);

const LABELS: Parameter = param::boolean(
    "labels",
    "In CSV and XLSX, add a column with the name of the record next to each reference; imports leave it out.",
);

fn own() -> impl Iterator<Item = &'static Parameter> {
    const OWN: &[Parameter] = &[KIND, areas::GEOMETRY, DIALECT, LABELS];
    let shape = view::PARAMETERS.iter();
    OWN.iter()
        .chain(shape.filter(|one| ["lang", "fields"].contains(&one.name)))
}

fn filters(listed: Option<Kind>) -> impl Iterator<Item = &'static Parameter> {
    let table = match listed {
        Some(Kind::Relationship) => Everywhere::table(None),
        listed => parameters::table(listed),
    };
    table
        .iter()
        .filter(|one| !PAGING.contains(&one.name) && own().all(|own| own.name != one.name))
}

fn make() -> Vec<Parameter> {
    let mut table: Vec<Parameter> = own().chain(filters(None)).copied().collect();
    for kind in Kind::ALL {
        for one in filters(Some(*kind)) {
            if let Some(known) = table.iter_mut().find(|known| known.name == one.name) {
                *known = known.or(one);
                continue;
            }
            let takers = Kind::ALL
                .iter()
                .filter(|kind| filters(Some(**kind)).any(|other| other.name == one.name));
            let takers: Vec<String> = takers.map(|kind| format!("`kind={kind}`")).collect();
            let description = format!("With {}: {}", takers.join(" or "), one.description);
            // Texts of static tables live as long as the program.
            table.push(one.described(description.leak()));
        }
    }
    table
}

impl Parameters for ExportParameters {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        static TABLE: LazyLock<Vec<Parameter>> = LazyLock::new(make);
        &TABLE
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let given: Vec<Kind> = pairs.codes(KIND.name).concat();
        let chosen = |kind: &Kind| given.is_empty() || given.contains(kind);
        let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(chosen).collect();
        let only = match kinds.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        let known: Vec<&str> = own().chain(filters(only)).map(|one| one.name).collect();
        if let Some(name) = pairs.names().find(|name| !known.contains(name)) {
            return Err(unknown(name, &known));
        }
        let pairs = &pairs.without(&[KIND.name]);
        let records = match only {
            // Its filters are not those of the index.
            Some(Kind::Relationship) => Narrowing::read(None, &Pairs::default())?,
            listed => Narrowing::read(listed, pairs)?,
        };
        if let (Some(near), None) = (pairs.one("near"), pairs.one("radius")) {
            let expected = ("given together with `radius`", "nur zusammen mit `radius`");
            return Err(wrong("near", near, expected));
        }
        let shared = |name: &str| SHARED.contains(&name) || own().any(|own| own.name == name);
        let may_match = only == Some(Kind::Relationship) || pairs.names().all(shared);
        let relationships = kinds.contains(&Kind::Relationship) && may_match;
        Ok(Self {
            records,
            relationships: relationships
                .then(|| Everywhere::filters(pairs))
                .transpose()?,
            representation: Representation::read(pairs, &kinds)?,
            geometry: pairs.flag(&areas::GEOMETRY),
            dialect: match pairs.one(DIALECT.name) {
                Some(_) => Dialect::GermanExcel,
                None => Dialect::Rfc4180,
            },
            labels: pairs.flag(&LABELS),
            shaped: ["lang", "fields"]
                .into_iter()
                .find(|name| pairs.one(name).is_some()),
            kinds,
        })
    }
}

impl ExportParameters {
    /// The parameter that only tables have, if there is one.
    fn tabular(&self) -> Option<&'static str> {
        let dialect = self.dialect != Dialect::Rfc4180;
        let given = [(dialect, DIALECT.name), (self.labels, LABELS.name)];
        given
            .into_iter()
            .find_map(|(given, name)| given.then_some(name))
    }

    pub(crate) fn check(&self, format: &dyn Format) -> Result<bool, Problem> {
        let name = format.name();
        if format.is_table() && self.kinds.len() != 1 {
            let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.code()).collect();
            let expected = (
                format!("a single kind for {name}, since a table has one set of columns"),
                format!(
                    "eine einzige Art für {name}, denn eine Tabelle hat einen Satz von Spalten"
                ),
            );
            return Err(wrong("kind", &kinds.join(","), expected));
        }
        let is_table = format.is_table() || format.is_workbook();
        if let (false, Some(parameter)) = (is_table, self.tabular()) {
            let expected = (
                "given with format=csv or format=xlsx",
                "nur mit format=csv oder format=xlsx",
            );
            return Err(wrong(parameter, "…", expected));
        }
        if let (true, true, Some(parameter)) =
            (format.is_workbook(), self.kinds.len() != 1, self.shaped)
        {
            let expected = (
                "given with a single kind; in a workbook of several kinds records are whole",
                "nur mit einer einzigen Art; in einer Mappe mehrerer Arten sind Datensätze vollständig",
            );
            return Err(wrong(parameter, "…", expected));
        }
        if let (true, Some(parameter)) = (format.is_whole(), self.shaped) {
            let others = FORMATS.all().iter().filter(|format| !format.is_whole());
            let others: Vec<String> = others
                .map(|format| format!("format={}", format.extension()))
                .collect();
            let expected = (
                format!(
                    "given with {}; in {name} records are whole, so that they can be imported",
                    others.join(" or ")
                ),
                format!(
                    "nur mit {}; in {name} sind Datensätze vollständig, damit sie importiert werden können",
                    others.join(" oder ")
                ),
            );
            return Err(wrong(parameter, "…", expected));
        }
        areas::check(self.geometry, format)
    }
}
