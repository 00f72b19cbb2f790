//! A relying party as a CAS service: its addresses, and the shape of what it is told.

use serde::{Deserialize, Serialize};

/// What the operator says of a CAS service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasService {
    /// The addresses that tickets may be sent to, and everything below their path.
    pub services: Vec<String>,
}
