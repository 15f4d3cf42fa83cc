//! Which records a caller sees, as conditions for queries.

use crate::entity::record;
use domain::access::rules::{Scope, Visibility};
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, IntoColumnRef, SimpleExpr};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(crate) fn col(table: &'static str, column: impl sea_orm::Iden) -> Expr {
    Expr::col((Alias::new(table), column).into_column_ref())
}

/// [`domain::access::rules::Caller::can_read`] as a condition on a joined record.
pub(crate) fn visible(table: &'static str, visibility: &Visibility, origin: &str) -> Condition {
    let any = Condition::any().add(published(table));
    any.add_option(reached(table, visibility, origin))
}

/// The own records that are visible, whether they are published or not; `None` if none are.
pub(crate) fn reached(
    table: &'static str,
    visibility: &Visibility,
    origin: &str,
) -> Option<Condition> {
    let own = Condition::all().add(col(table, record::Column::Origin).eq(origin));
    let within = |regions: &BTreeSet<Uuid>| {
        col(table, record::Column::HomeRegion).is_in(regions.iter().copied())
    };
    match visibility {
        Visibility::Public => None,
        Visibility::Everything => Some(own),
        Visibility::Drafts { regions, supplied } => {
            let mut any = Condition::any().add(within(regions));
            for (system, scope) in supplied {
                let by = col(table, record::Column::System).eq(system.as_str());
                any = any.add(match scope {
                    Scope::Node => by,
                    Scope::Regions(regions) => by.and(within(regions)),
                });
            }
            Some(own.add(any))
        }
    }
}

pub(crate) fn is_published(table: &'static str) -> SimpleExpr {
    col(table, record::Column::Publication).eq(Publication::Published.code())
}

fn published(table: &'static str) -> SimpleExpr {
    is_published(table).and(col(table, record::Column::Suppressed).eq(false))
}
