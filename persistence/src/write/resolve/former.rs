//! References to merged records: they mean the merge target.

use super::{Head, Wanted};
use crate::entity::tombstone;
use crate::error::Result;
use crate::merge_targets::merge_targets;
use crate::store::rank;
use crate::transaction::Transaction;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::value::reference::{Name, ReferenceForm};
use sea_orm::ExprTrait as _;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

pub(super) struct Former {
    head: Head,
    merge_target: Uuid,
}

impl Former {
    pub(super) fn is_named(&self, wanted: &Wanted) -> bool {
        self.head.is_named(wanted.kind, &wanted.name)
    }
}

impl Head {
    fn of_tombstone(tombstone: tombstone::Model) -> Self {
        let publication = if tombstone.was_public {
            Publication::Published
        } else {
            Publication::Draft
        };
        Self {
            id: tombstone.id,
            kind: tombstone.kind,
            origin: tombstone.origin,
            slug: tombstone.slug,
            system: tombstone.system,
            external_id: tombstone.external_id,
            home_region: tombstone.home_region,
            publication: publication.code().to_owned(),
            suppressed: false,
        }
    }
}

/// The merged records among the candidates; their merge targets join the heads.
pub(super) async fn formers(
    tx: &Transaction<'_>,
    wanted: &[Wanted],
    heads: &mut Vec<Head>,
) -> Result<Vec<Former>> {
    let mut any = Condition::any();
    // Invisible records must not hide visible ones.
    let missing = |one: &&Wanted| {
        let mut named = heads
            .iter()
            .filter(|head| head.is_named(one.kind, &one.name));
        !named.any(|head| can_read_head(tx, head))
    };
    for one in wanted.iter().filter(missing) {
        let names = match &one.name {
            Name::Id(id) => tombstone::Column::Id.eq(*id),
            Name::Slug(slug) => tombstone::Column::Slug.eq(slug),
            Name::External(key) => tombstone::Column::System
                .eq(&key.system)
                .and(tombstone::Column::ExternalId.eq(&key.id)),
        };
        any = any.add(names.and(tombstone::Column::Kind.eq(one.kind.code())));
    }
    if any.is_empty() {
        return Ok(Vec::new());
    }
    let mut tombstones = tombstone::Entity::find()
        .filter(any)
        .filter(tombstone::Column::MergedInto.is_not_null())
        .order_by_asc(tombstone::Column::Id)
        .all(&tx.sql)
        .await?;
    tombstones.sort_by_key(|tombstone| rank(&tombstone.origin, &tx.origin));
    let merge_targets =
        merge_targets(&tx.sql, tombstones.iter().map(|tombstone| tombstone.id)).await?;
    let standing: Vec<Wanted> = tombstones
        .iter()
        .filter_map(|tombstone| {
            Some((
                Kind::parse(&tombstone.kind)?,
                *merge_targets.get(&tombstone.id)?,
            ))
        })
        .map(|(kind, id)| Wanted {
            pointer: String::new(),
            path: "",
            form: ReferenceForm::Slot(kind),
            kind,
            name: Name::Id(id),
        })
        .collect();
    for head in super::heads(tx, &standing).await? {
        // The body may reference both.
        if heads.iter().all(|known| known.id != head.id) {
            heads.push(head);
        }
    }
    let formers = tombstones.into_iter().filter_map(|tombstone| {
        let merge_target = *merge_targets.get(&tombstone.id)?;
        let head = Head::of_tombstone(tombstone);
        Some(Former { head, merge_target })
    });
    Ok(formers.collect())
}

/// The merge target of a referenced merged record, if the caller sees both.
pub(super) fn find_merged(
    tx: &Transaction<'_>,
    wanted: &Wanted,
    heads: &[Head],
    formers: &[Former],
) -> Option<Uuid> {
    let named = formers.iter();
    let mut named = named.filter(|former| former.is_named(wanted));
    let former = named.find(|former| can_read_head(tx, &former.head))?;
    let merge_target = heads.iter().find(|head| head.id == former.merge_target)?;
    can_read_head(tx, merge_target).then_some(merge_target.id)
}

fn can_read_head(tx: &Transaction<'_>, head: &Head) -> bool {
    let subject = head.subject(&tx.origin);
    subject.is_some_and(|subject| tx.caller.can_read(&subject))
}
