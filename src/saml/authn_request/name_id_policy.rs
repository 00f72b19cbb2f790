//! saml-core §3.4.1.1: under which name the person is wanted.
//!
//! | the request says | the name is |
//! | --- | --- |
//! | transient, persistent, emailAddress | that |
//! | unspecified, or nothing | what the operator says, else the first of the metadata that is issued here, else persistent |
//! | another format, another `SPNameQualifier` | none: `InvalidNameIDPolicy` |
//!
//! `AllowCreate` that is left out lets a name be made, though §3.4.1.1 gives it the value `false`: services leave it out and
//! mean nothing by it. Said outright, `false` is obeyed.

use serde::{Deserialize, Serialize};

use super::{AuthnRequest, PageError, short};
use crate::domain::relying_party::SamlParty;
use crate::domain::saml_entity::ServiceProvider;
use crate::saml::name_id::{NameIdFormat, UNSPECIFIED};
use crate::saml::status::{Detail, Status};
use crate::saml::xml::Node;

/// `samlp:NameIDPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameIdPolicy {
    /// The format.
    pub format: Option<String>,
    /// Toward whom.
    pub sp_name_qualifier: Option<String>,
    /// Whether a name may be made.
    pub allow_create: Option<bool>,
}

impl NameIdPolicy {
    pub(super) fn read(node: Node<'_>) -> Result<Self, PageError> {
        let text = |name: &str| node.attribute(name).map(short).transpose();
        let allow_create = match node.attribute("AllowCreate") {
            Some(_) => Some(super::boolean(node, "AllowCreate")?),
            None => None,
        };
        Ok(Self {
            format: text("Format")?,
            sp_name_qualifier: text("SPNameQualifier")?,
            allow_create,
        })
    }
}

/// Under which name the person is wanted, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The format.
    pub format: NameIdFormat,
    /// Whether a name may be made for somebody who has none yet.
    pub may_create: bool,
}

const INVALID: Status = Status::requester(
    Detail::InvalidNameIdPolicy,
    "names are transient, persistent or emailAddress, and of the service itself",
);

pub(super) fn check(
    request: &AuthnRequest,
    party: &SamlParty,
    provider: &ServiceProvider,
) -> Result<Named, Status> {
    let policy = request.name_id_policy.clone().unwrap_or_default();
    let own = |qualifier: &String| qualifier.is_empty() || *qualifier == provider.entity_id;
    if !policy.sp_name_qualifier.as_ref().is_none_or(own) {
        return Err(INVALID);
    }
    let asked = policy.format.as_deref().filter(|format| *format != UNSPECIFIED);
    let format = match asked {
        Some(format) => format.parse().map_err(|_| INVALID)?,
        None => usual(party, provider),
    };
    Ok(Named {
        format,
        may_create: policy.allow_create != Some(false),
    })
}

/// The format where the request leaves the choice to us.
fn usual(party: &SamlParty, provider: &ServiceProvider) -> NameIdFormat {
    let listed = party.name_id_format.iter().chain(&provider.name_id_formats);
    let mut known = listed.filter_map(|format| format.parse().ok());
    known.next().unwrap_or(NameIdFormat::Persistent)
}
