//! Opening a store: connected, migrated, and with the reference data of this release.

use crate::error::Result;
use crate::load::load_reference_data;
use crate::store::Store;
use domain::base::clock::Clock;

impl Store {
    /// Connects, updates the schema and creates the node if the database is new.
    ///
    /// `origin` names the node at its first start; if absent, a random name is chosen.
    ///
    /// # Errors
    /// [`crate::StoreError::Setup`] if the URL or the origin is invalid or the node has another
    /// origin.
    pub async fn open(url: &str, origin: Option<&str>, clock: Clock) -> Result<Self> {
        let store = Self::connect(url, origin, clock).await?;
        load_reference_data(&store).await?;
        Ok(store)
    }
}
