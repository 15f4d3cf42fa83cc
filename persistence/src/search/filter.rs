use crate::read::relationships::AllOf;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::kinds::common::Publication;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::value::edtf::EdtfDate;
use uuid::Uuid;

/// A condition from one parameter: any of its tests must match.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The parameter; a facet of this name ignores the condition.
    pub parameter: String,
    pub any: Vec<Test>,
}

/// Length of a key from which on a condition is too special to be kept.
const MAX_KEY: usize = 400;

impl Condition {
    /// A text that is the same only for conditions that the same documents meet, with these trees
    /// and the relationships of this day; `None` for conditions that are rarely asked for again.
    pub(super) fn key(&self, trees: u64, on: RelationshipsOn) -> Option<String> {
        let common = |test: &Test| match test {
            Test::Is { .. }
            | Test::Names { .. }
            | Test::Below { .. }
            | Test::Region(_)
            | Test::Related { .. } => true,
            Test::Id(_)
            | Test::ExternalId(_)
            | Test::Identifier(_)
            | Test::Programme(_)
            | Test::UpdatedSince(_)
            | Test::ActiveOn(..)
            | Test::Within { .. }
            | Test::Attendance(_) => false,
        };
        let key = self
            .any
            .iter()
            .all(common)
            .then(|| format!("{trees} {on:?} {:?}", self.any));
        key.filter(|key| key.len() <= MAX_KEY)
    }
}

/// A bound of a [`domain::kinds::dates::Span`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    Begin,
    End,
}

#[derive(Debug, Clone)]
pub enum Test {
    /// A member has a value: `name=value`, see [`domain::base::filter`].
    Is {
        name: &'static str,
        value: String,
    },
    /// A member references this record, or one equal to it.
    Names {
        name: &'static str,
        record: Uuid,
    },
    /// A member references this record, one equal to it, or one below.
    Below {
        name: &'static str,
        record: Uuid,
    },
    /// It has its seat or its area of work in the region or below, or is a region there.
    Region(Uuid),
    Related {
        /// The type as read from the record: `member_of`, `has_member`.
        code: &'static str,
        role: Option<&'static str>,
        other: Uuid,
        below: bool,
    },
    Id(Uuid),
    /// The supplying system and the key there.
    ExternalId(String),
    /// `scheme|value`, normalised.
    Identifier(String),
    Programme(String),
    UpdatedSince(DateTime<Utc>),
    /// Its period covers this date; `certain` restricts it to certain matches.
    ActiveOn(EdtfDate, bool),
    /// It begins, or ends, in this span; `certain` restricts it to certain matches.
    Within {
        bound: Bound,
        from: Option<EdtfDate>,
        to: Option<EdtfDate>,
        certain: bool,
    },
    Attendance(f64),
}

#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub kinds: Vec<Kind>,
    pub text: Option<String>,
    /// Whether its words may be beginnings, from the first letter on.
    pub beginnings: bool,
    pub conditions: Vec<Condition>,
    /// The relationships that count; those of today if absent.
    pub relationships_on: Option<RelationshipsOn>,
    /// Publication states; published if empty.
    pub publications: AllOf<Publication>,
    pub areas: Vec<super::area::Area>,
}
