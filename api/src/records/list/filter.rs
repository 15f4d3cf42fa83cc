//! Filters of lists, parsed by topic: members, keys, relationships, dates, areas. References are
//! not resolved yet.

use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, wrong};
use crate::records::list::parameters;
use crate::records::list::parameters::{Listed, PART_OF_DIRECT, Related};
use domain::base::filter::Form;
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::value::edtf::EdtfDate;
use domain::value::identifier::Identifier;
use persistence::search::area::{Area, Spot};
use persistence::search::filter::{Condition, Filter, Test};
use serde_json::json;
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Names {
    pub parameter: &'static str,
    pub kinds: Vec<Kind>,
    pub values: Vec<(String, Naming)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Naming {
    Member(&'static str),
    /// A member contains it or something below it.
    MemberBelow(&'static str),
    /// Seat or area of work.
    Region,
    Related {
        /// The type as read from the records of the list.
        code: &'static str,
        role: Option<&'static str>,
        below: bool,
    },
}

impl Naming {
    pub(crate) fn test(self, record: Uuid) -> Test {
        match self {
            Self::Member(name) => Test::Names { name, record },
            Self::MemberBelow(name) => Test::Below { name, record },
            Self::Region => Test::Region(record),
            Self::Related { code, role, below } => Test::Related {
                code,
                role,
                other: record,
                below,
            },
        }
    }
}

/// The filter of a list; references are not resolved yet.
#[derive(Debug)]
pub(crate) struct Narrowing {
    /// The filter without references.
    pub(crate) filter: Filter,
    pub(crate) names: Vec<Names>,
    pub(crate) near: Option<Spot>,
}

impl Narrowing {
    pub(crate) fn read(listed: Listed, pairs: &Pairs) -> Result<Self, Problem> {
        let kinds = pairs.codes::<Kind>("kind")?;
        let mut filter = Filter {
            kinds: parameters::kinds(listed).to_vec(),
            text: text(pairs)?,
            publications: pairs.codes::<Publication>("publication")?,
            ..Filter::default()
        };
        for list in &kinds {
            if let Some(Kind::Relationship) = list.iter().find(|kind| **kind == Kind::Relationship)
            {
                return Err(wrong(
                    "kind",
                    "relationship",
                    "a described kind; relationships are listed at /v1/relationships",
                ));
            }
            let any = list.iter().map(|kind| Test::Is {
                name: "kind",
                value: kind.code().to_owned(),
            });
            push(&mut filter, "kind", any.collect());
        }
        let mut names = Vec::new();
        members(listed, pairs, &mut filter, &mut names)?;
        identities(pairs, &mut filter)?;
        relations(listed, pairs, &mut names)?;
        dates(pairs, &mut filter)?;
        let near = areas(pairs, &mut filter)?;
        Ok(Self {
            filter,
            names,
            near,
        })
    }
}

fn push(filter: &mut Filter, parameter: &str, any: Vec<Test>) {
    filter.conditions.push(Condition {
        parameter: parameter.to_owned(),
        any,
    });
}

fn text(pairs: &Pairs) -> Result<Option<String>, Problem> {
    let Some(text) = pairs.one("q") else {
        return Ok(None);
    };
    if text.chars().count() > 500 {
        return Err(wrong("q", text, "500 characters at most"));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.trim().is_empty()))
}

fn members(
    listed: Listed,
    pairs: &Pairs,
    filter: &mut Filter,
    names: &mut Vec<Names>,
) -> Result<(), Problem> {
    for one in parameters::filters(listed) {
        let name = one.name;
        match one.form {
            Form::Code(vocabulary) => {
                let codes: Vec<&str> = vocabulary().items.iter().map(|term| term.code).collect();
                for list in pairs.known(name, &codes)? {
                    push(
                        filter,
                        name,
                        list.into_iter()
                            .map(|value| Test::Is { name, value })
                            .collect(),
                    );
                }
            }
            Form::Flag => {
                for value in pairs.all(name) {
                    if value != "true" && value != "false" {
                        return Err(wrong(name, value, "true or false"));
                    }
                    push(
                        filter,
                        name,
                        vec![Test::Is {
                            name,
                            value: value.to_owned(),
                        }],
                    );
                }
            }
            Form::Text => {
                for list in pairs.lists(name, "a text", given)? {
                    push(
                        filter,
                        name,
                        list.into_iter()
                            .map(|value| Test::Is { name, value })
                            .collect(),
                    );
                }
            }
            Form::Record(kind) => named(pairs, name, &[kind], Naming::Member(name), names)?,
            Form::Tree(kind) => named(pairs, name, &[kind], Naming::MemberBelow(name), names)?,
        }
    }
    named(pairs, "region", &[Kind::Region], Naming::Region, names)
}

fn given(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn named(
    pairs: &Pairs,
    parameter: &'static str,
    kinds: &[Kind],
    naming: Naming,
    names: &mut Vec<Names>,
) -> Result<(), Problem> {
    for list in pairs.lists(parameter, "an id, a slug or kind/slug", given)? {
        let values = list.into_iter().map(|value| (value, naming)).collect();
        names.push(Names {
            parameter,
            kinds: kinds.to_vec(),
            values,
        });
    }
    Ok(())
}

fn identities(pairs: &Pairs, filter: &mut Filter) -> Result<(), Problem> {
    for list in pairs.lists("id", "a UUID", |value| Uuid::try_parse(value).ok())? {
        push(filter, "id", list.into_iter().map(Test::Id).collect());
    }
    for list in pairs.lists("origin", "the name of a node", given)? {
        let any = list.into_iter().map(|value| Test::Is {
            name: "origin",
            value,
        });
        push(filter, "origin", any.collect());
    }
    for value in pairs.all("identifier") {
        let parts = value
            .split_once('|')
            .filter(|(scheme, value)| !scheme.is_empty() && !value.is_empty());
        let parts = parts.map(|(scheme, value)| json!({"scheme": scheme, "value": value}));
        let identifier = parts.and_then(|parts| serde_json::from_value::<Identifier>(parts).ok());
        let identifier = identifier
            .ok_or_else(|| wrong("identifier", value, "scheme|value, such as ik|260326822"))?;
        let key = format!("{}|{}", identifier.scheme.as_str(), identifier.normalise());
        push(filter, "identifier", vec![Test::Identifier(key)]);
    }
    for value in pairs.all("external_id") {
        if !value.contains('|') {
            return Err(wrong("external_id", value, "system|id"));
        }
        push(
            filter,
            "external_id",
            vec![Test::ExternalId(value.to_owned())],
        );
    }
    for value in pairs.all("programme") {
        push(filter, "programme", vec![Test::Programme(value.to_owned())]);
    }
    if let Some(value) = pairs.one("updated_since") {
        let at = chrono::DateTime::parse_from_rfc3339(value)
            .map_err(|_| wrong("updated_since", value, "an RFC 3339 date-time"))?;
        push(
            filter,
            "updated_since",
            vec![Test::UpdatedSince(at.to_utc())],
        );
    }
    if let Some(least) = pairs.number("attendance_min", 0, 1_000_000_000)? {
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let least = least as f64;
        push(filter, "attendance_min", vec![Test::Attendance(least)]);
    }
    Ok(())
}

fn relations(listed: Listed, pairs: &Pairs, names: &mut Vec<Names>) -> Result<(), Problem> {
    let serves = Naming::Related {
        code: "serves",
        role: None,
        below: true,
    };
    let Some(kind) = listed else {
        return named(pairs, "serves", &[Kind::Region], serves, names);
    };
    let all = parameters::related(kind);
    for related in &all {
        relation(kind, related, pairs, names)?;
    }
    if !all.iter().any(|related| related.name() == "serves") {
        named(pairs, "serves", &[Kind::Region], serves, names)?;
    }
    let directly = Naming::Related {
        code: "part_of",
        role: None,
        below: false,
    };
    named(pairs, PART_OF_DIRECT, &[kind], directly, names)
}

fn relation(
    kind: Kind,
    related: &Related,
    pairs: &Pairs,
    names: &mut Vec<Names>,
) -> Result<(), Problem> {
    let parameter = related.name();
    for list in pairs.lists(parameter, "an id, a slug or kind/slug", given)? {
        let mut values = Vec::with_capacity(list.len());
        for value in list {
            let (record, role) = match value.split_once(':') {
                Some((record, role)) => (
                    record.to_owned(),
                    Some(role_of(related, parameter, &value, role)?),
                ),
                None => (value, None),
            };
            let naming = Naming::Related {
                code: parameter,
                role,
                below: related.below(),
            };
            values.push((record, naming));
        }
        names.push(Names {
            parameter,
            kinds: related.kinds(kind),
            values,
        });
    }
    Ok(())
}

fn role_of(
    related: &Related,
    parameter: &str,
    value: &str,
    role: &str,
) -> Result<&'static str, Problem> {
    let roles: Vec<&'static str> = related.rule.roles.iter().map(|role| role.code()).collect();
    let known = roles.iter().find(|known| **known == role).copied();
    known.ok_or_else(|| {
        let expected = if roles.is_empty() {
            "a record; this type of relationship has no roles".to_owned()
        } else {
            let close = nearest(role, roles.iter().copied());
            let close = close.map_or(String::new(), |close| format!(" (did you mean {close}?)"));
            format!(
                "a record, or record:role with a role of {}{close}",
                roles.join(", ")
            )
        };
        wrong(parameter, value, &expected)
    })
}

fn dates(pairs: &Pairs, filter: &mut Filter) -> Result<(), Problem> {
    let date = |name: &'static str| {
        let parse = |text: &str| {
            text.parse::<EdtfDate>().map_err(|_| {
                wrong(
                    name,
                    text,
                    "an EDTF date such as 2010, 2010-05 or 2010-05-01",
                )
            })
        };
        pairs.one(name).map(parse).transpose()
    };
    let certain = match pairs.one("certainty") {
        None | Some("possible") => false,
        Some("certain") => true,
        Some(other) => return Err(wrong("certainty", other, "certain or possible")),
    };
    if let Some(when) = date("active_on")? {
        push(filter, "active_on", vec![Test::ActiveOn(when, certain)]);
    }
    let (from, to) = (date("start_from")?, date("start_to")?);
    if from.is_some() || to.is_some() {
        push(filter, "start", vec![Test::Starts { from, to, certain }]);
    }
    Ok(())
}

fn numbers<const N: usize>(text: &str, bounds: [f64; N]) -> Option<[f64; N]> {
    let mut numbers = [0.0; N];
    let mut parts = text.split(',');
    for (number, bound) in numbers.iter_mut().zip(bounds) {
        *number = parts
            .next()?
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.abs() <= bound)?;
    }
    parts.next().is_none().then_some(numbers)
}

fn areas(pairs: &Pairs, filter: &mut Filter) -> Result<Option<Spot>, Problem> {
    if let Some(text) = pairs.one("bbox") {
        let bounds =
            numbers(text, [180.0, 90.0, 180.0, 90.0]).filter(|[_, south, _, north]| south <= north);
        let [west, south, east, north] = bounds.ok_or_else(|| {
            wrong(
                "bbox",
                text,
                "minLon,minLat,maxLon,maxLat in degrees, such as 9.0,51.0,10.0,51.7",
            )
        })?;
        filter.areas.push(Area::Box {
            west,
            south,
            east,
            north,
        });
    }
    let middle = pairs.one("near").map(|text| {
        let numbers = numbers(text, [90.0, 180.0]);
        numbers.ok_or_else(|| wrong("near", text, "lat,lon in degrees, such as 51.31,9.48"))
    });
    let middle = middle.transpose()?.map(|[lat, lon]| Spot { lat, lon });
    match (pairs.one("radius"), middle) {
        (None, _) => {}
        (Some(text), None) => return Err(wrong("radius", text, "given together with `near`")),
        (Some(text), Some(middle)) => {
            let radius = metres(text).ok_or_else(|| {
                wrong(
                    "radius",
                    text,
                    "a distance such as 500m or 25km, up to 20000km",
                )
            })?;
            filter.areas.push(Area::Circle { middle, radius });
        }
    }
    Ok(middle)
}

fn metres(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix("km") {
        Some(number) => (number, 1000.0),
        None => (text.strip_suffix('m')?, 1.0),
    };
    let plain = number
        .chars()
        .all(|char| char.is_ascii_digit() || char == '.');
    let metres = number.parse::<f64>().ok().filter(|_| plain)? * unit;
    (metres > 0.0 && metres <= 20_000_000.0).then_some(metres)
}
