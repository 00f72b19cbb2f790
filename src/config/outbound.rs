//! `[outbound]`: requests to other hosts (keys of clients, logout tokens, metadata).

use std::path::PathBuf;

use serde::Deserialize;

/// The way to other hosts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// A file of certificates (PEM) that are trusted besides the system's, for partners under an authority of their own.
    pub ca_file: Option<PathBuf>,
    /// Whether the addresses of clients that projects registered by themselves may lead into private networks. Those of
    /// declared relying parties always may. A proxy between Marelle and the Internet is on such a network too.
    pub private_networks: bool,
}
