//! `verbund erase`, `verbund personal-data` and `verbund vacuum`: data protection.

use crate::cli::context::{Failure, say};
use crate::cli::export::kind;
use clap::Args;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::statements::personal_data::PersonalDataInput;
use persistence::Store;
use persistence::erase::options;
use persistence::write::Precondition;

#[derive(Debug, Args)]
pub(super) struct Erase {
    /// Kind of the record, such as network
    #[arg(value_parser = kind)]
    kind: Kind,
    /// Id or slug of the record
    id: String,
    /// Erase only this earlier version
    #[arg(long)]
    version: Option<i64>,
    /// Reason, for the audit
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct PersonalData {
    /// E-mail address of the person
    #[arg(long)]
    email: Option<String>,
    /// Name of the person; others may have the same
    #[arg(long)]
    name: Option<String>,
}

pub(super) async fn run(store: &Store, erase: &Erase) -> Result<(), Failure> {
    let caller = Caller::node();
    let options = options(erase.version, erase.reason.clone(), false);
    let id = store
        .records()
        .find_erasable(&caller, erase.kind, &erase.id)
        .await?;
    let erased = store.write(&caller, &options, async |tx| match erase.version {
        Some(version) => {
            let key = (erase.kind, id);
            tx.records()
                .erase_version(key, version, &Precondition::Any)
                .await
        }
        None => tx.records().erase(erase.kind, id, &Precondition::Any).await,
    });
    erased.await?;
    store.records().finish_deletion(id).await?;
    say(&format!("erased {} {id}", erase.kind));
    say(
        "The index is updated as soon as a server runs. `verbund vacuum` removes the data from the database files.",
    );
    Ok(())
}

pub(super) async fn personal_data(store: &Store, about: &PersonalData) -> Result<(), Failure> {
    let about = PersonalDataInput {
        email: about.email.clone(),
        name: about.name.clone(),
    };
    let found = store.contact_persons().personal_data(&about).await?;
    let text = serde_json::to_string_pretty(&found);
    say(&text.map_err(|why| Failure::Told(why.to_string()))?);
    Ok(())
}

pub(super) async fn vacuum(store: &Store) -> Result<(), Failure> {
    store.vacuum().await?;
    say("The database files contain no deleted data any more.");
    Ok(())
}
