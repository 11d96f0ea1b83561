//! What a message needs from the host: DNS, key documents and the store.

use zi2_keys::{Documents, Resolver};
use zi2_store::{Snapshots, StoreHandle};

/// The host's services. Cheap to share; one per process.
#[derive(Clone)]
pub struct Services {
    /// DNS, with its cache.
    pub resolver: Resolver,
    /// Key documents fetched off the mail path.
    pub documents: Documents,
    /// History, replay and issued nonces.
    pub store: StoreHandle,
    /// Messages as they came in, for further signatures of DKIM2; nothing where none are made.
    pub snapshots: Option<Snapshots>,
}
