use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter, Parameters, wrong};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::kinds::common::Publication;
use domain::kinds::relationship::{RelationshipRole, RelationshipType};
use domain::statements::confirmation::ConfirmationState;
use domain::value::edtf::EdtfDate;
use domain::value::external::ExternalId;
use persistence::read::relationships::{AllOf, RelationshipFilter};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) filter: RelationshipFilter,
    pub(crate) limit: u64,
    pub(crate) cursor: Option<String>,
    pub(crate) text: String,
    pub(crate) lang: Option<Lang>,
}

const TYPE: Parameter = Parameter {
    name: "type",
    description: "Types of relationships; comma is OR, repeating is AND.",
    schema: r#"{"type": "string"}"#,
    example: "funds",
    repeatable: true,
};
const ROLE: Parameter = Parameter {
    name: "role",
    description: "Roles; comma is OR, repeating is AND.",
    schema: r#"{"type": "string"}"#,
    example: "executing_agency",
    repeatable: true,
};
const KIND: Parameter = Parameter {
    name: "kind",
    description: "Kind of the other end (in the list of all: of either end); comma is OR.",
    schema: r#"{"type": "string"}"#,
    example: "network",
    repeatable: true,
};
pub(crate) const ACTIVE_ON: Parameter = Parameter {
    name: "active_on",
    description: "Active on this EDTF date. `hit.certainty` says whether that is certain or only possible.",
    schema: r#"{"type": "string", "maxLength": 11}"#,
    example: "2010",
    repeatable: false,
};
pub(crate) const CERTAINTY: Parameter = Parameter {
    name: "certainty",
    description: "`certain` restricts `active_on` to certain matches.",
    schema: r#"{"type": "string", "enum": ["certain", "possible"]}"#,
    example: "certain",
    repeatable: false,
};
const PUBLICATION: Parameter = Parameter {
    name: "publication",
    description: "Publication state, for editors; published if absent.",
    schema: r#"{"type": "string"}"#,
    example: "draft",
    repeatable: true,
};
const LIMIT: Parameter = Parameter {
    name: "limit",
    description: "Number of items per page.",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 200, "default": 20}"#,
    example: "20",
    repeatable: false,
};
const CURSOR: Parameter = Parameter {
    name: "cursor",
    description: "Position of the page, from `next`.",
    schema: r#"{"type": "string", "maxLength": 500}"#,
    example: "",
    repeatable: false,
};
pub(crate) const LANG: Parameter = Parameter {
    name: "lang",
    description: "The language of the labels: de or en.",
    schema: r#"{"type": "string", "enum": ["de", "en"]}"#,
    example: "de",
    repeatable: false,
};

/// The date filter, and whether only certain matches count.
pub(crate) fn when(pairs: &Pairs) -> Result<(Option<EdtfDate>, bool), Problem> {
    let date = pairs.one("active_on").map(|text| {
        text.parse::<EdtfDate>()
            .map_err(|_| wrong("active_on", text, "an EDTF date such as 2010 or 2010-05"))
    });
    let certain = match pairs.one("certainty") {
        None | Some("possible") => false,
        Some("certain") => true,
        Some(other) => return Err(wrong("certainty", other, "certain or possible")),
    };
    Ok((date.transpose()?, certain))
}

pub(crate) fn lang(pairs: &Pairs) -> Result<Option<Lang>, Problem> {
    match pairs.one("lang") {
        None => Ok(None),
        Some("de") => Ok(Some(Lang::De)),
        Some("en") => Ok(Some(Lang::En)),
        Some(other) => Err(wrong("lang", other, "de or en")),
    }
}

fn read_common(pairs: &Pairs) -> Result<Sent, Problem> {
    let (active_on, certain) = when(pairs)?;
    Ok(Sent {
        filter: RelationshipFilter {
            types: pairs.codes::<RelationshipType>("type")?,
            roles: pairs.codes::<RelationshipRole>("role")?,
            kinds: pairs.codes::<Kind>("kind")?,
            publications: pairs.codes::<Publication>("publication")?,
            active_on,
            certain,
            ..RelationshipFilter::default()
        },
        limit: pairs.number("limit", 1, 200)?.unwrap_or(20),
        cursor: pairs.one("cursor").map(str::to_owned),
        text: pairs.without_cursor(),
        lang: lang(pairs)?,
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
            Parameter {
                name: "from",
                description: "Record at the `from` end: an id or `kind/slug`; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "actor/regionalmanagement-nordhessen",
                repeatable: true,
            },
            Parameter {
                name: "to",
                description: "Record at the `to` end: an id or `kind/slug`; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "project/klinikcluster-ruhr",
                repeatable: true,
            },
            ROLE,
            KIND,
            ACTIVE_ON,
            CERTAINTY,
            Parameter {
                name: "id",
                description: "Ids of relationships; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "0193e5a0-0000-7000-8000-000000000000",
                repeatable: true,
            },
            Parameter {
                name: "home_region",
                description: "Home region: an id or a slug; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "nordhessen",
                repeatable: true,
            },
            Parameter {
                name: "origin",
                description: "Origin of the records; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "nordhessen",
                repeatable: true,
            },
            Parameter {
                name: "external_id",
                description: "Key in the supplying system: `system|id`.",
                schema: r#"{"type": "string"}"#,
                example: "seed-pages|002/kcr-funded-by-eu",
                repeatable: true,
            },
            Parameter {
                name: "updated_since",
                description: "Changed at or after this moment (RFC 3339); for display, not for sync.",
                schema: r#"{"type": "string", "format": "date-time"}"#,
                example: "2026-01-31T08:00:00Z",
                repeatable: false,
            },
            Parameter {
                name: "confirmation",
                description: "Statement of an end; comma is OR. A relationship without any other statement is `claimed`. A `disputed` one is listed only on request, for those who may write an end.",
                schema: r#"{"type": "string"}"#,
                example: "confirmed",
                repeatable: true,
            },
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
        let named = |name| pairs.lists(name, "an id or kind/slug", text);
        let since = pairs.one("updated_since").map(|value| {
            chrono::DateTime::parse_from_rfc3339(value)
                .map_err(|_| wrong("updated_since", value, "an RFC 3339 date-time"))
        });
        let filter = &mut sent.filter;
        filter.confirmations = pairs.codes::<ConfirmationState>("confirmation")?;
        filter.updated_since = since.transpose()?.map(|at| at.to_utc());
        filter.ids = pairs.lists("id", "a UUID", |value| Uuid::try_parse(value).ok())?;
        filter.origins = pairs.lists("origin", "the name of a node", text)?;
        // Keys may contain commas, so they are never split.
        for value in pairs.all("external_id") {
            let (system, id) = value
                .split_once('|')
                .ok_or_else(|| wrong("external_id", value, "system|id"))?;
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
