//! The tables, as sea-orm entities; [`crate::migrations`] creates them. They are known to this crate
//! only: others see plain types, which [`stored`] reads and writes.

#![expect(
    unreachable_pub,
    reason = "what sea-orm derives is public, and private with this module"
)]

pub mod account;
pub mod account_grant;
pub mod application;
pub mod change;
pub mod confirmation;
pub mod contact_person;
pub mod duplicate_pair;
pub mod edge;
pub mod edge_role;
pub mod geometry;
pub mod hidden;
pub mod idempotency_record;
pub mod identifier;
pub mod log_consumer;
pub mod merged;
pub mod node;
pub mod partner;
pub mod partner_seen;
pub mod quarantine;
pub mod record;
pub mod redirect;
pub mod reference;
pub mod signing_key;
pub mod source_columns;
pub mod source_key;
pub mod tombstone;
pub mod webhook;
pub mod webhook_delivery;

use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::DbErr;
use uuid::Uuid;

/// Reads and writes a plain type as rows of a table: `same` fields as their columns store them,
/// `code` fields of a vocabulary by their codes, `kinds` and `ids` as lists.
macro_rules! stored {
    ($plain:ident in $table:ident {
        same: $($same:ident),+;
        $(code: $($code:ident),+;)?
        $(optional_code: $($optional:ident),+;)?
        $(kinds: $kinds:ident; ids: $ids:ident;)?
    }) => {
        impl TryFrom<$table::Model> for $plain {
            type Error = sea_orm::DbErr;

            fn try_from(row: $table::Model) -> std::result::Result<Self, sea_orm::DbErr> {
                Ok(Self {
                    $($($code: $crate::entity::parse_code(&row.$code)?,)+)?
                    $($($optional: row.$optional.as_deref().map($crate::entity::parse_code).transpose()?,)+)?
                    $($kinds: $crate::entity::parse_kinds(&row.$kinds), $ids: $crate::entity::parse_ids(&row.$ids),)?
                    $($same: row.$same,)+
                })
            }
        }

        impl sea_orm::FromQueryResult for $plain {
            fn from_query_result(row: &sea_orm::QueryResult, prefix: &str) -> std::result::Result<Self, sea_orm::DbErr> {
                let row = <$table::Model as sea_orm::FromQueryResult>::from_query_result(row, prefix)?;
                row.try_into()
            }
        }

        impl sea_orm::IntoActiveModel<$table::ActiveModel> for $plain {
            fn into_active_model(self) -> $table::ActiveModel {
                use sea_orm::ActiveValue::Unchanged;
                $table::ActiveModel {
                    $($($code: Unchanged($crate::entity::code(self.$code)),)+)?
                    $($($optional: Unchanged(self.$optional.map($crate::entity::code)),)+)?
                    $($kinds: Unchanged($crate::entity::write_kinds(&self.$kinds)), $ids: Unchanged($crate::entity::write_ids(&self.$ids)),)?
                    $($same: Unchanged(self.$same),)+
                }
            }
        }
    };
}
pub(crate) use stored;

pub(crate) fn parse_code<T: Coded>(text: &str) -> Result<T, DbErr> {
    T::parse(text).ok_or_else(|| DbErr::Type(format!("{} {text}", T::NAME)))
}

pub(crate) fn code(term: impl Coded) -> String {
    term.code().to_owned()
}

pub(crate) fn parse_kinds(text: &str) -> Vec<Kind> {
    text.split(',').filter_map(Kind::parse).collect()
}

pub(crate) fn write_kinds(kinds: &[Kind]) -> String {
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
    codes.join(",")
}

pub(crate) fn parse_ids(text: &str) -> Vec<Uuid> {
    let ids = text.split(',').filter_map(|id| Uuid::try_parse(id).ok());
    ids.collect()
}

pub(crate) fn write_ids(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    ids.join(",")
}
