//! The parameters of lists, derived from the filter tables and the relationship table of the
//! domain.

use crate::operation::extract::Parameter;
use domain::base::filter::{Filter, Form};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::record_type::Dates;
use domain::kinds::relationship::RelationshipType;
use domain::kinds::relationship::table::{RULES, Rule, Side};
use domain::validation::body::KindSchema;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub const DESCRIBED: &[Kind] = &[
    Kind::Actor,
    Kind::Network,
    Kind::Region,
    Kind::Project,
    Kind::Event,
    Kind::Topic,
];

/// The content of a list: one kind, or everything.
pub type Listed = Option<Kind>;

pub fn kinds(listed: Listed) -> &'static [Kind] {
    match listed.and_then(|kind| DESCRIBED.iter().position(|one| *one == kind)) {
        Some(at) => DESCRIBED.get(at..=at).unwrap_or(DESCRIBED),
        None => DESCRIBED,
    }
}

pub fn filters(listed: Listed) -> impl Iterator<Item = &'static Filter> {
    let common = listed.is_none().then_some(domain::kinds::common::FILTERS);
    let own = listed.map(|kind| &KindSchema::of(kind).filters);
    common
        .into_iter()
        .flatten()
        .chain(own.into_iter().flatten())
}

/// A relationship type as a filter, named as read from the records of the list.
#[derive(Debug, Clone, Copy)]
pub struct Related {
    pub rule: &'static Rule,
    /// The end at which the records of the list are.
    pub side: Side,
}

impl Related {
    pub fn name(&self) -> &'static str {
        match self.side {
            Side::From => self.rule.code.code(),
            Side::To => self.rule.backwards,
        }
    }

    pub fn kinds(&self, kind: Kind) -> Vec<Kind> {
        if self.rule.same_kind {
            return vec![kind];
        }
        let mut kinds = match self.side {
            Side::From => self.rule.to.to_vec(),
            Side::To => self.rule.from.to_vec(),
        };
        kinds.retain(|kind| *kind != Kind::Relationship);
        kinds
    }

    pub fn below(&self) -> bool {
        self.side == Side::From
            && matches!(
                self.rule.code,
                RelationshipType::PartOf | RelationshipType::Serves
            )
    }
}

pub fn related(kind: Kind) -> Vec<Related> {
    let mut found = Vec::new();
    for rule in RULES.iter().copied() {
        if rule.from.contains(&kind) {
            found.push(Related {
                rule,
                side: Side::From,
            });
        }
        if !rule.symmetric && rule.to.contains(&kind) {
            found.push(Related {
                rule,
                side: Side::To,
            });
        }
    }
    found
}

pub const PART_OF_DIRECT: &str = "part_of.direct";

pub fn facets(listed: Listed) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = filters(listed).map(|filter| filter.name).collect();
    names.extend(["region", "serves", "origin", "publication"]);
    if listed.is_none() {
        names.push("kind");
    }
    names
}

pub fn sorts(listed: Listed) -> &'static [&'static str] {
    if listed.is_some_and(|kind| KindSchema::of(kind).dates == Dates::None) {
        return &["name", "updated_at", "distance", "relevance"];
    }
    &["name", "updated_at", "start", "distance", "relevance"]
}

pub fn table(listed: Listed) -> &'static [Parameter] {
    static TABLES: LazyLock<BTreeMap<Listed, Vec<Parameter>>> = LazyLock::new(|| {
        let kinds = DESCRIBED.iter().map(|kind| Some(*kind));
        kinds
            .chain([None])
            .map(|listed| (listed, make(listed)))
            .collect()
    });
    TABLES.get(&listed).map_or(&[], Vec::as_slice)
}

fn make(listed: Listed) -> Vec<Parameter> {
    let mut table = vec![Q];
    if listed.is_none() {
        table.push(KIND);
    }
    table.extend(filters(listed).map(of_filter));
    table.extend([
        REGION,
        ID,
        ORIGIN,
        IDENTIFIER,
        EXTERNAL_ID,
        UPDATED_SINCE,
        PUBLICATION,
    ]);
    match listed {
        Some(kind) => {
            for related in related(kind) {
                table.push(of_related(kind, &related));
                if related.name() == "part_of" {
                    table.push(PART_DIRECTLY);
                }
            }
            // Events have no area of work, but the common filter is accepted for them too.
            if !table.iter().any(|one| one.name == "serves") {
                table.push(SERVES);
            }
        }
        None => table.push(SERVES),
    }
    match listed.map(|kind| KindSchema::of(kind).dates) {
        Some(Dates::Period) => table.extend([ACTIVE_ON, PROGRAMME, CERTAINTY]),
        Some(Dates::Start) => table.extend([START_FROM, START_TO, CERTAINTY, ATTENDANCE_MIN]),
        Some(Dates::None) | None => {}
    }
    table.extend([
        NEAR,
        RADIUS,
        BBOX,
        sort(listed),
        LIMIT,
        CURSOR,
        facet_names(listed),
        HIGHLIGHTS,
        crate::formats::geojson::GEOMETRY,
    ]);
    table.extend_from_slice(crate::formats::view::PARAMETERS);
    table
}

/// Texts of static tables live as long as the program.
fn text(made: String) -> &'static str {
    made.leak()
}

fn of_filter(filter: &Filter) -> Parameter {
    let values = match filter.form {
        Form::Code(vocabulary) => {
            let codes: Vec<&str> = vocabulary().items.iter().map(|term| term.code).collect();
            format!(" One of {}; comma is OR.", codes.join(", "))
        }
        Form::Flag => " true or false.".to_owned(),
        Form::Text => " Comma is OR.".to_owned(),
        Form::Record(kind) => format!(" A {kind}: an id or a slug; comma is OR."),
        Form::Tree(kind) => {
            format!(" A {kind}: an id or a slug; everything below is included; comma is OR.")
        }
    };
    Parameter {
        name: filter.name,
        description: text(format!("{}{values}", filter.about)),
        schema: match filter.form {
            Form::Flag => r#"{"type": "boolean"}"#,
            Form::Code(_) | Form::Text | Form::Record(_) | Form::Tree(_) => TEXT,
        },
        example: filter.example,
        repeatable: true,
    }
}

fn of_related(kind: Kind, related: &Related) -> Parameter {
    let label = related.rule.label(related.side).en;
    let others: Vec<&str> = related.kinds(kind).iter().map(|kind| kind.code()).collect();
    let roles: Vec<&str> = related.rule.roles.iter().map(|role| role.code()).collect();
    let roles = if roles.is_empty() {
        String::new()
    } else {
        format!(
            ", optionally with a role of the relationship after a colon ({})",
            roles.join(", ")
        )
    };
    let below = if related.below() {
        "; everything below it is included"
    } else {
        ""
    };
    Parameter {
        name: related.name(),
        description: text(format!(
            "The {kind} {label} this {}: an id, a slug or kind/slug{roles}{below}; comma is OR.",
            others.join(" or "),
        )),
        schema: TEXT,
        example: "0193e5a0-0000-7000-8000-000000000000",
        repeatable: true,
    }
}

fn sort(listed: Listed) -> Parameter {
    let names = sorts(listed).join(", ");
    Parameter {
        name: "sort",
        description: text(format!(
            "Sort order: {names}; reversed by a leading `-`. Default: relevance with `q`, distance with `near`, otherwise name (German dictionary order). Relevance is limited to 1 000 hits."
        )),
        schema: r#"{"type": "string", "maxLength": 20}"#,
        example: "-updated_at",
        repeatable: false,
    }
}

fn facet_names(listed: Listed) -> Parameter {
    Parameter {
        name: "facets",
        description: text(format!(
            "Facets: counts of values among all matches, at most 6 of {}; each ignores its own filter and has its 50 most frequent values.",
            facets(listed).join(", ")
        )),
        schema: TEXT,
        example: facets(listed).first().copied().unwrap_or("topic"),
        repeatable: false,
    }
}

const TEXT: &str = r#"{"type": "string", "maxLength": 4000}"#;

const fn parameter(
    name: &'static str,
    description: &'static str,
    schema: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter {
        name,
        description,
        schema,
        example,
        repeatable: false,
    }
}

const fn repeatable(
    name: &'static str,
    description: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter {
        name,
        description,
        schema: TEXT,
        example,
        repeatable: true,
    }
}

const Q: Parameter = parameter(
    "q",
    "Words that must all occur; quotes form a phrase. No character is an operator.",
    r#"{"type": "string", "maxLength": 500}"#,
    "Teleradiologie",
);
const KIND: Parameter = repeatable("kind", "Only these kinds; comma is OR.", "network");
const REGION: Parameter = repeatable(
    "region",
    "Seat or area of work in this region or below: an id or a slug; comma is OR.",
    "nordhessen",
);
const SERVES: Parameter = repeatable(
    "serves",
    "Area of work in this region or below: an id or a slug; comma is OR.",
    "nordhessen",
);
const PART_DIRECTLY: Parameter = repeatable(
    PART_OF_DIRECT,
    "Direct part of this record, not of a part of it: an id or a slug; comma is OR.",
    "0193e5a0-0000-7000-8000-000000000000",
);
const ID: Parameter = repeatable(
    "id",
    "Ids of records; comma is OR.",
    "0193e5a0-0000-7000-8000-000000000000",
);
const ORIGIN: Parameter = repeatable(
    "origin",
    "Origin of the records; comma is OR.",
    "nordhessen",
);
const IDENTIFIER: Parameter =
    repeatable("identifier", "Identifier: `scheme|value`.", "ik|260326822");
const EXTERNAL_ID: Parameter = repeatable(
    "external_id",
    "Key in the supplying system: `system|id`.",
    "seed-pages|002/klinikcluster-ruhr",
);
const UPDATED_SINCE: Parameter = parameter(
    "updated_since",
    "Changed at or after this moment (RFC 3339); for display, not for sync.",
    r#"{"type": "string", "format": "date-time"}"#,
    "2026-01-31T08:00:00Z",
);
const PUBLICATION: Parameter = repeatable(
    "publication",
    "Publication state, for editors; published if absent.",
    "review",
);
const ACTIVE_ON: Parameter = parameter(
    "active_on",
    "Active on this EDTF date. `hit.certainty` says whether that is certain or only possible.",
    r#"{"type": "string", "maxLength": 11}"#,
    "2010",
);
const PROGRAMME: Parameter = repeatable(
    "programme",
    "Funded by this programme, by its name.",
    "WIR! – Wandel durch Innovation in der Region",
);
const CERTAINTY: Parameter = parameter(
    "certainty",
    "`certain` restricts filters on dates to certain matches.",
    r#"{"type": "string", "enum": ["certain", "possible"]}"#,
    "certain",
);
const START_FROM: Parameter = parameter(
    "start_from",
    "Begins on this EDTF date or later; a posting date is not a start.",
    r#"{"type": "string", "maxLength": 11}"#,
    "2021",
);
const START_TO: Parameter = parameter(
    "start_to",
    "Begins on this EDTF date or earlier.",
    r#"{"type": "string", "maxLength": 11}"#,
    "2021",
);
const ATTENDANCE_MIN: Parameter = parameter(
    "attendance_min",
    "Minimum attendance, whether stated exactly, about, at least or more than.",
    r#"{"type": "integer", "minimum": 0, "maximum": 1000000000}"#,
    "30",
);
const NEAR: Parameter = parameter(
    "near",
    "Latitude and longitude (WGS 84); `hit.distance_m` is the distance.",
    r#"{"type": "string", "maxLength": 60}"#,
    "51.31,9.48",
);
const RADIUS: Parameter = parameter(
    "radius",
    "With `near`: maximum distance, in `m` or `km`.",
    r#"{"type": "string", "maxLength": 20}"#,
    "25km",
);
const BBOX: Parameter = parameter(
    "bbox",
    "Has a point in this box: minLon,minLat,maxLon,maxLat; minLon > maxLon crosses the antimeridian.",
    r#"{"type": "string", "maxLength": 120}"#,
    "9.0,51.0,10.0,51.7",
);
const LIMIT: Parameter = parameter(
    "limit",
    "Number of items per page.",
    r#"{"type": "integer", "minimum": 1, "maximum": 200, "default": 20}"#,
    "20",
);
const CURSOR: Parameter = parameter(
    "cursor",
    "Position of the page, from `next`.",
    r#"{"type": "string", "maxLength": 2000}"#,
    "",
);
const HIGHLIGHTS: Parameter = parameter(
    "highlights",
    "With `q`: `hit.highlights` has the texts with the matches.",
    r#"{"type": "boolean", "default": false}"#,
    "true",
);
