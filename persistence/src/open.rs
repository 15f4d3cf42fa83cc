//! Opening a store: connected, migrated, with the names of members and the reference data of this
//! release.

use crate::error::Result;
use crate::load::load_reference_data;
use crate::store::Store;
use crate::upgrade::{refuse_older, upgrade_bodies};
use domain::base::clock::Clock;

impl Store {
    /// Connects, updates the schema and creates the node if the database is new.
    ///
    /// `origin` names the node at its first start; if absent, a random name is chosen.
    ///
    /// # Errors
    /// [`crate::StoreError::Setup`] if the URL or the origin is invalid, the node has another
    /// origin, or another release is in the way.
    pub async fn open(url: &str, origin: Option<&str>, clock: Clock) -> Result<Self> {
        refuse_older(url).await?;
        let store = Self::connect(url, origin, clock).await?;
        upgrade_bodies(&store).await?;
        load_reference_data(&store).await?;
        Ok(store)
    }
}
