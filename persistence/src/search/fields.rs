//! The schema of the index.

use super::text::TextFields;
use tantivy::schema::{FAST, Field, INDEXED, STRING, Schema};

/// The names of the sort columns: texts that end in the id.
pub(super) const BY_NAME: &str = "by_name";
pub(super) const BY_UPDATED: &str = "by_updated";
/// By when it changed here: a copy, when it arrived.
pub(super) const BY_CHANGED_HERE: &str = "by_changed_here";
/// By begin, otherwise posting date; records without either last.
pub(super) const BY_START: &str = "by_start";
/// The same for the latest first.
pub(super) const BY_START_DESC: &str = "by_start_desc";
/// By end; records without one last.
pub(super) const BY_END: &str = "by_end";
pub(super) const BY_END_DESC: &str = "by_end_desc";
/// By kind and number of relationships; for suggestions.
pub(super) const BY_USE: &str = "by_use";
pub(super) const ID: &str = "id";
/// `name=value` of everything that is counted.
pub(super) const FACET: &str = "facet";
/// Latitudes of a record's points, in the order of the longitudes.
pub(super) const LAT: &str = "lat";
pub(super) const LON: &str = "lon";

#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) id: Field,
    /// `name=value` of everything that is only filtered by.
    pub(super) token: Field,
    /// `name=value` of everything that is also counted.
    pub(super) facet: Field,
    /// `type|other` and `type|role|other` of public relationships, with their days: see
    /// [`super::edge_terms`].
    pub(super) edge: Field,
    /// The same of those that only editors see, after the regions required to see them.
    pub(super) editorial: Field,
    /// What likely duplicates share; see [`domain::matching::score::Candidate::keys`].
    pub(super) match_key: Field,
    pub(super) by_name: Field,
    pub(super) by_updated: Field,
    pub(super) by_changed_here: Field,
    pub(super) by_start: Field,
    pub(super) by_start_desc: Field,
    pub(super) by_end: Field,
    pub(super) by_end_desc: Field,
    pub(super) by_use: Field,
    /// Microseconds since 1970.
    pub(super) updated: Field,
    /// See [`domain::value::edtf::Bounds`]; days since the common era.
    pub(super) from_earliest: Field,
    pub(super) from_latest: Field,
    pub(super) to_earliest: Field,
    pub(super) to_latest: Field,
    /// First and last possible day of the begin: see [`domain::kinds::dates::Span`].
    pub(super) start_first: Field,
    pub(super) start_last: Field,
    /// The same if it is not in doubt.
    pub(super) start_surely_first: Field,
    pub(super) start_surely_last: Field,
    /// The same of the end.
    pub(super) end_first: Field,
    pub(super) end_last: Field,
    pub(super) end_surely_first: Field,
    pub(super) end_surely_last: Field,
    pub(super) attendance: Field,
    pub(super) lat: Field,
    pub(super) lon: Field,
    pub(super) text: TextFields,
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let mut number = |name: &str| builder.add_i64_field(name, FAST);
    let [updated, from_earliest, from_latest, to_earliest, to_latest] = [
        "updated",
        "from_earliest",
        "from_latest",
        "to_earliest",
        "to_latest",
    ]
    .map(&mut number);
    let [
        start_first,
        start_last,
        start_surely_first,
        start_surely_last,
    ] = [
        "start_first",
        "start_last",
        "start_surely_first",
        "start_surely_last",
    ]
    .map(&mut number);
    let [end_first, end_last, end_surely_first, end_surely_last] = [
        "end_first",
        "end_last",
        "end_surely_first",
        "end_surely_last",
    ]
    .map(&mut number);
    let fields = Fields {
        id: builder.add_text_field(ID, STRING | FAST),
        token: builder.add_text_field("token", STRING),
        facet: builder.add_text_field(FACET, STRING | FAST),
        edge: builder.add_text_field("edge", STRING),
        editorial: builder.add_text_field("editorial", STRING),
        match_key: builder.add_u64_field("match_key", INDEXED),
        by_name: builder.add_text_field(BY_NAME, FAST),
        by_updated: builder.add_text_field(BY_UPDATED, FAST),
        by_changed_here: builder.add_text_field(BY_CHANGED_HERE, FAST),
        by_start: builder.add_text_field(BY_START, FAST),
        by_start_desc: builder.add_text_field(BY_START_DESC, FAST),
        by_end: builder.add_text_field(BY_END, FAST),
        by_end_desc: builder.add_text_field(BY_END_DESC, FAST),
        by_use: builder.add_text_field(BY_USE, FAST),
        updated,
        from_earliest,
        from_latest,
        to_earliest,
        to_latest,
        start_first,
        start_last,
        start_surely_first,
        start_surely_last,
        end_first,
        end_last,
        end_surely_first,
        end_surely_last,
        attendance: builder.add_f64_field("attendance", FAST),
        lat: builder.add_f64_field(LAT, FAST),
        lon: builder.add_f64_field(LON, FAST),
        text: TextFields::add_to(&mut builder),
    };
    (builder.build(), fields)
}
