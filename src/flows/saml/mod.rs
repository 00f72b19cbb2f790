//! The SAML identity provider: signing people in at service providers ([`sso`]), and out of them ([`slo`]).
//!
//! | file | someone |
//! | --- | --- |
//! | `metadata`, `own` | is said to be so, by metadata: theirs and ours |
//! | `keys` | signs for us |
//! | `partner` | is a service provider: who it is, by its entityID |
//! | `sso`, `grant` | comes with a request, or without one, and goes with an answer |
//! | `slo` | asks to end a login; is asked to; has answered |
//! | `name` | is called so by a service provider |
//!
//! XML is signed and encrypted off the async threads. Must never answer anywhere but at an address of the metadata.

mod grant;
pub mod keys;
pub mod metadata;
mod name;
pub mod own;
mod partner;
pub mod slo;
pub mod sso;

pub(in crate::flows) use partner::public_key;
pub use partner::{Partner, find};

use super::{Context, Failure};
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::saml_entity::Binding;
use crate::saml::wire;
use crate::saml::xml::Element;
use crate::saml::xmlsec::redirect::{self, Kind};
use crate::saml::xmlsec::{self, Signer};

/// What is held in memory of SAML: each node for itself, read again from the database.
#[derive(Clone, Default)]
pub struct SamlState {
    /// The keys.
    pub keys: keys::SamlKeys,
    /// Our metadata.
    pub own: own::OwnMetadata,
}

/// Our entityID: where our metadata are.
pub fn entity_id(context: &Context) -> String {
    format!("{}/saml/metadata", context.settings.public_url)
}

/// The address of an endpoint of ours.
fn endpoint(context: &Context, path: &str) -> String {
    format!("{}{path}", context.settings.public_url)
}

/// A message of ours on its way through the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// By an address (saml-bindings §3.4).
    Address(String),
    /// By a form (saml-bindings §3.5).
    Form {
        /// Where to.
        action: String,
        /// `SAMLRequest` or `SAMLResponse`, and `RelayState` where there was one.
        fields: Vec<(&'static str, String)>,
    },
}

const fn field(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "SAMLRequest",
        Kind::Response => "SAMLResponse",
    }
}

/// A message that was written and signed, as a form.
fn form(kind: Kind, action: &str, message: &str, relay_state: Option<&str>) -> Outgoing {
    let mut fields = vec![(field(kind), wire::to_form(message))];
    fields.extend(relay_state.map(|state| ("RelayState", state.to_owned())));
    Outgoing::Form {
        action: action.to_owned(),
        fields,
    }
}

/// Signs a message as its binding wants it, and puts it on its way.
pub(in crate::flows) async fn send(
    signer: Signer,
    binding: Binding,
    action: String,
    (kind, message): (Kind, Element),
    relay_state: Option<String>,
) -> Result<Outgoing, Failure> {
    blocking(move || match binding {
        Binding::Post => {
            let signed = xmlsec::sign(message, &signer)?.write();
            Ok(form(kind, &action, &signed, relay_state.as_deref()))
        }
        Binding::Redirect => {
            let query = redirect::write(kind, &message.write(), relay_state.as_deref(), Some(&signer.key));
            let query = query.map_err(|error| Failure::Task(error.to_string()))?;
            let joint = if action.contains('?') { '&' } else { '?' };
            Ok(Outgoing::Address(format!("{action}{joint}{query}")))
        }
    })
    .await
}

/// Work that takes longer than an async thread should spend without a pause.
pub(in crate::flows) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::Task(error.to_string()))?
}

/// What messages to a party are signed with.
async fn signer(context: &Context, partner: &Partner) -> Result<Signer, Failure> {
    let algorithm = if partner.saml.ecdsa {
        SigningAlgorithm::Es256
    } else {
        SigningAlgorithm::Rs256
    };
    context.saml.keys.signer(context, algorithm).await
}
