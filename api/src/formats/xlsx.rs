//! XLSX: a workbook with a sheet for each kind, for editing and for imports.
//!
//! A workbook is no text that can be written in parts: records become lines with their cells, of
//! which [`Workbook`] makes the file.

use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::{Code, Problem};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::table::{self, Column, Content};
use domain::spreadsheet::label;
use domain::vocabularies;
use persistence::StoreError;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DocProperties, Format as Style, Formula,
    Workbook as Book, Worksheet, XlsxError,
};
use serde_json::{Map, json};
use std::fs::File;

#[derive(Debug)]
pub struct Xlsx;

impl Xlsx {
    pub const MEDIA_TYPE: &str =
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
}

/// Rows with the headings: their words, and the paths, which are hidden.
const HEADINGS: u32 = 2;

/// Characters of a cell.
const MAX_CELL: usize = 32_767;

/// Name of the document property with the state that an export read.
pub const POSITION: &str = "Verbund-Position";

/// Name of the sheet with the codes.
const CODES: &str = "codes";

impl Format for Xlsx {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "xlsx"
    }

    fn name(&self) -> &'static str {
        "XLSX"
    }

    fn about(&self) -> &'static str {
        "a workbook (XLSX) with a sheet for each kind"
    }

    fn is_workbook(&self) -> bool {
        true
    }

    fn context(&self, kind: Option<Kind>, shows: &dyn Fn(&str) -> bool) -> Context {
        crate::formats::Csv.context(kind, shows)
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        let record = super::csv::record_with_slugs(item)?;
        let kind = item.row.kind;
        let columns = columns_of(context, kind);
        let cells = table::row(&record, &columns);
        let names = super::csv::names_beside(&record, &columns, context, item);
        let line = json!([kind.code(), cells, names]);
        to.push_str(&line.to_string());
        to.push('\n');
        Ok(())
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        documented()
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        documented()
    }
}

fn documented() -> Documented {
    Documented {
        schema: json!({"type": "string", "format": "binary", "description": "A workbook: a sheet for each kind with its plural as name, headings in the language of the request, the paths of the columns in a hidden row, and a sheet with all codes. The document property `Verbund-Position` has the state that was read. It can be edited and imported again."}),
        example: json!("PK…"),
        components: Map::new(),
    }
}

/// The columns of a kind: those of the context, if it is for this kind.
fn columns_of(context: &Context, kind: Kind) -> Vec<Column> {
    if context.kind == Some(kind) {
        return context.columns.clone();
    }
    table::columns(kind).to_vec()
}

/// A workbook that is being written.
pub struct Workbook<'c> {
    book: Book,
    context: &'c Context,
    lang: Lang,
    sheet: Option<Sheet>,
}

struct Sheet {
    kind: Kind,
    columns: Vec<Column>,
    /// Index in the book.
    at: usize,
    row: u32,
}

impl<'c> Workbook<'c> {
    #[must_use]
    pub fn new(context: &'c Context, lang: Lang) -> Self {
        Self {
            book: Book::new(),
            context,
            lang,
            sheet: None,
        }
    }

    /// Adds a record, as [`Xlsx`] writes it.
    ///
    /// # Errors
    /// `too-much-for-a-workbook` for a text that no cell can hold.
    pub fn add(&mut self, line: &str) -> Result<(), Problem> {
        let unreadable =
            |why: serde_json::Error| Problem::from(StoreError::Corrupt(why.to_string()));
        let (kind, cells, names): (Kind, Vec<String>, Vec<(usize, String)>) =
            serde_json::from_str(line).map_err(unreadable)?;
        if self.sheet.as_ref().is_none_or(|sheet| sheet.kind != kind) {
            self.begin(kind).map_err(failed)?;
        }
        let Some(sheet) = &mut self.sheet else {
            return Ok(());
        };
        let row = sheet.row;
        sheet.row += 1;
        let name = cells.first().cloned().unwrap_or_default();
        let (columns, at) = (sheet.columns.clone(), sheet.at);
        let worksheet = self.book.worksheet_from_index(at).map_err(failed)?;
        let mut next = 0;
        for (index, (column, cell)) in columns.iter().zip(&cells).enumerate() {
            if cell.chars().count() > MAX_CELL {
                return Err(too_long(&name, column));
            }
            if !cell.is_empty() {
                write(worksheet, row, next, column, cell).map_err(failed)?;
            }
            next += 1;
            if self.context.labels && has_name_beside(column) {
                let beside = names.iter().find(|(of, _)| *of == index);
                if let Some((_, beside)) = beside {
                    worksheet.write_string(row, next, beside).map_err(failed)?;
                }
                next += 1;
            }
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind) -> Result<(), XlsxError> {
        self.end()?;
        let columns = columns_of(self.context, kind);
        let (lang, labels) = (self.lang, self.context.labels);
        let bold = Style::new()
            .set_bold()
            .set_text_wrap()
            .set_background_color(Color::RGB(0x00E8_EEF4));
        let text = Style::new().set_num_format("@");
        let worksheet = self.book.add_worksheet_with_constant_memory()?;
        worksheet.set_name(kind.plural())?;
        worksheet.set_freeze_panes(HEADINGS, 0)?;
        let mut next = 0;
        let mut headings = Vec::new();
        for column in &columns {
            headings.push((
                next,
                label(kind, column, lang).to_owned(),
                column.name.clone(),
            ));
            if is_kept_as_text(column) {
                worksheet.set_column_format(next, &text)?;
            }
            next += 1;
            if labels && has_name_beside(column) {
                let beside = if lang == Lang::De {
                    " (Name)"
                } else {
                    " (name)"
                };
                let heading = format!("{}{beside}", label(kind, column, lang));
                headings.push((next, heading, format!("{}{beside}", column.name)));
                next += 1;
            }
        }
        for (at, words, _) in &headings {
            worksheet.write_string_with_format(0, *at, words, &bold)?;
        }
        for (at, _, path) in &headings {
            worksheet.write_string(1, *at, path)?;
        }
        worksheet.set_row_hidden(1)?;
        let at = self.book.worksheets().len() - 1;
        self.sheet = Some(Sheet {
            kind,
            columns,
            at,
            row: HEADINGS,
        });
        Ok(())
    }

    /// Lists of codes for the cells of the sheet, and some rows below it.
    fn end(&mut self) -> Result<(), XlsxError> {
        let Some(sheet) = self.sheet.take() else {
            return Ok(());
        };
        let worksheet = self.book.worksheet_from_index(sheet.at)?;
        let mut next = 0;
        for column in &sheet.columns {
            if let (Content::Code(codes), false) = (column.content(), column.is_list())
                && let Some(area) = area_of(codes)
            {
                let list = DataValidation::new()
                    .allow_list_formula(Formula::new(area))
                    .set_error_style(DataValidationErrorStyle::Warning);
                worksheet.add_data_validation(HEADINGS, next, sheet.row + 1000, next, &list)?;
            }
            next += 1 + u16::from(self.context.labels && has_name_beside(column));
        }
        Ok(())
    }

    /// Writes the workbook; `position` is the state that was read.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(mut self, position: &str, kinds: &[Kind]) -> Result<File, Problem> {
        if self.book.worksheets().is_empty() {
            // An empty table still has its headings.
            let kind = kinds.first().copied().unwrap_or(Kind::Actor);
            self.begin(kind).map_err(failed)?;
        }
        self.end().map_err(failed)?;
        self.write_codes().map_err(failed)?;
        let properties = DocProperties::new().set_custom_property(POSITION, position);
        self.book.set_properties(&properties);
        let file = tempfile::tempfile().map_err(|why| Problem::of_file(&why))?;
        let copy = file.try_clone().map_err(|why| Problem::of_file(&why))?;
        self.book.save_to_writer(copy).map_err(failed)?;
        Ok(file)
    }

    fn write_codes(&mut self) -> Result<(), XlsxError> {
        let bold = Style::new().set_bold();
        let worksheet = self.book.add_worksheet();
        worksheet.set_name(CODES)?;
        for (vocabulary, column) in vocabularies::all().iter().zip((0..).step_by(2)) {
            worksheet.write_string_with_format(0, column, vocabulary.name, &bold)?;
            for (term, row) in vocabulary.items.iter().zip(1..) {
                worksheet.write_string(row, column, term.code)?;
                worksheet.write_string(row, column + 1, term.labels.get(self.lang))?;
            }
        }
        Ok(())
    }
}

/// The area of the sheet of codes with these.
fn area_of(codes: &[String]) -> Option<String> {
    let mut all = vocabularies::all().into_iter().zip((0..).step_by(2));
    let fits = |items: &[domain::base::vocabulary::Term]| {
        items
            .iter()
            .map(|term| term.code)
            .eq(codes.iter().map(String::as_str))
    };
    let (vocabulary, column) = all.find(|(vocabulary, _)| fits(&vocabulary.items))?;
    let letters = table::letters(column);
    Some(format!(
        "={CODES}!${letters}$2:${letters}${}",
        vocabulary.items.len() + 1
    ))
}

/// Whether a spreadsheet would make a number of it that means something else.
fn is_kept_as_text(column: &Column) -> bool {
    let numeric = matches!(
        column.content(),
        Content::Number | Content::WholeNumber | Content::Truth
    );
    !numeric || column.is_list()
}

pub(super) fn has_name_beside(column: &Column) -> bool {
    matches!(column.content(), Content::Reference(_) | Content::Record)
}

fn write(
    worksheet: &mut Worksheet,
    row: u32,
    at: u16,
    column: &Column,
    cell: &str,
) -> Result<(), XlsxError> {
    let number = cell.parse::<f64>().ok();
    match column.content() {
        Content::Number | Content::WholeNumber
            if !column.is_list() && number.is_some_and(|it| it.to_string() == cell) =>
        {
            worksheet.write_number(row, at, number.unwrap_or_default())?;
        }
        Content::Truth if !column.is_list() => {
            worksheet.write_boolean(row, at, cell == "true")?;
        }
        _ => {
            // A text of a workbook is no formula, so it needs no apostrophe.
            let bare = Some(table::unguarded(cell));
            let bare = bare.filter(|bare| !bare.starts_with('\'') && !column.is_list());
            worksheet.write_string(row, at, bare.unwrap_or(cell))?;
        }
    }
    Ok(())
}

fn too_long(record: &str, column: &Column) -> Problem {
    let (name, most) = (&column.name, MAX_CELL);
    Problem::new(Code::InvalidParameter).detail(
        format!("`{name}` of the record {record} is longer than a cell of a workbook, {most} characters; export it with format=csv or format=ndjson."),
        format!("`{name}` des Datensatzes {record} ist länger als eine Zelle einer Mappe, {most} Zeichen; exportieren Sie ihn mit format=csv oder format=ndjson."),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped")]
fn failed(why: XlsxError) -> Problem {
    tracing::error!(error = %why, "cannot write a workbook");
    Problem::new(Code::Internal)
}
