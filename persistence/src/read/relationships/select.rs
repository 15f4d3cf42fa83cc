//! Relationships in SQL: the joins, the conditions of each filter, the order.

use super::{AllOf, DateRange, LAST, Position, RelationshipFilter};
use crate::entity::{confirmation, edge, edge_role, merged, record};
use crate::visibility::seen::{is_published, reached, visible};
use chrono::Months;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::on::{HoldsOn, RelationshipsOn};
use domain::kinds::relationship::table::RULES;
use domain::statements::confirmation::ConfirmationState;
use domain::value::edtf::EdtfDate;
use domain::value::external::ExternalId;
use sea_orm::sea_query::{
    Alias, Condition, Expr, ExprTrait, Func, IntoTableRef, JoinType, Order, Query, SelectStatement,
    SimpleExpr, UnionType,
};
use uuid::Uuid;

pub(crate) use crate::visibility::seen::col;

/// `edge` with its record and the records at its ends, or their merge targets.
///
/// SQLite keeps the order of a cross join; it would begin with all records otherwise.
pub(crate) fn joined() -> SelectStatement {
    let mut select = Query::select();
    let merged = |end: &'static str, column: edge::Column| {
        col(end, merged::Column::LoserId).equals((Alias::new("e"), column))
    };
    let standing = |end: &'static str, column: edge::Column| {
        col(end, record::Column::Id).eq(standing_at(column))
    };
    select
        .from_as(edge::Entity, Alias::new("e"))
        .cross_join(record::Entity.into_table_ref().alias("r"))
        .join_as(
            JoinType::LeftJoin,
            merged::Entity,
            Alias::new("mf"),
            merged("mf", edge::Column::FromId),
        )
        .join_as(
            JoinType::LeftJoin,
            merged::Entity,
            Alias::new("mt"),
            merged("mt", edge::Column::ToId),
        )
        .join_as(
            JoinType::LeftJoin,
            record::Entity,
            Alias::new("f"),
            standing("f", edge::Column::FromId),
        )
        .join_as(
            JoinType::LeftJoin,
            record::Entity,
            Alias::new("t"),
            standing("t", edge::Column::ToId),
        )
        .and_where(col("r", record::Column::Id).equals((Alias::new("e"), edge::Column::RecordId)));
    select
}

/// The record at an end of an edge that is [`joined`], or its merge target.
pub(crate) fn standing_at(end: edge::Column) -> Expr {
    let from = matches!(end, edge::Column::FromId);
    let merge = if from { "mf" } else { "mt" };
    Func::coalesce([col(merge, merged::Column::TargetId), col("e", end)]).into()
}

pub(super) fn count(filter: &RelationshipFilter, conditions: &Condition) -> SelectStatement {
    let mut select = joined();
    select
        .expr(Func::count(col("e", edge::Column::RecordId)))
        .cond_where(conditions.clone().add_option(around(filter)));
    select
}

/// The order of the indexes `edge_order`, `edge_from` and `edge_to`.
pub(crate) fn order() -> [Expr; 3] {
    [
        col("e", edge::Column::Type),
        // A bound parameter would not be the expression of the index.
        Func::coalesce([
            col("e", edge::Column::Position),
            Expr::cust(LAST.to_string()),
        ])
        .into(),
        col("e", edge::Column::RecordId),
    ]
}

/// The ids of a page. Around few records it merges a page for each end: an index has one column of
/// an end, and reads it in the order of the list.
pub(super) fn page(
    filter: &RelationshipFilter,
    conditions: &Condition,
    after: Option<&Position>,
    limit: u64,
) -> SelectStatement {
    if filter.around.is_empty() || filter.around.len() > MERGED_PAGES {
        let all = conditions.clone().add_option(around(filter));
        return ordered(all, after, limit);
    }
    let ends = [edge::Column::FromId, edge::Column::ToId];
    let at = |id: &Uuid| ends.map(|end| col("e", end).eq(*id));
    let pages = filter.around.iter().flat_map(at);
    let mut pages = pages.map(|at| {
        let page = ordered(conditions.clone().add(at), after, limit);
        let mut whole = Query::select();
        whole.expr(Expr::cust("*")).from_subquery(page, "p");
        whole
    });
    let mut all = pages.next().unwrap_or_default();
    // Without `ALL`: both ends of a relationship may be among the records.
    all.unions(pages.map(|page| (UnionType::Distinct, page)));
    for column in 2..=4 {
        all.order_by_expr(Expr::cust(column.to_string()), Order::Asc);
    }
    all.limit(limit);
    all
}

/// Records around which a page is merged from a page for each of their ends.
const MERGED_PAGES: usize = 4;

/// The id and the position of each relationship of a page.
fn ordered(conditions: Condition, after: Option<&Position>, limit: u64) -> SelectStatement {
    let order = order();
    let mut select = joined();
    select
        .expr(col("e", edge::Column::RecordId))
        .cond_where(conditions)
        .limit(limit);
    for (name, expression) in ["t", "n", "i"].into_iter().zip(order.clone()) {
        select.expr_as(expression, name);
    }
    if let Some(Position(r#type, position, id)) = after {
        let values = [
            Expr::val(r#type.as_str()),
            Expr::val(*position),
            Expr::val(*id),
        ];
        select.and_where(Expr::tuple(order.clone()).gt(Expr::tuple(values)));
    }
    for expression in order {
        select.order_by_expr(expression, Order::Asc);
    }
    select
}

/// One of the records of the filter at either end.
fn around(filter: &RelationshipFilter) -> Option<Condition> {
    let ends = [edge::Column::FromId, edge::Column::ToId];
    let at = ends.map(|end| at_end(end, &filter.around));
    let either = at.into_iter().fold(Condition::any(), Condition::add);
    (!filter.around.is_empty()).then_some(either)
}

pub(crate) fn conditions(filter: &RelationshipFilter, caller: &Caller, origin: &str) -> Condition {
    let visibility = caller.visibility();
    let mut all = Condition::all().add(
        Condition::any()
            .add(
                Condition::all()
                    .add(visible("r", &visibility, origin))
                    .add(col("r", record::Column::Suppressed).eq(false)),
            )
            .add_option(disputed(filter, caller, origin)),
    );
    for (end, id) in [("f", edge::Column::FromId), ("t", edge::Column::ToId)] {
        // An end that is missing here hides the relationship: its columns are null.
        all = all.add(Condition::any().add(col("e", id).is_null()).add(visible(
            end,
            &visibility,
            origin,
        )));
    }
    all = all.add(has_own_end());
    all = each(all, &filter.types, |one| {
        col("e", edge::Column::Type).eq(one.code())
    });
    all = each(all, &filter.roles, |one| has_role(one.code()));
    all = each(all, &filter.kinds, |one| other_kind(&filter.around, *one));
    all = each(all, &filter.confirmations, |one| stated(*one));
    all = each(all, &filter.from, |id| {
        col("e", edge::Column::FromId).eq(*id)
    });
    all = each(all, &filter.to, |id| col("e", edge::Column::ToId).eq(*id));
    let all = ends(starts(dated(all, filter), &filter.starts), &filter.ends);
    record_conditions(all, filter)
}

/// Whether a copied relationship has an end of its origin: others are not its origin's to state.
fn has_own_end() -> Condition {
    let own = |end| {
        let column = col(end, record::Column::Origin);
        column.equals((Alias::new("r"), record::Column::Origin))
    };
    Condition::any()
        .add(col("r", record::Column::SyncedAt).is_null())
        .add(own("f"))
        .add(own("t"))
}

fn record_conditions(mut all: Condition, filter: &RelationshipFilter) -> Condition {
    all = each(all, &filter.ids, |id| {
        col("e", edge::Column::RecordId).eq(*id)
    });
    all = each(all, &filter.home_regions, |id| {
        col("r", record::Column::HomeRegion).eq(*id)
    });
    all = each(all, &filter.origins, |one| {
        col("r", record::Column::Origin).eq(one.as_str())
    });
    all = each(all, &filter.external_ids, supplied_as);
    if filter.publications.is_empty() {
        // A list contains published records by default, for editors too.
        all = all.add(is_published("r"));
    }
    all = each(all, &filter.publications, |one| {
        col("r", record::Column::Publication).eq(one.code())
    });
    all.add_option(
        filter
            .updated_since
            .map(|since| col("r", record::Column::UpdatedAt).gte(since)),
    )
}

pub(crate) fn each<T>(
    mut all: Condition,
    lists: &AllOf<T>,
    one: impl Fn(&T) -> SimpleExpr,
) -> Condition {
    for list in lists {
        let any = list
            .iter()
            .fold(Condition::any(), |any, item| any.add(one(item)));
        all = all.add(any);
    }
    all
}

/// Relationships that an end disputes, for callers who request them and may write an end.
fn disputed(filter: &RelationshipFilter, caller: &Caller, origin: &str) -> Option<Condition> {
    let mut asked = filter.confirmations.iter().flatten();
    asked.find(|one| **one == ConfirmationState::Disputed)?;
    let writable = caller.writable();
    let end = |table| reached(table, &writable, origin);
    let ends = Condition::any().add(end("f")?).add(end("t")?);
    let suppressed = col("r", record::Column::Suppressed).eq(true);
    Some(
        Condition::all()
            .add(suppressed)
            .add(is_published("r"))
            .add(ends),
    )
}

/// Whether an end has this state; without any other statement it is claimed.
fn stated(state: ConfirmationState) -> SimpleExpr {
    let mut statements = Query::select();
    let at_end = [edge::Column::FromId, edge::Column::ToId]
        .map(|end| col("s", confirmation::Column::EndId).equals((Alias::new("e"), end)));
    let [from, to] = at_end;
    statements
        .expr(Expr::val(1))
        .from_as(confirmation::Entity, Alias::new("s"))
        .and_where(
            col("s", confirmation::Column::RecordId)
                .equals((Alias::new("e"), edge::Column::RecordId)),
        )
        .and_where(from.or(to));
    let column = col("s", confirmation::Column::State);
    if state == ConfirmationState::Claimed {
        statements.and_where(column.ne(state.code()));
        return Expr::exists(statements).not();
    }
    statements.and_where(column.eq(state.code()));
    Expr::exists(statements)
}

fn supplied_as(key: &ExternalId) -> SimpleExpr {
    let mut records = Query::select();
    records
        .column(record::Column::Id)
        .from(record::Entity)
        .and_where(Expr::col(record::Column::Kind).eq(Kind::Relationship.code()))
        .and_where(Expr::col(record::Column::System).eq(key.system.as_str()))
        .and_where(Expr::col(record::Column::ExternalId).eq(key.id.as_str()));
    col("e", edge::Column::RecordId).in_subquery(records)
}

fn has_role(role: &str) -> SimpleExpr {
    let mut roles = Query::select();
    let same = (Alias::new("e"), edge::Column::RecordId);
    roles
        .expr(Expr::val(1))
        .from_as(edge_role::Entity, Alias::new("o"))
        .and_where(col("o", edge_role::Column::RecordId).equals(same))
        .and_where(col("o", edge_role::Column::Role).eq(role));
    Expr::exists(roles)
}

fn at_end(end: edge::Column, ids: &[Uuid]) -> SimpleExpr {
    col("e", end).is_in(ids.iter().copied())
}

fn other_kind(around: &[Uuid], kind: Kind) -> SimpleExpr {
    let from = col("e", edge::Column::FromKind).eq(kind.code());
    let to = col("e", edge::Column::ToKind).eq(kind.code());
    if around.is_empty() {
        return from.or(to);
    }
    let at_from = at_end(edge::Column::FromId, around).and(to);
    at_from.or(at_end(edge::Column::ToId, around).and(from))
}

/// [`RelationshipsOn`] in SQL.
fn dated(all: Condition, filter: &RelationshipFilter) -> Condition {
    match filter.on {
        RelationshipsOn::Any => all,
        RelationshipsOn::Date { date, certain } => all.add(hold(&HoldsOn { date, certain })),
        RelationshipsOn::Today(day) => {
            let today = HoldsOn {
                date: EdtfDate::of(day),
                certain: false,
            };
            let standing = RULES.iter().filter(|rule| rule.standing);
            let standing = standing.map(|rule| rule.code.code());
            let at_any_time = col("e", edge::Column::Type).is_not_in(standing);
            all.add(Condition::any().add(at_any_time).add(hold(&today)))
        }
    }
}

/// [`HoldsOn::includes`] in SQL.
fn hold(on: &HoldsOn) -> Condition {
    let column = |column| col("e", column);
    let (first, last) = on.date.possible();
    let all = Condition::all()
        .add(
            column(edge::Column::FromEarliest)
                .is_null()
                .or(column(edge::Column::FromEarliest).lte(last)),
        )
        .add(
            column(edge::Column::ToLatest)
                .is_null()
                .or(column(edge::Column::ToLatest).gte(first)),
        );
    if !on.certain {
        return all;
    }
    if !on.date.is_exact() {
        return all.add(Expr::val(1).eq(0));
    }
    all.add(column(edge::Column::FromLatest).lte(first))
        .add(column(edge::Column::ToEarliest).gte(last))
}

/// Those that begin in a span.
///
/// Of a date in doubt only the outer day is kept, from which it is as long as it can be.
fn starts(all: Condition, range: &DateRange) -> Condition {
    let first = || col("e", edge::Column::FromEarliest);
    let last = || col("e", edge::Column::FromLatest);
    if range.is_empty() {
        return all;
    }
    if range.certain {
        return surely(all, range, first(), last());
    }
    let from = range.from.map(|from| {
        let lower = from.possible().0;
        let in_doubt = lower.checked_sub_months(IN_DOUBT).unwrap_or(lower);
        let in_doubt = last().is_null().and(first().gte(in_doubt));
        last().gte(lower).or(in_doubt)
    });
    let to = range.to.map(|to| first().lte(to.possible().1));
    all.add(first().is_not_null())
        .add_option(from)
        .add_option(to)
}

/// Those that end in a span; an end that is open, or not stated, is none.
fn ends(all: Condition, range: &DateRange) -> Condition {
    let first = || col("e", edge::Column::ToEarliest);
    let last = || col("e", edge::Column::ToLatest);
    if range.is_empty() {
        return all;
    }
    if range.certain {
        return surely(all, range, first(), last());
    }
    let from = range.from.map(|from| last().gte(from.possible().0));
    let to = range.to.map(|to| {
        let upper = to.possible().1;
        let in_doubt = upper.checked_add_months(IN_DOUBT).unwrap_or(upper);
        let in_doubt = first().is_null().and(last().lte(in_doubt));
        first().lte(upper).or(in_doubt)
    });
    all.add(last().is_not_null())
        .add_option(from)
        .add_option(to)
}

fn surely(all: Condition, range: &DateRange, first: Expr, last: Expr) -> Condition {
    let mut dates = [range.from, range.to].into_iter().flatten();
    if !dates.all(|date| date.is_exact()) {
        return all.add(Expr::val(1).eq(0));
    }
    all.add(first.clone().is_not_null())
        .add(last.clone().is_not_null())
        .add_option(range.from.map(|from| first.gte(from.possible().0)))
        .add_option(range.to.map(|to| last.lte(to.possible().1)))
}

/// The longest span of a date in doubt: a year, and one on both sides.
const IN_DOUBT: Months = Months::new(36);
