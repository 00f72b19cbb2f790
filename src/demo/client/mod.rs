//! A demo service as Marelle's relying party: by OpenID Connect, by SAML or by CAS. A service keeps who arrived, and by what
//! it will know them again when it is told that they have left.
//!
//! | | sign-in | what comes back | told of a logout |
//! | --- | --- | --- | --- |
//! | [`oidc`] | authorization request | a code, exchanged | a frame of Marelle's page (Front-Channel Logout) |
//! | [`saml`] | AuthnRequest | an assertion, in a form | a LogoutRequest, answered |
//! | [`cas`] | `service` | a ticket, validated | a form, from Marelle itself |

pub(super) mod cas;
pub(super) mod oidc;
pub(super) mod saml;

use serde_json::{Map, Value};

use crate::base::secret::Secret;
use crate::saml::service_provider::Named;

/// A sign-in that did not come through; the words are for the visitor of the demo.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ClientError(String);

fn wrong(what: &'static str) -> impl Fn(&dyn std::error::Error) -> ClientError {
    move |error| {
        let cause = error
            .source()
            .map(|source| format!(" ({source})"))
            .unwrap_or_default();
        ClientError(format!("{what}: {error}{cause}"))
    }
}

/// How a service is known to Marelle.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    /// The issuer; everything else is discovered, or stands in its metadata.
    pub(super) issuer: String,
    /// Its id.
    pub(super) id: String,
    /// Its secret, where its protocol has one.
    pub(super) secret: Secret,
    /// Its own address, without a slash at the end.
    pub(super) url: String,
}

impl Registration {
    /// Where answers arrive.
    pub(super) fn callback(&self) -> String {
        format!("{}/callback", self.url)
    }

    /// Where it is told that somebody left.
    pub(super) fn told(&self) -> String {
        format!("{}/told", self.url)
    }

    /// Where people arrive after logout.
    pub(super) fn home(&self) -> String {
        format!("{}/", self.url)
    }
}

/// Who arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// The person, as this service knows them.
    pub(super) sub: String,
    /// What it was told of them, in alphabetical order.
    pub(super) claims: Map<String, Value>,
    /// What it knows their login by.
    pub(super) login: Login,
}

/// What a login is known by, for leaving and for being told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// An ID Token, with the `sid` it holds.
    Token {
        /// As it came.
        id_token: String,
        /// The login it is of.
        sid: String,
    },
    /// A name and a session of it.
    Name {
        /// The NameID, as it was written.
        name: Named,
        /// `SessionIndex`.
        session: String,
    },
    /// A service ticket.
    Ticket(String),
}

impl Login {
    /// Whether it is the one that a notice names, in whatever its protocol calls it.
    pub(super) fn is(&self, named: &str) -> bool {
        match self {
            Self::Token { sid, .. } => sid == named,
            Self::Name { session, .. } => session == named,
            Self::Ticket(ticket) => ticket == named,
        }
    }
}

/// What waits for an answer to come back.
#[derive(Debug)]
pub(super) enum Pending {
    /// To an authorization request.
    Oidc(oidc::Pending),
    /// To the AuthnRequest of this ID.
    Saml(String),
    /// With a ticket.
    Cas,
}

/// The parameters of an address or a form.
pub(super) type Fields = Vec<(String, String)>;

/// The value of a field.
pub(super) fn field<'a>(fields: &'a Fields, wanted: &str) -> Option<&'a str> {
    let mut found = fields.iter().filter(|(name, _)| name == wanted);
    found.next().map(|(_, value)| value.as_str())
}

/// A notice that somebody has left.
#[derive(Debug)]
pub(super) struct Told {
    /// What their login is called.
    pub(super) login: String,
    /// Where the browser goes with the answer, where one is owed.
    pub(super) answer: Option<String>,
}

/// A relying party of Marelle.
#[derive(Debug, Clone)]
pub(super) enum Client {
    /// An OpenID Connect client.
    Oidc(oidc::Client),
    /// A SAML service provider.
    Saml(saml::Client),
    /// A CAS service.
    Cas(cas::Client),
}

impl Client {
    /// How it is known to Marelle.
    pub(super) fn registration(&self) -> &Registration {
        match self {
            Self::Oidc(client) => client.registration(),
            Self::Saml(client) => client.registration(),
            Self::Cas(client) => client.registration(),
        }
    }

    /// Begins a sign-in: where the browser goes, and what to keep until it is back.
    pub(super) async fn begin(&self) -> Result<(String, Pending), ClientError> {
        match self {
            Self::Oidc(client) => {
                let (url, pending) = client.begin().await?;
                Ok((url, Pending::Oidc(pending)))
            }
            Self::Saml(client) => {
                let (url, id) = client.begin().await?;
                Ok((url, Pending::Saml(id)))
            }
            Self::Cas(client) => Ok((client.begin(), Pending::Cas)),
        }
    }

    /// Believes the answer to a sign-in of this browser, or says why not; `None` where it answers another.
    pub(super) async fn finish(
        &self,
        fields: &Fields,
        pending: Pending,
    ) -> Result<Option<Arrival>, ClientError> {
        match (self, pending) {
            (Self::Oidc(client), Pending::Oidc(pending)) => client.finish(fields, pending).await,
            (Self::Saml(client), Pending::Saml(request)) => client.finish(fields, &request).await,
            (Self::Cas(client), Pending::Cas) => client.finish(fields).await,
            _ => Ok(None),
        }
    }

    /// Where the browser goes to sign out everywhere.
    pub(super) async fn leave(&self, login: &Login) -> Result<String, ClientError> {
        match (self, login) {
            (Self::Oidc(client), Login::Token { id_token, .. }) => client.leave(id_token).await,
            (Self::Saml(client), Login::Name { name, session }) => client.leave(name, session).await,
            (Self::Cas(client), _) => Ok(client.leave()),
            _ => Ok(self.registration().home()),
        }
    }

    /// Reads a notice that somebody has left: the query of an address, or a form; `None` where it is none.
    pub(super) async fn told(&self, text: &str) -> Result<Option<Told>, ClientError> {
        match self {
            Self::Oidc(client) => Ok(client.told(text)),
            Self::Saml(client) => client.told(text).await,
            Self::Cas(client) => Ok(client.told(text)),
        }
    }
}
