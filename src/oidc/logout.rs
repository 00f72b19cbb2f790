//! RP-Initiated Logout 1.0 §2, §3: whether a person is asked before they are signed out, and where they go then; and
//! Front-Channel Logout 1.0 §2: the address that the browser of a login that has ended visits at a client.
//!
//! | who asks | the person | afterwards |
//! | --- | --- | --- |
//! | an ID Token of this very login | is not asked | to the registered address, else our page |
//! | anything else, somebody signed in | is asked | to the registered address of a client that was named, else our page |
//! | anything, nobody signed in | has nothing to be asked | the same |
//!
//! `logout_hint` proves nothing, because anybody can write one, and the person who is asked is told who they are by the
//! page itself: it is read and decides nothing.
//!
//! An address that is not registered, character for character, for the client that is known is never gone to.

use super::id_token::Hint;
use crate::base::url;
use crate::domain::relying_party::{LogoutAddress, RelyingParty};
use crate::oauth::parameters::Parameters;

/// What was asked, nothing believed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// An ID Token the client was issued.
    pub id_token_hint: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// A parameter came twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a parameter came more than once")]
pub struct Repeated;

impl Request {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn read(parameters: &Parameters) -> Result<Self, Repeated> {
        let known = [
            "id_token_hint",
            "client_id",
            "post_logout_redirect_uri",
            "state",
            "logout_hint",
            "ui_locales",
        ];
        if parameters.first_repeated(&known).is_some() {
            return Err(Repeated);
        }
        let text = |name| parameters.get(name).map(str::to_owned);
        Ok(Self {
            id_token_hint: text("id_token_hint"),
            client_id: text("client_id"),
            post_logout_redirect_uri: text("post_logout_redirect_uri"),
            state: text("state"),
        })
    }

    /// The client the request is about, where its parts agree: "When both client_id and id_token_hint are present, the OP
    /// MUST verify that the Client Identifier matches" (§2). A hint that came and cannot be believed makes the whole
    /// request one without a client (§4: what failed to validate must not be used).
    pub fn client<'a>(&'a self, hint: Option<&'a Hint>) -> Option<&'a str> {
        match (&self.id_token_hint, hint, &self.client_id) {
            (Some(_), None, _) => None,
            (_, Some(hint), Some(id)) => (hint.client == *id).then_some(id),
            (_, Some(hint), None) => Some(&hint.client),
            (None, None, Some(id)) => Some(id),
            (None, None, None) => None,
        }
    }

    /// Where the person is sent in the end, `state` with it: an address registered for the client, else nowhere (§3).
    pub fn destination(&self, party: Option<&RelyingParty>) -> Option<String> {
        let wanted = self.post_logout_redirect_uri.as_ref()?;
        let party = party.filter(|party| party.enabled)?;
        let registered = party.post_logout_redirect_uris.contains(wanted);
        let state = self.state.iter().map(|state| ("state", state.as_str()));
        registered.then(|| url::with_parameters(wanted, state))
    }
}

/// What the browser visits at a client whose login has ended, `iss` and `sid` with it where the client needs them to know
/// which (Front-Channel Logout §2: "if either is included, both MUST be"). `None` for an address that no frame can open.
pub fn frame(address: &LogoutAddress, issuer: &str, sid: &str) -> Option<String> {
    url::origin(&address.uri)?;
    let of_login = [("iss", issuer), ("sid", sid)];
    let added = of_login.into_iter().filter(|_| address.session_required);
    Some(url::with_parameters(&address.uri, added))
}

/// The login of the browser, as the client of the request knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The person.
    pub subject: Option<String>,
    /// The login.
    pub sid: String,
}

/// Whether the request may end the login without asking: its hint names this person **and** this login.
pub fn is_proved(request: &Request, hint: Option<&Hint>, known: &Known) -> bool {
    let Some(hint) = hint.filter(|hint| request.client(Some(hint)).is_some()) else {
        return false;
    };
    known.subject.as_deref() == Some(&hint.subject) && hint.sid.as_deref() == Some(&known.sid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::party;

    fn request(query: &str) -> Request {
        Request::read(&Parameters::read(query).unwrap()).unwrap()
    }

    fn hint(client: &str) -> Hint {
        Hint {
            client: client.into(),
            subject: "lina".into(),
            sid: Some("login".into()),
        }
    }

    #[test]
    fn the_client_is_known_only_where_all_parts_agree() {
        let ent = hint("ent");
        assert_eq!(request("id_token_hint=t").client(Some(&ent)), Some("ent"));
        assert_eq!(
            request("id_token_hint=t&client_id=ent").client(Some(&ent)),
            Some("ent")
        );
        assert_eq!(
            request("id_token_hint=t&client_id=cantine").client(Some(&ent)),
            None
        );
        assert_eq!(request("client_id=ent").client(None), Some("ent"));
        assert_eq!(
            request("id_token_hint=bad&client_id=ent").client(None),
            None,
            "case 40: a bad hint"
        );
        assert_eq!(request("").client(None), None);
        for twice in [
            "state=a&state=b",
            "ui_locales=fr&ui_locales=en",
            "logout_hint=a&logout_hint=b",
        ] {
            assert!(
                Request::read(&Parameters::read(twice).unwrap()).is_err(),
                "{twice}"
            );
        }
    }

    #[test]
    fn case_40_only_a_registered_address_is_gone_to() {
        let ent = party("ent");
        let to = |query: &str| request(query).destination(Some(&ent));
        let bye = "post_logout_redirect_uri=https%3A%2F%2Fent.example%2Fbye";
        assert_eq!(to(bye).as_deref(), Some("https://ent.example/bye"));
        assert_eq!(
            to(&format!("{bye}&state=a+b")).as_deref(),
            Some("https://ent.example/bye?state=a+b")
        );
        assert_eq!(request(bye).destination(None), None);
        for wrong in [
            "https://evil.example/",
            "https://ent.example/bye/",
            "https://ent.example/cb",
            "javascript:x",
        ] {
            assert_eq!(
                to(&url::query([("post_logout_redirect_uri", wrong)])),
                None,
                "{wrong}"
            );
        }
        let mut disabled = party("ent");
        disabled.enabled = false;
        assert_eq!(request(bye).destination(Some(&disabled)), None);
    }

    #[test]
    fn case_40_only_a_hint_of_this_login_ends_it_without_asking() {
        let known = |subject: &str, sid: &str| Known {
            subject: Some(subject.into()),
            sid: sid.into(),
        };
        let plain = request("id_token_hint=t");
        assert!(is_proved(&plain, Some(&hint("ent")), &known("lina", "login")));
        assert!(!is_proved(&plain, Some(&hint("ent")), &known("maddi", "login")));
        assert!(!is_proved(
            &plain,
            Some(&hint("ent")),
            &known("lina", "another login")
        ));
        assert!(!is_proved(&plain, None, &known("lina", "login")));
        let mismatch = request("id_token_hint=t&client_id=cantine");
        assert!(!is_proved(&mismatch, Some(&hint("ent")), &known("lina", "login")));
        let nobody = Known {
            subject: None,
            sid: "login".into(),
        };
        assert!(!is_proved(&plain, Some(&hint("ent")), &nobody));
    }

    #[test]
    fn front_channel_logout_section_2_both_parameters_or_none() {
        let visited = |uri: &str, session_required| {
            let uri = uri.to_owned();
            let address = LogoutAddress {
                uri,
                session_required,
            };
            frame(&address, "https://id.example", "login")
        };
        assert_eq!(
            visited("https://ent.example/out?a=1", true).as_deref(),
            Some("https://ent.example/out?a=1&iss=https%3A%2F%2Fid.example&sid=login")
        );
        let plain = visited("https://ent.example/out", false);
        assert_eq!(plain.as_deref(), Some("https://ent.example/out"));
        assert_eq!(visited("javascript:alert(1)", true), None);
    }
}
