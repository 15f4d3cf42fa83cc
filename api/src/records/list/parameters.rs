//! The parameters of lists, derived from the filter tables and the relationship table of the
//! domain.

use crate::operation::extract::Parameter;
use crate::operation::paging::{CURSOR, LIMIT};
use crate::operation::param;
use crate::operation::param::Known;
use crate::records::relationships::query::{CERTAINTIES, PUBLICATION, UPDATED_SINCE};
use domain::base::filter::{Filter, Form};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::dates::Dates;
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

pub fn described_kinds() -> Vec<&'static str> {
    DESCRIBED.iter().map(|kind| kind.code()).collect()
}

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
            Side::To => self.rule.inverse,
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
    let Some(kind) = listed else {
        return &["name", "updated_at", "start", "distance", "relevance"];
    };
    match KindSchema::of(kind).dates {
        Dates::None => &["name", "updated_at", "distance", "relevance"],
        Dates::Period | Dates::Start => &[
            "name",
            "updated_at",
            "start",
            "end",
            "distance",
            "relevance",
        ],
        Dates::Lifetime => &["name", "updated_at", "founded", "distance", "relevance"],
    }
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
    let dates = listed.map_or(Dates::None, |kind| KindSchema::of(kind).dates);
    if dates.go_on() {
        table.push(ACTIVE_ON);
    }
    match dates {
        Dates::Period => table.push(PROGRAMME),
        Dates::Start => table.push(ATTENDANCE_MIN),
        Dates::None | Dates::Lifetime => {}
    }
    table.extend(dates.names().into_iter().flat_map(within));
    table.extend([
        CERTAINTY,
        NEAR,
        RADIUS,
        BBOX,
        sort(listed),
        LIMIT,
        CURSOR,
        facet_names(listed),
        HIGHLIGHTS,
        crate::records::areas::GEOMETRY,
    ]);
    table.extend_from_slice(crate::records::view::PARAMETERS);
    table
}

/// Texts of static tables live as long as the program.
fn text(made: String) -> &'static str {
    made.leak()
}

fn of_filter(filter: &Filter) -> Parameter {
    let about = |values: &str| text(format!("{}{values}", filter.about));
    let parameter = match filter.form {
        Form::Code(vocabulary) => {
            let codes: Vec<&str> = vocabulary().items.iter().map(|term| term.code).collect();
            let known = Known::These(codes.leak());
            param::codes(filter.name, about(" Comma is OR."), known)
        }
        Form::Flag => param::flag(filter.name, filter.about),
        Form::Text => param::text(filter.name, about(" Comma is OR.")),
        Form::Record(kind) => {
            let values = format!(" A {kind}: an id or a slug; comma is OR.");
            param::text(filter.name, about(&values))
        }
        Form::Tree(kind) => {
            let values =
                format!(" A {kind}: an id or a slug; everything below is included; comma is OR.");
            param::text(filter.name, about(&values))
        }
    };
    parameter.example(filter.example).repeatable()
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
    let about = text(format!(
        "The {kind} {label} this {}: an id, a slug or kind/slug{roles}{below}; comma is OR.",
        others.join(" or "),
    ));
    param::text(related.name(), about)
        .example(SOME_ID)
        .repeatable()
}

const SOME_ID: &str = "0193e5a0-0000-7000-8000-000000000000";

fn sort(listed: Listed) -> Parameter {
    let names = sorts(listed).iter();
    let both = names.flat_map(|name| [*name, text(format!("-{name}"))]);
    let both: Vec<&str> = both.collect();
    param::code(
        "sort",
        "The order; reversed with a leading `-`. Without it: relevance with `q`, distance with `near`, else name (German dictionary order). Relevance pages to 1 000 hits.",
        Known::These(both.leak()),
    )
    .example("-updated_at")
}

fn facet_names(listed: Listed) -> Parameter {
    let known = facets(listed);
    let example = known.first().copied().unwrap_or("topic");
    param::codes(
        "facets",
        "Counts values among everything that matches, of at most 6 members; each ignores its own filter and tells its 50 most frequent values.",
        Known::These(known.leak()),
    )
    .example(example)
}

const Q: Parameter = param::text(
    "q",
    "Words that all must occur; quotes make a phrase. No character is an operator.",
)
.max(500)
.example("Teleradiologie");
const KIND: Parameter = param::codes(
    "kind",
    "Only these kinds; comma is OR.",
    Known::Of(described_kinds),
)
.example("network")
.repeatable();
const REGION: Parameter = param::text(
    "region",
    "Its seat or its area of work is in this region or below: an id or a slug; comma is OR.",
)
.example("nordhessen")
.repeatable();
const SERVES: Parameter = param::text(
    "serves",
    "Its area of work is this region or below: an id or a slug; comma is OR.",
)
.example("nordhessen")
.repeatable();
const PART_DIRECTLY: Parameter = param::text(
    PART_OF_DIRECT,
    "Is part of this record itself, not of a part of it: an id or a slug; comma is OR.",
)
.example(SOME_ID)
.repeatable();
const ID: Parameter = param::text("id", "These records, by id; comma is OR.")
    .example(SOME_ID)
    .repeatable();
const ORIGIN: Parameter = param::text("origin", "The node that alone writes them; comma is OR.")
    .example("nordhessen")
    .repeatable();
const IDENTIFIER: Parameter = param::text("identifier", "An identifier: `scheme|value`.")
    .example("ik|260326822")
    .repeatable();
const EXTERNAL_ID: Parameter = param::text(
    "external_id",
    "The key in the supplying system: `system|id`.",
)
.example("seed-pages|002/klinikcluster-ruhr")
.repeatable();
const ACTIVE_ON: Parameter = param::text(
    "active_on",
    "Going on then: an EDTF date. `hit.certainty` says whether that is certain or only possible.",
)
.max(11)
.example("2010");
const PROGRAMME: Parameter = param::text(
    "programme",
    "Funded by this programme, as its name is written.",
)
.example("WIR! – Wandel durch Innovation in der Region")
.repeatable();
const CERTAINTY: Parameter = param::code(
    "certainty",
    "`certain` narrows filters on dates to what is certain, and so the day of `relationships_on`.",
    CERTAINTIES,
)
.example("certain");
/// The parameters for spans of begin and end.
fn within((begin, end): (&'static str, &'static str)) -> [Parameter; 4] {
    let parameter = |name: &'static str, bound: &str, says: &'static str| {
        param::text(text(format!("{name}_{bound}")), says)
            .max(11)
            .example("2021")
    };
    [
        parameter(
            begin,
            "from",
            "Begins on this EDTF date or later; a posting date is no start.",
        ),
        parameter(begin, "to", "Begins on this EDTF date or earlier."),
        parameter(end, "from", "Ends on this EDTF date or later."),
        parameter(end, "to", "Ends on this EDTF date or earlier."),
    ]
}

pub const ATTENDANCE_MIN: Parameter = param::integer(
    "attendance_min",
    "So many attended at least, as stated exactly, about, at least or more than.",
    &(0..=1_000_000_000),
)
.example("30");
const NEAR: Parameter = param::text(
    "near",
    "Latitude and longitude (WGS 84); `hit.distance_m` tells the distance.",
)
.max(60)
.example("51.31,9.48");
const RADIUS: Parameter = param::text(
    "radius",
    "With `near`: no farther than this, in `m` or `km`.",
)
.max(20)
.example("25km");
pub const BBOX: Parameter = param::text(
    "bbox",
    "Has a point in this box: minLon,minLat,maxLon,maxLat; minLon > maxLon crosses the antimeridian.",
)
.max(120)
.example("9.0,51.0,10.0,51.7");
pub const HIGHLIGHTS: Parameter = param::boolean(
    "highlights",
    "With `q`: `hit.highlights` shows where the words occur.",
);
