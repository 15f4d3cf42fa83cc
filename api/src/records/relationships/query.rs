use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter, Parameters, wrong};
use crate::operation::paging::{CURSOR, LIMIT};
use crate::operation::param;
use crate::operation::param::Known;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::kinds::common::Publication;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::kinds::relationship::{RelationshipRole, RelationshipType};
use domain::statements::confirmation::ConfirmationState;
use domain::value::edtf::EdtfDate;
use domain::value::external::ExternalId;
use persistence::read::relationships::{AllOf, DateRange, RelationshipFilter};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) filter: RelationshipFilter,
    pub(crate) limit: u64,
    pub(crate) cursor: Option<String>,
    pub(crate) text: String,
    pub(crate) lang: Option<Lang>,
}

const TYPE: Parameter = param::codes(
    "type",
    "Types of relationships; comma is OR, repeating is AND.",
    Known::Of(param::of::<RelationshipType>),
)
.example("funds")
.repeatable();
const ROLE: Parameter = param::codes(
    "role",
    "Roles; comma is OR, repeating is AND.",
    Known::Of(param::of::<RelationshipRole>),
)
.example("executing_agency")
.repeatable();
const KIND: Parameter = param::codes(
    "kind",
    "The kind of the other end (in the list of all: of either end); comma is OR.",
    Known::Of(param::of::<Kind>),
)
.example("network")
.repeatable();
pub(crate) const ACTIVE_ON: Parameter = param::text(
    "active_on",
    "When they hold: an EDTF date. `hit.certainty` says whether it is certain or only possible.",
)
.max(11)
.example("2010");
pub(crate) const RELATIONSHIPS_ON: Parameter = param::text(
    "relationships_on",
    "The day on which relationships have to hold to count in filters, facets, trees, `include` and the graph: an EDTF date, or `any`. Otherwise those that describe a state (`standing` in the vocabulary `relationship_type`, such as memberships) count if they may hold today, all others at any time.",
)
.max(11)
.example("2015-12-31");
pub(crate) const CERTAINTY: Parameter = param::code(
    "certainty",
    "`certain` narrows filters on dates to what is certain.",
    CERTAINTIES,
)
.example("certain");
const START: [Parameter; 2] = [
    param::text("start_from", "Begins on this EDTF date or later.")
        .max(11)
        .example("2016"),
    param::text("start_to", "Begins on this EDTF date or earlier.")
        .max(11)
        .example("2016"),
];
const END: [Parameter; 2] = [
    param::text(
        "end_from",
        "Ends on this EDTF date or later; an open end is none.",
    )
    .max(11)
    .example("2020"),
    param::text(
        "end_to",
        "Ends on this EDTF date or earlier; an open end is none.",
    )
    .max(11)
    .example("2020"),
];
pub(crate) const PUBLICATION: Parameter = param::codes(
    "publication",
    "For editors: how far they are on their way to the public; published when absent.",
    Known::Of(param::of::<Publication>),
)
.example("draft")
.repeatable();
pub(crate) const LANG: Parameter = param::code(
    "lang",
    "The language of the labels, and of names that are translated into it: de or en.",
    Known::These(&["de", "en"]),
)
.example("de");
/// Degrees of certainty of a match by date.
pub(crate) const CERTAINTIES: Known = Known::These(&["certain", "possible"]);
const FROM: Parameter = param::text(
    "from",
    "The record at the `from` end: an id or `kind/slug`; comma is OR.",
)
.example("actor/regionalmanagement-nordhessen")
.repeatable();
const TO: Parameter = param::text(
    "to",
    "The record at the `to` end: an id or `kind/slug`; comma is OR.",
)
.example("project/klinikcluster-ruhr")
.repeatable();
const ID: Parameter = param::text("id", "These relationships, by id; comma is OR.")
    .example("0193e5a0-0000-7000-8000-000000000000")
    .repeatable();
const HOME_REGION: Parameter = param::text(
    "home_region",
    "The region whose editors may write them: an id or a slug; comma is OR.",
)
.example("nordhessen")
.repeatable();
const ORIGIN: Parameter = param::text("origin", "The node that alone writes them; comma is OR.")
    .example("nordhessen")
    .repeatable();
const EXTERNAL_ID: Parameter = param::text(
    "external_id",
    "The key in the supplying system: `system|id`.",
)
.example("seed-pages|002/kcr-funded-by-eu")
.repeatable();
pub(crate) const UPDATED_SINCE: Parameter = param::moment(
    "updated_since",
    "Changed at or after this moment (RFC 3339); for display, not for sync.",
);
const CONFIRMATION: Parameter = param::codes(
    "confirmation",
    "What an end states; comma is OR. What no end has stated anything else about is `claimed`. What is `disputed` is listed for those who may write an end, and only if asked for.",
    Known::Of(param::of::<ConfirmationState>),
)
.example("confirmed")
.repeatable();

/// Parses an EDTF date.
pub(crate) fn date(pairs: &Pairs, name: &str) -> Result<Option<EdtfDate>, Problem> {
    let parse = |text: &str| {
        let expected = if name == RELATIONSHIPS_ON.name {
            (
                "`any` or an EDTF date such as 2010, 2010-05 or 2010-05-01",
                "`any` oder ein EDTF-Datum, etwa 2010, 2010-05 oder 2010-05-01",
            )
        } else {
            (
                "an EDTF date such as 2010, 2010-05 or 2010-05-01",
                "ein EDTF-Datum, etwa 2010, 2010-05 oder 2010-05-01",
            )
        };
        text.parse().map_err(|_| wrong(name, text, expected))
    };
    pairs.one(name).map(parse).transpose()
}

/// Whether only certain matches count.
pub(crate) fn certain(pairs: &Pairs) -> bool {
    pairs.one(CERTAINTY.name) == Some("certain")
}

/// The day on which relationships have to hold, if one is given: `relationships_on`, otherwise
/// `active_on`.
pub(crate) fn on(pairs: &Pairs) -> Result<Option<RelationshipsOn>, Problem> {
    let name = match pairs.one(RELATIONSHIPS_ON.name) {
        Some("any") => return Ok(Some(RelationshipsOn::Any)),
        Some(_) => RELATIONSHIPS_ON.name,
        None => ACTIVE_ON.name,
    };
    let certain = certain(pairs);
    let date = date(pairs, name)?;
    Ok(date.map(|date| RelationshipsOn::Date { date, certain }))
}

fn range(pairs: &Pairs, [from, to]: &[Parameter; 2]) -> Result<DateRange, Problem> {
    Ok(DateRange {
        from: date(pairs, from.name)?,
        to: date(pairs, to.name)?,
        certain: certain(pairs),
    })
}

pub(crate) fn lang(pairs: &Pairs) -> Option<Lang> {
    match pairs.one(LANG.name)? {
        "de" => Some(Lang::De),
        _ => Some(Lang::En),
    }
}

fn read_common(pairs: &Pairs) -> Result<Sent, Problem> {
    let on = on(pairs)?.unwrap_or_default();
    Ok(Sent {
        filter: RelationshipFilter {
            types: pairs.codes(TYPE.name),
            roles: pairs.codes(ROLE.name),
            kinds: pairs.codes(KIND.name),
            publications: pairs.codes(PUBLICATION.name),
            on,
            starts: range(pairs, &START)?,
            ends: range(pairs, &END)?,
            ..RelationshipFilter::default()
        },
        limit: pairs.integer(&LIMIT),
        cursor: pairs.one("cursor").map(str::to_owned),
        text: pairs.without_cursor(),
        lang: lang(pairs),
    })
}

#[derive(Debug)]
pub(crate) struct Around(pub(crate) Sent);

impl Parameters for Around {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            TYPE,
            ROLE,
            KIND,
            ACTIVE_ON,
            START[0],
            START[1],
            END[0],
            END[1],
            CERTAINTY,
            PUBLICATION,
            LIMIT,
            CURSOR,
            LANG,
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        read_common(pairs).map(Self)
    }
}

#[derive(Debug)]
pub(crate) struct Everywhere {
    pub(crate) sent: Sent,
    pub(crate) from: AllOf<String>,
    pub(crate) to: AllOf<String>,
    pub(crate) home_region: AllOf<String>,
}

impl Parameters for Everywhere {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            TYPE,
            FROM,
            TO,
            ROLE,
            KIND,
            ACTIVE_ON,
            START[0],
            START[1],
            END[0],
            END[1],
            CERTAINTY,
            ID,
            HOME_REGION,
            ORIGIN,
            EXTERNAL_ID,
            UPDATED_SINCE,
            CONFIRMATION,
            PUBLICATION,
            LIMIT,
            CURSOR,
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Self::filters(pairs)
    }
}

impl Everywhere {
    pub(crate) fn filters(pairs: &Pairs) -> Result<Self, Problem> {
        let mut sent = read_common(pairs)?;
        let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        let record = ("an id or kind/slug", "eine ID oder kind/slug");
        let named = |name| pairs.lists(name, record, text);
        let filter = &mut sent.filter;
        filter.confirmations = pairs.codes(CONFIRMATION.name);
        filter.updated_since = pairs.moment(&UPDATED_SINCE);
        filter.ids = pairs.lists("id", ("a UUID", "eine UUID"), |value| {
            Uuid::try_parse(value).ok()
        })?;
        filter.origins = pairs.lists(
            "origin",
            ("the name of a node", "der Name eines Knotens"),
            text,
        )?;
        // Keys may contain commas, so they are never split.
        for value in pairs.all("external_id") {
            let (system, id) = value
                .split_once('|')
                .ok_or_else(|| wrong("external_id", value, ("system|id", "system|id")))?;
            let (system, id) = (system.to_owned(), id.to_owned());
            filter.external_ids.push(vec![ExternalId { system, id }]);
        }
        Ok(Self {
            from: named("from")?,
            to: named("to")?,
            home_region: named("home_region")?,
            sent,
        })
    }
}
