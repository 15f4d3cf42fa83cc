//! Applications for membership: a relationship in `review`, and data for the network's editors
//! alone.

use crate::cursor;
use crate::entity::{application, record};
use crate::error::{Denied, Result, StoreError, Unique};
use crate::record::Record;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use chrono::TimeDelta;
use domain::access::rules::{Action, Caller};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::kinds::common::Publication;
use domain::kinds::relationship::RelationshipType;
use domain::statements::application::{Applicant, Application, ApplicationInput};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Number of applications that a network accepts within an hour, so that the log cannot be flooded.
pub const PER_HOUR: u64 = 20;

#[derive(Debug)]
pub struct ApplicationPage {
    pub items: Vec<Application>,
    pub next: Option<String>,
}

#[derive(Debug)]
pub struct Applying {
    network: Uuid,
    relationship: Value,
    input: ApplicationInput,
}

/// Caller and options of an application: the applicant has no grant, so the node acts for them.
#[must_use]
pub fn on_behalf() -> (Caller, WriteOptions) {
    let options = WriteOptions {
        reason: Some("application for membership".to_owned()),
        ..WriteOptions::default()
    };
    (Caller::node(), options)
}

/// Room of applications for membership.
#[derive(Debug, Clone, Copy)]
pub struct Applications<'a> {
    pub(crate) store: &'a Store,
}

/// Room for writing applications.
#[derive(Debug)]
pub struct ApplicationsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn applications(&self) -> Applications<'_> {
        Applications { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn applications(&mut self) -> ApplicationsMut<'_, 's> {
        ApplicationsMut { tx: self }
    }
}

impl Applications<'_> {
    /// Checks whether a network accepts the application.
    ///
    /// # Errors
    /// [`StoreError::ApplicationsClosed`], [`StoreError::Invalid`], and as
    /// [`crate::records::Records::get`].
    pub async fn prepare(
        self,
        caller: &Caller,
        network: &str,
        input: ApplicationInput,
    ) -> Result<Applying> {
        let network = self
            .store
            .records()
            .get(caller, Kind::Network, network)
            .await?;
        if network.origin != self.store.node().origin {
            return Err(StoreError::Forbidden(Denied::Copy));
        }
        let joining = network.parse_body()?;
        let closed = joining.pointer("/joining/open") == Some(&Value::Bool(false));
        if closed || network.publication != Publication::Published {
            return Err(StoreError::ApplicationsClosed);
        }
        let relationship = json!({
            "type": RelationshipType::MemberOf,
            "from": applicant(self.store, &input).await?,
            "to": {"kind": Kind::Network, "id": network.id},
            "home_region": network.home_region,
            "publication": Publication::Review,
        });
        Ok(Applying {
            network: network.id,
            relationship,
            input,
        })
    }

    /// The applications for a network, for its editors.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::BadCursor`], and as
    /// [`crate::records::Records::get`].
    pub async fn list(
        self,
        caller: &Caller,
        network: &str,
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<ApplicationPage> {
        let network = network_of_editor(self.store, caller, network).await?;
        let secret = &self.store.node().secret;
        let mut rows = application::Entity::find()
            .filter(application::Column::NetworkId.eq(network.id))
            .order_by_desc(application::Column::Id)
            .limit(limit + 1);
        if let Some(text) = at {
            let before: Uuid = cursor::decode(secret, query, text)?;
            rows = rows.filter(application::Column::Id.lt(before));
        }
        let mut rows = rows.all(self.store.db().reader()).await?;
        let more = rows.len() as u64 > limit;
        if more {
            rows.pop();
        }
        let ids: Vec<Uuid> = rows.iter().map(|row| row.relationship_id).collect();
        let relationships = crate::read::rows(self.store, &ids).await?;
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| cursor::encode(secret, query, &row.id));
        let items = rows
            .into_iter()
            .filter_map(|row| shown(row, &relationships));
        Ok(ApplicationPage {
            items: items.collect(),
            next,
        })
    }

    /// Erases an application; the requested relationship stays.
    pub async fn delete(
        self,
        caller: &Caller,
        network: &str,
        id: Uuid,
        options: &WriteOptions,
    ) -> Result<()> {
        let network = network_of_editor(self.store, caller, network).await?;
        self.store
            .write(caller, options, async |tx| {
                let erased = application::Entity::delete_many()
                    .filter(application::Column::Id.eq(id))
                    .filter(application::Column::NetworkId.eq(network.id))
                    .exec(&tx.sql)
                    .await?;
                if erased.rows_affected == 0 {
                    return Err(StoreError::NotFound);
                }
                Ok(())
            })
            .await
    }
}

/// The applicant as an end: a published actor, or the name of an organisation.
async fn applicant(store: &Store, input: &ApplicationInput) -> Result<Value> {
    let invalid = |pointer: &str, fault| {
        StoreError::Invalid(vec![FieldError::new(pointer.to_owned(), fault)])
    };
    let Some(key) = &input.actor else {
        let name = input.applicant.organisation.as_ref();
        let name = name.filter(|name| !name.trim().is_empty()).ok_or_else(|| {
            let fault = Fault::new(FaultCode::Required)
                .with("what", "the name of the organisation, or `actor`")
                .with("what_de", "der Name der Organisation, oder `actor`");
            invalid("/applicant/organisation", fault)
        })?;
        return Ok(json!({"kind": Kind::Actor, "as_stated": name}));
    };
    // The permissions of the applicant are unknown.
    match store
        .records()
        .get(&Caller::anonymous(), Kind::Actor, key)
        .await
    {
        Ok(row) => Ok(json!({"kind": Kind::Actor, "id": row.id})),
        Err(
            StoreError::NotFound
            | StoreError::Gone(_)
            | StoreError::Moved { .. }
            | StoreError::AmbiguousSlug { .. },
        ) => {
            let fault = Fault::new(FaultCode::UnknownReference)
                .with("kind", Kind::Actor)
                .with("given", key);
            Err(invalid("/actor", fault))
        }
        Err(other) => Err(other),
    }
}

async fn network_of_editor(store: &Store, caller: &Caller, key: &str) -> Result<Record> {
    let network = store.records().get(caller, Kind::Network, key).await?;
    if !caller.is_allowed(Action::Write, &store.subject(&network)) {
        return Err(StoreError::Forbidden(Denied::Region));
    }
    Ok(network)
}

fn shown(row: application::Model, relationships: &BTreeMap<Uuid, Record>) -> Option<Application> {
    let relationship = relationships.get(&row.relationship_id)?;
    Some(Application {
        id: row.id,
        relationship: row.relationship_id,
        publication: relationship.publication,
        applicant: Applicant {
            organisation: row.organisation,
            person: row.person,
            email: row.email,
            phone: row.phone,
        },
        message: row.message,
        created_at: row.created_at,
    })
}

impl ApplicationsMut<'_, '_> {
    /// Stores an application; see [`on_behalf`].
    ///
    /// An earlier application for the same membership is not revealed; a public membership is.
    pub async fn create(self, applying: &Applying) -> Result<()> {
        refuse_flood(self.tx, applying.network).await?;
        let relationship = applied_for(self.tx, &applying.relationship).await?;
        let input = &applying.input;
        let row = application::Model {
            id: domain::base::id::new(),
            network_id: applying.network,
            relationship_id: relationship,
            organisation: input.applicant.organisation.clone(),
            person: input.applicant.person.clone(),
            email: input.applicant.email.clone(),
            phone: input.applicant.phone.clone(),
            message: input.message.clone(),
            created_at: self.tx.now,
        };
        application::Entity::insert(row.into_active_model())
            .exec_without_returning(&self.tx.sql)
            .await?;
        Ok(())
    }
}

async fn refuse_flood(tx: &Transaction<'_>, network: Uuid) -> Result<()> {
    let recent = application::Entity::find()
        .filter(application::Column::NetworkId.eq(network))
        .filter(application::Column::CreatedAt.gt(tx.now - TimeDelta::hours(1)))
        .count(&tx.sql)
        .await?;
    if recent >= PER_HOUR {
        return Err(StoreError::TooManyApplications);
    }
    Ok(())
}

/// The requested membership: a new one in `review`, or the pending one.
async fn applied_for(tx: &mut Transaction<'_>, body: &Value) -> Result<Uuid> {
    let made = tx
        .records()
        .create(Kind::Relationship, domain::base::id::new(), body.clone());
    let conflict = match made.await {
        Ok(saved) => return Ok(saved.row.id),
        Err(StoreError::Conflict(conflict)) if conflict.what == Unique::Relationship => conflict,
        Err(other) => return Err(other),
    };
    let other = conflict.other.as_ref().map(|other| other.id);
    let row = record::Entity::find_by_id(other.unwrap_or_default())
        .into_model::<Record>()
        .one(&tx.sql)
        .await?;
    match row {
        Some(row) if !row.is_public => Ok(row.id),
        Some(_) | None => Err(StoreError::Conflict(conflict)),
    }
}
