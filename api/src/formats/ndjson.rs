//! NDJSON: a record per line, as for imports.

use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::Problem;
use serde_json::Map;

#[derive(Debug)]
pub struct NdJson;

impl NdJson {
    pub const MEDIA_TYPE: &str = "application/x-ndjson";
}

impl Format for NdJson {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "ndjson"
    }

    fn name(&self) -> &'static str {
        "NDJSON"
    }

    fn about(&self) -> &'static str {
        "NDJSON: a record per line"
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn item(&self, item: &Item<'_>, _: &Context, to: &mut String) -> Result<(), Problem> {
        super::json::write_record(item, item.more, to);
        to.push('\n');
        Ok(())
    }

    fn document_record(&self, of: &RecordSchema) -> Documented {
        Documented {
            schema: of.schema.clone(),
            example: of.example.clone(),
            components: Map::new(),
        }
    }

    fn document_list(&self, of: &ListSchema) -> Documented {
        Documented {
            schema: of.item(),
            example: of.example.clone(),
            components: Map::new(),
        }
    }
}
