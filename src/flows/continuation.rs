//! Where a person who must sign in first was going: sealed into the address of the login page.
//!
//! Nothing is stored and no cookie is needed, so tabs cannot fight over it, a bookmarked login page still works and a
//! stale tab lands in the application. The seal keeps anyone from writing one: it names where the browser goes next.

use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};

use super::{Context, Failure};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::oauth::parameters::Parameters;
use crate::oidc::authorization::Hints;

/// After this long a continuation is run again as a fresh request.
pub const FRESH: Duration = Duration::from_secs(3600);

const CONTEXT: &str = "continuation";
/// The longest that is made or opened.
pub const LIMIT: usize = 16 * 1024;

/// The protocol a request came by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenID Connect.
    #[default]
    Oidc,
    /// SAML 2.0.
    Saml,
    /// CAS.
    Cas,
    /// None: somebody whom an upstream provider signed in proves once who they are here.
    Link,
}

impl Protocol {
    /// Where a request of it goes on.
    const fn resume_path(self) -> &'static str {
        match self {
            Self::Oidc => "/oauth/authorize/resume",
            Self::Saml => "/saml/sso/resume",
            Self::Cas => "/cas/login/resume",
            Self::Link => "/login/link",
        }
    }
}

/// A request of a service that waits for its person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// The protocol it came by.
    #[serde(default)]
    pub protocol: Protocol,
    /// The relying party.
    pub client: String,
    /// Its name, as people are shown it.
    pub service: String,
    /// The origin the browser will be sent to in the end; a login page must let its form lead there (CSP
    /// `form-action` is checked along redirects).
    pub origin: Option<String>,
    /// The request as a query, or as its protocol writes it: what its client signed, where it did.
    pub query: String,
    /// The digest of its `request_uri` in hexadecimal, where it was pushed (RFC 9126); used up with the code.
    #[serde(default)]
    pub pushed: Option<String>,
    /// Whether a picture code would not be sure enough.
    #[serde(default)]
    pub needs_more_than_class: bool,
    /// Whether its client had signed it (RFC 9101).
    #[serde(default)]
    pub is_signed: bool,
    /// Whom its service believes to sign the person in, in words of its own (CAS: the parameter it uses for that).
    #[serde(default)]
    pub hint: Option<String>,
    /// When it came, in microseconds; a login the request demanded must be later.
    pub asked_at: i64,
}

/// The digest of a `request_uri` as a continuation writes it.
pub fn pushed_text(digest: &Digest) -> String {
    HEXLOWER.encode(digest.as_bytes())
}

impl Continuation {
    /// The digest of its `request_uri`, where it was pushed.
    pub fn pushed(&self) -> Option<Digest> {
        let bytes = HEXLOWER.decode(self.pushed.as_ref()?.as_bytes()).ok()?;
        Digest::from_stored(&bytes)
    }

    /// When the request came.
    pub fn asked_at(&self) -> Timestamp {
        Timestamp::from_micros(self.asked_at)
    }

    /// What the request lets the login page know.
    pub fn hints(&self) -> Hints {
        match self.protocol {
            Protocol::Oidc => {
                Parameters::read(&self.query).map_or_else(|_| Hints::default(), |asked| Hints::read(&asked))
            }
            Protocol::Saml | Protocol::Cas | Protocol::Link => Hints::default(),
        }
    }

    /// The provider that the service names to sign the person in: `idp_hint` of OpenID Connect, the parameter that a CAS
    /// service uses for it.
    pub fn provider_hint(&self) -> Option<String> {
        match self.protocol {
            Protocol::Oidc => {
                let asked = Parameters::read(&self.query).ok()?;
                asked.get("idp_hint").map(str::to_owned)
            }
            Protocol::Cas | Protocol::Saml => self.hint.clone(),
            Protocol::Link => None,
        }
    }

    /// Whether it came recently enough to count what was asked of the person as answered.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.asked_at()) < FRESH
    }

    /// Seals it into text that can stand in an address.
    ///
    /// # Errors
    /// [`Failure`] of the cryptographic library.
    pub fn seal(&self, context: &Context) -> Result<String, Failure> {
        let plain = serde_json::to_vec(self).map_err(|error| Failure::Task(error.to_string()))?;
        Ok(BASE64URL_NOPAD.encode(&context.vault.seal(CONTEXT, &plain, &*context.random)?))
    }

    /// Opens what [`Continuation::seal`] made; `None` for anything else.
    pub fn open(context: &Context, sealed: &str) -> Option<Self> {
        if sealed.len() > LIMIT {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let plain = context.vault.open(CONTEXT, &bytes).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// The protocol of a request that waits; OpenID Connect, whose flow says so, for what does not open.
pub fn protocol(context: &Context, sealed: &str) -> Protocol {
    Continuation::open(context, sealed).map_or(Protocol::Oidc, |waiting| waiting.protocol)
}

/// The path a browser is sent to once its person is signed in: back to the request that waits, else home.
pub fn resume_path(context: &Context, sealed: Option<&str>) -> String {
    let waiting = sealed.and_then(|sealed| Some((sealed, Continuation::open(context, sealed)?)));
    match waiting {
        Some((sealed, waiting)) => {
            crate::base::url::with_parameters(waiting.protocol.resume_path(), [("continue", sealed)])
        }
        None => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::testing::context_on_sqlite;

    #[tokio::test]
    async fn a_continuation_comes_back_whole_or_not_at_all() {
        let (context, _clock, _folder) = context_on_sqlite().await;
        let waiting = Continuation {
            protocol: Protocol::Oidc,
            client: "ent".into(),
            service: "ENT".into(),
            origin: Some("https://ent.example".into()),
            query: "client_id=ent&state=%C3%A9&login_hint=maddi".into(),
            pushed: None,
            needs_more_than_class: true,
            is_signed: false,
            hint: None,
            asked_at: context.now().micros(),
        };
        let sealed = waiting.seal(&context).unwrap();
        assert_eq!(Continuation::open(&context, &sealed), Some(waiting.clone()));
        assert_eq!(waiting.hints().login.as_deref(), Some("maddi"));
        assert!(resume_path(&context, Some(&sealed)).starts_with("/oauth/authorize/resume?continue="));
        for forged in [
            "",
            "x",
            &sealed[1..],
            &format!("{sealed}A"),
            "https://evil.example/",
        ] {
            assert_eq!(Continuation::open(&context, forged), None, "{forged}");
            assert_eq!(resume_path(&context, Some(forged)), "/");
        }
        assert!(waiting.is_fresh(context.now()));
        assert!(!waiting.is_fresh(context.now().plus(FRESH)));
    }
}
