//! Filters of lists, parsed by topic: members, keys, relationships, dates, areas. References are
//! not resolved yet.

use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, wrong};
use crate::operation::param;
use crate::records::list::parameters;
use crate::records::list::parameters::{Listed, PART_OF_DIRECT, Related};
use crate::records::relationships::query::{UPDATED_SINCE, certain, date, on};
use domain::base::filter::Form;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::value::identifier::Identifier;
use persistence::search::area::{Area, Spot};
use persistence::search::filter::{Bound, Condition, Filter, Test};
use serde_json::json;
use uuid::Uuid;

/// Requirement of parameters that need `q`, in English and German.
pub(crate) const WITH_Q: (&str, &str) = ("given together with `q`", "nur zusammen mit `q`");

/// Requirement of parameters that need `near`.
pub(crate) const WITH_NEAR: (&str, &str) =
    ("given together with `near`", "nur zusammen mit `near`");

const A_RECORD: (&str, &str) = (
    "an id, a slug or kind/slug",
    "eine ID, ein Slug oder kind/slug",
);

/// A parameter whose values are references, combined by OR.
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
        let mut filter = Filter {
            kinds: parameters::kinds(listed).to_vec(),
            text: text(pairs),
            publications: pairs.codes::<Publication>("publication"),
            relationships_on: on(pairs)?,
            ..Filter::default()
        };
        for list in pairs.codes::<Kind>("kind") {
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

fn text(pairs: &Pairs) -> Option<String> {
    let text = pairs.one("q").filter(|text| !text.trim().is_empty());
    text.map(str::to_owned)
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
                for list in pairs.words(name) {
                    // An export accepts the filters of several kinds, whose codes may differ.
                    for word in &list {
                        param::one_of(name, word, &codes)?;
                    }
                    let any = list.into_iter().map(|value| Test::Is {
                        name,
                        value: value.to_owned(),
                    });
                    push(filter, name, any.collect());
                }
            }
            Form::Flag => {
                for value in pairs.all(name) {
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
                for list in pairs.lists(name, ("a text", "ein Text"), given)? {
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
    for list in pairs.lists(parameter, A_RECORD, given)? {
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
    for list in pairs.lists("id", ("a UUID", "eine UUID"), |value| {
        Uuid::try_parse(value).ok()
    })? {
        push(filter, "id", list.into_iter().map(Test::Id).collect());
    }
    for list in pairs.lists(
        "origin",
        ("the name of a node", "der Name eines Knotens"),
        given,
    )? {
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
        let identifier = identifier.ok_or_else(|| {
            let expected = (
                "scheme|value, such as ik|260326822",
                "scheme|value, etwa ik|260326822",
            );
            wrong("identifier", value, expected)
        })?;
        let key = format!("{}|{}", identifier.scheme.as_str(), identifier.normalise());
        push(filter, "identifier", vec![Test::Identifier(key)]);
    }
    for value in pairs.all("external_id") {
        if !value.contains('|') {
            return Err(wrong("external_id", value, ("system|id", "system|id")));
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
    if let Some(at) = pairs.moment(&UPDATED_SINCE) {
        push(filter, UPDATED_SINCE.name, vec![Test::UpdatedSince(at)]);
    }
    if let Some(least) = pairs.given(&parameters::ATTENDANCE_MIN) {
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
    for list in pairs.lists(parameter, A_RECORD, given)? {
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
            (
                "a record; this type of relationship has no roles".to_owned(),
                "ein Datensatz; diese Art von Beziehung hat keine Rollen".to_owned(),
            )
        } else {
            let (close, close_de) = param::meant(role, &roles);
            let all = roles.join(", ");
            (
                format!("a record, or record:role with a role of {all}{close}"),
                format!("ein Datensatz, oder Datensatz:Rolle mit einer der Rollen {all}{close_de}"),
            )
        };
        wrong(parameter, value, expected)
    })
}

fn dates(pairs: &Pairs, filter: &mut Filter) -> Result<(), Problem> {
    let certain = certain(pairs);
    if let Some(when) = date(pairs, "active_on")? {
        push(filter, "active_on", vec![Test::ActiveOn(when, certain)]);
    }
    for (name, bound) in [
        ("start", Bound::Begin),
        ("founded", Bound::Begin),
        ("end", Bound::End),
        ("dissolved", Bound::End),
    ] {
        let date = |side| date(pairs, &format!("{name}_{side}"));
        let (from, to) = (date("from")?, date("to")?);
        if from.is_some() || to.is_some() {
            let within = Test::Within {
                bound,
                from,
                to,
                certain,
            };
            push(filter, name, vec![within]);
        }
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
                (
                    "minLon,minLat,maxLon,maxLat in degrees, such as 9.0,51.0,10.0,51.7",
                    "minLon,minLat,maxLon,maxLat in Grad, etwa 9.0,51.0,10.0,51.7",
                ),
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
        let expected = (
            "lat,lon in degrees, such as 51.31,9.48",
            "lat,lon in Grad, etwa 51.31,9.48",
        );
        numbers.ok_or_else(|| wrong("near", text, expected))
    });
    let middle = middle.transpose()?.map(|[lat, lon]| Spot { lat, lon });
    match (pairs.one("radius"), middle) {
        (None, _) => {}
        (Some(text), None) => return Err(wrong("radius", text, WITH_NEAR)),
        (Some(text), Some(middle)) => {
            let radius = metres(text).ok_or_else(|| {
                wrong(
                    "radius",
                    text,
                    (
                        "a distance such as 500m or 25km, up to 20000km",
                        "eine Entfernung wie 500m oder 25km, bis 20000km",
                    ),
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
