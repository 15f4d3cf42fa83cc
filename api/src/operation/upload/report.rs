//! How a table was read, for reports.

use super::row::TableRead;
use domain::base::fault::Lang;
use domain::base::vocabulary::Coded;
use domain::exchange::table::Reason;
use persistence::write::readings::Readings;
use serde::Serialize;
use utoipa::ToSchema;

/// How a table was read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableReading)]
pub(crate) struct TableView {
    /// Encoding of a table as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    /// Separator of a table as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    separator: Option<char>,
    /// Sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<String>,
    /// Number of the row with the headings.
    heading: u64,
    /// Numbers of rows that are neither heading nor record, such as a title.
    skipped: Vec<u64>,
    /// Columns of the table.
    columns: Vec<ColumnView>,
}

/// Column of a table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ColumnReading)]
struct ColumnView {
    /// Letter of the column.
    #[schema(example = "C")]
    column: String,
    /// Heading of the column.
    #[schema(example = "PLZ")]
    heading: String,
    /// Path of the member that its cells are; absent if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "places.postal_code")]
    member: Option<String>,
    /// Why it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Values of a table that were not taken as they were written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadValues)]
pub(crate) struct ValuesView {
    /// `read-as`, or `left-out`.
    code: &'static str,
    /// Path of the member.
    #[schema(example = "/contact/website")]
    pointer: String,
    /// Code of the reason.
    #[schema(example = "url")]
    reason: String,
    /// The reason in words.
    message: String,
    /// Number of values.
    count: u64,
    /// First ten of them.
    examples: Vec<ReadValue>,
}

/// Value of a table that was not taken as it was written.
#[derive(Debug, Serialize, ToSchema)]
struct ReadValue {
    /// Cell of the value.
    #[schema(example = "C17")]
    cell: String,
    /// Value as it was written.
    given: String,
    /// Value as it was taken; empty if it was left out.
    taken: String,
}

impl TableView {
    pub(crate) fn new(read: TableRead) -> Self {
        let columns = read.columns.into_iter().map(|column| ColumnView {
            column: column.letter,
            heading: column.heading,
            member: column.member,
            reason: column.reason.map(Reason::code),
        });
        Self {
            encoding: read.encoding,
            separator: read.separator,
            sheet: read.sheet,
            heading: read.heading,
            skipped: read.skipped,
            columns: columns.collect(),
        }
    }
}

impl ValuesView {
    pub(crate) fn all(readings: Readings, lang: Lang) -> Vec<Self> {
        let views = readings.all.into_iter().map(|(reading, read)| {
            let labels = Reason::parse(&reading.reason).map(Reason::labels);
            let examples = read.examples.into_iter();
            Self {
                code: reading.code.as_str(),
                pointer: reading.pointer,
                reason: reading.reason,
                message: labels.map_or(String::new(), |labels| labels.get(lang).to_owned()),
                count: read.count,
                examples: examples
                    .map(|[cell, given, taken]| ReadValue { cell, given, taken })
                    .collect(),
            }
        });
        views.collect()
    }
}
