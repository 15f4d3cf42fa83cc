//! Which statements shape the trees.
//!
//! Filters and facets of every reader depend on the trees, so a statement must not place the
//! records of others: what is part of something is said by those who are responsible for the part, and
//! accepted by those responsible for the whole; two records are the same if both say so. The
//! reference data accepts every part, and is the same only as the admin of the whole node says.

use crate::error::Result;
use crate::store::REFERENCE_ORIGIN;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use domain::value::edtf::Bounds;
use sea_orm::QueryResult;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A public relationship that says that `from` is part of `to`, or the same.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) relationship: Uuid,
    r#type: RelationshipType,
    origin: String,
    home_region: Option<Uuid>,
    pub(super) ends: [End; 2],
    /// When it holds; whenever for records that are the same.
    bounds: Bounds,
    /// Only the admin of the whole node writes such relationships: those of regions.
    by_admin: bool,
}

/// A record at an end of a statement.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) id: Uuid,
    origin: String,
    home_region: Option<Uuid>,
    /// Whether those responsible for it have confirmed the statement.
    confirmed: bool,
}

/// What is stated of two records, and which of them say so.
#[derive(Debug)]
struct Pair {
    ends: [End; 2],
    stated: [bool; 2],
    relationships: Vec<Uuid>,
    bounds: Vec<Bounds>,
}

#[derive(Debug, Default)]
pub(super) struct Statements {
    pairs: BTreeMap<(&'static str, Uuid, Uuid), Pair>,
}

pub(super) fn read_statement(row: &QueryResult) -> Result<Statement> {
    let r#type: String = row.try_get_by_index(0)?;
    let end = |at: usize| -> Result<End> {
        Ok(End {
            id: row.try_get_by_index(at)?,
            origin: row.try_get_by_index(at + 1)?,
            home_region: row.try_get_by_index(at + 2)?,
            confirmed: row.try_get_by_index::<Option<Uuid>>(at + 3)?.is_some(),
        })
    };
    let kind: String = row.try_get_by_index(12)?;
    let same = r#type == RelationshipType::SameAs.code();
    let bounds = Bounds {
        from_earliest: row.try_get_by_index(13)?,
        from_latest: row.try_get_by_index(14)?,
        to_earliest: row.try_get_by_index(15)?,
        to_latest: row.try_get_by_index(16)?,
    };
    Ok(Statement {
        r#type: if same {
            RelationshipType::SameAs
        } else {
            RelationshipType::PartOf
        },
        bounds: if same { Bounds::default() } else { bounds },
        relationship: row.try_get_by_index(1)?,
        origin: row.try_get_by_index(2)?,
        home_region: row.try_get_by_index(3)?,
        ends: [end(4)?, end(8)?],
        by_admin: kind == Kind::Region.code(),
    })
}

impl Statement {
    /// Whether those responsible for an end make this statement; `own` is the origin of this node.
    fn is_made_by(&self, end: &End, own: &str) -> bool {
        if end.confirmed {
            return true;
        }
        // What belongs to no region is written by the admin of the whole node too.
        let by_admin = self.origin == own && (self.by_admin || end.home_region.is_none());
        if self.origin != end.origin {
            return by_admin && end.origin == REFERENCE_ORIGIN;
        }
        self.origin != own || by_admin || self.home_region == end.home_region
    }
}

impl Statements {
    pub(super) fn add(&mut self, statement: Statement, own: &str) {
        let mut stated = [false; 2];
        for (stated, end) in stated.iter_mut().zip(&statement.ends) {
            *stated = statement.is_made_by(end, own);
        }
        let mut ends = statement.ends;
        if statement.r#type == RelationshipType::SameAs && ends[1].id < ends[0].id {
            ends.reverse();
            stated.reverse();
        }
        let key = (statement.r#type.code(), ends[0].id, ends[1].id);
        let pair = self.pairs.entry(key).or_insert(Pair {
            ends,
            stated: [false; 2],
            relationships: Vec::new(),
            bounds: Vec::new(),
        });
        if !pair.bounds.contains(&statement.bounds) {
            pair.bounds.push(statement.bounds);
        }
        pair.relationships.push(statement.relationship);
        for (known, new) in pair.stated.iter_mut().zip(stated) {
            *known |= new;
        }
    }

    /// The statements that shape the trees: what, from where, to where, and when.
    pub(super) fn effective(&self) -> impl Iterator<Item = (&'static str, [Uuid; 2], Bounds)> {
        self.pairs.iter().flat_map(|((r#type, _, _), pair)| {
            let effect = pair.effect(r#type).into_iter();
            effect.flat_map(|(what, from, to)| {
                let bounds = pair.bounds.iter();
                bounds.map(move |bounds| (what, [from, to], *bounds))
            })
        })
    }

    /// The relationships that state what has no effect, or another one.
    pub(super) fn without_effect(&self) -> impl Iterator<Item = Uuid> {
        let pairs = self.pairs.iter().filter(|((r#type, _, _), pair)| {
            let effect = pair.effect(r#type);
            effect.is_none_or(|(effect, _, _)| effect != *r#type)
        });
        pairs.flat_map(|(_, pair)| pair.relationships.iter().copied())
    }
}

impl Pair {
    fn effect(&self, r#type: &str) -> Option<(&'static str, Uuid, Uuid)> {
        let same = RelationshipType::SameAs.code();
        let part = RelationshipType::PartOf.code();
        let [from, to] = &self.ends;
        let [by_from, by_to] = self.stated;
        let reference = |end: &End| end.origin == REFERENCE_ORIGIN;
        if r#type == part {
            let accepted = by_to || reference(to) || to.origin == from.origin;
            return (by_from && accepted).then_some((part, from.id, to.id));
        }
        match (by_from, by_to) {
            (true, true) => Some((same, from.id, to.id)),
            // The same as something of the reference data is at least part of it.
            (true, false) if reference(to) => Some((part, from.id, to.id)),
            (false, true) if reference(from) => Some((part, to.id, from.id)),
            (true | false, false) | (false, true) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "hier";

    fn end(id: u128, origin: &str, home: u128) -> End {
        End {
            id: Uuid::from_u128(id),
            origin: origin.to_owned(),
            home_region: (home > 0).then(|| Uuid::from_u128(home)),
            confirmed: false,
        }
    }

    fn confirmed(end: End) -> End {
        End {
            confirmed: true,
            ..end
        }
    }

    fn effective(
        r#type: RelationshipType,
        by: (&str, u128),
        ends: [End; 2],
        by_admin: bool,
    ) -> Vec<(&'static str, u128, u128)> {
        all([statement(r#type, by, ends, by_admin)])
    }

    fn all<const N: usize>(all: [Statement; N]) -> Vec<(&'static str, u128, u128)> {
        let mut statements = Statements::default();
        for one in all {
            statements.add(one, OWN);
        }
        let found = statements.effective();
        found
            .map(|(what, [from, to], _)| (what, from.as_u128(), to.as_u128()))
            .collect()
    }

    fn statement(
        r#type: RelationshipType,
        (origin, home): (&str, u128),
        ends: [End; 2],
        by_admin: bool,
    ) -> Statement {
        Statement {
            relationship: Uuid::nil(),
            r#type,
            origin: origin.to_owned(),
            home_region: Some(Uuid::from_u128(home)),
            ends,
            bounds: Bounds::default(),
            by_admin,
        }
    }

    #[test]
    fn a_part_is_stated_by_those_who_are_responsible_for_it() {
        let part =
            |by, from, to| !effective(RelationshipType::PartOf, by, [from, to], false).is_empty();
        let (a, b) = (10, 20);
        assert!(part((OWN, a), end(1, OWN, a), end(2, OWN, a)));
        assert!(part((OWN, a), end(1, OWN, a), end(2, OWN, b)));
        // The approver of the whole cannot place what is another's.
        assert!(!part((OWN, b), end(1, OWN, a), end(2, OWN, b)));
        assert!(part((OWN, b), confirmed(end(1, OWN, a)), end(2, OWN, b)));
        for origin in ["fern", "nah"] {
            let whole = || end(2, origin, b);
            assert_eq!(
                part(("fern", b), end(1, "fern", b), whole()),
                origin == "fern"
            );
            assert!(part(("fern", b), end(1, "fern", b), confirmed(whole())));
        }
        assert!(part(
            ("fern", b),
            end(1, "fern", b),
            end(2, REFERENCE_ORIGIN, 0)
        ));
        assert!(!part(("fern", b), end(1, "fern", b), end(2, OWN, a)));
        assert!(!part(("fern", b), end(1, OWN, a), end(2, "fern", b)));
        assert!(!part(("fern", b), end(1, OWN, a), end(2, OWN, a)));
        assert!(part(
            (REFERENCE_ORIGIN, 0),
            end(1, REFERENCE_ORIGIN, 1),
            end(2, REFERENCE_ORIGIN, 2)
        ));
        // Each node states its half.
        let ends = || [end(1, OWN, a), end(2, "fern", b)];
        let halves = [(OWN, a), ("fern", b)]
            .map(|by| statement(RelationshipType::PartOf, by, ends(), false));
        assert_eq!(all(halves), [("part_of", 1, 2)]);
    }

    #[test]
    fn the_same_is_stated_by_both_or_by_the_admin() {
        let same = |by, from, to, admin| effective(RelationshipType::SameAs, by, [from, to], admin);
        let (a, b) = (10, 20);
        let is = vec![("same_as", 1, 2)];
        assert_eq!(same((OWN, a), end(1, OWN, a), end(2, OWN, a), false), is);
        assert_eq!(same((OWN, a), end(1, OWN, a), end(2, OWN, b), false), []);
        assert_eq!(
            same((OWN, a), end(1, OWN, a), confirmed(end(2, OWN, b)), false),
            is
        );
        assert_eq!(same((OWN, a), end(1, OWN, a), end(2, OWN, b), true), is);
        assert_eq!(
            same(("fern", b), end(1, "fern", b), end(2, OWN, a), true),
            []
        );
        assert_eq!(
            same(
                ("fern", b),
                end(1, "fern", b),
                confirmed(end(2, OWN, a)),
                true
            ),
            is
        );
        let reference = || end(2, REFERENCE_ORIGIN, 0);
        assert_eq!(same((OWN, a), end(1, OWN, a), reference(), true), is);
        // A partner's region is part of what it calls the same; two of these do not become one.
        assert_eq!(
            same(("fern", b), end(3, "fern", b), reference(), true),
            [("part_of", 3, 2)]
        );
        let ends = || [end(2, "fern", b), end(1, OWN, a)];
        let halves = [("fern", b), (OWN, a)]
            .map(|by| statement(RelationshipType::SameAs, by, ends(), false));
        assert_eq!(all(halves), is);
    }
}
