//! What a list is narrowed to, as the index understands it.

use crate::read::relationships::AllOf;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::kinds::common::Publication;
use domain::value::edtf::EdtfDate;
use uuid::Uuid;

/// A condition that came from one parameter; any of its tests will do.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The parameter; a facet of this name ignores the condition.
    pub parameter: String,
    /// The tests.
    pub any: Vec<Test>,
}

/// Something that a record fulfils or not.
#[derive(Debug, Clone)]
pub enum Test {
    /// A member has a value: `name=value`, see [`domain::base::filter`].
    Is {
        /// The filter's name.
        name: &'static str,
        /// The value.
        value: String,
    },
    /// A member names this record, or one that is the same.
    Names {
        /// The filter's name.
        name: &'static str,
        /// The record.
        record: Uuid,
    },
    /// A member names this record, one that is the same, or one below.
    Below {
        /// The filter's name.
        name: &'static str,
        /// The record.
        record: Uuid,
    },
    /// It has its seat or its area of work in the region or below, or is a region there.
    Region(Uuid),
    /// It has a relationship.
    Related {
        /// The type as read from the record: `member_of`, `has_member`.
        code: &'static str,
        /// The role of the relationship.
        role: Option<&'static str>,
        /// The record at the other end.
        other: Uuid,
        /// Whether what lies below the other end counts too.
        below: bool,
    },
    /// It is this record.
    Id(Uuid),
    /// The supplying system and the key there.
    ExternalId(String),
    /// `scheme|value`, normalised.
    Identifier(String),
    /// It is funded by this programme.
    Programme(String),
    /// It was changed at or after this moment.
    UpdatedSince(DateTime<Utc>),
    /// It was going on then; `certain` if nothing less will do.
    ActiveOn(EdtfDate, bool),
    /// It begins in this span; `certain` if nothing less will do.
    Starts {
        /// On this day or later.
        from: Option<EdtfDate>,
        /// On this day or earlier.
        to: Option<EdtfDate>,
        /// Whether it must be certain.
        certain: bool,
    },
    /// So many attended at least.
    Attendance(f64),
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The kinds of records.
    pub kinds: Vec<Kind>,
    /// What was typed.
    pub text: Option<String>,
    /// Whether its words may be beginnings, from the first letter on.
    pub beginnings: bool,
    /// All of these.
    pub conditions: Vec<Condition>,
    /// How far they are on their way to the public; published when empty.
    pub publications: AllOf<Publication>,
    /// Where they have a point.
    pub areas: Vec<super::area::Area>,
}
