//! The relying party of this plan: it holds keys and no secret, pushes every request, and binds its tokens to another key.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;

use crate::domain::relying_party::{
    ClientAuthMethod, ClientKeys, GrantType, RelyingParty, SecurityProfile, SigningAlgorithm,
};
use crate::jose::{Algorithm, PrivateKey};
use crate::oauth::client_assertion;
use crate::oauth::dpop::testing::{Draft, Holder};
use crate::oidc::registration::coherence;
use crate::web::oauth::tests::certification::checks::check_description;
use crate::web::oauth::tests::certification::registered::Signer;
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, DPOP, Suite, Tokens};
use crate::web::oauth::tests::site::{Reply, VERIFIER};

/// The parameters of a proof of the client by an assertion (RFC 7523 §2.2).
pub(super) fn by_assertion(assertion: &str) -> [(&str, &str); 2] {
    [
        ("client_assertion", assertion),
        ("client_assertion_type", client_assertion::TYPE),
    ]
}

/// What comes back with a reference: nothing but it and who asks (RFC 9126 §4).
pub(super) fn brought(client: &Client, reference: &str) -> Asked {
    Asked::default()
        .with("client_id", &client.id)
        .with("request_uri", reference)
}

impl Client {
    pub(super) fn signer(&self) -> &Signer {
        self.signer.as_ref().unwrap()
    }

    pub(super) fn holder(&self) -> &Holder {
        self.holder.as_ref().unwrap()
    }

    /// The same with another key to bind tokens to.
    pub(super) fn held_by(&self, holder: Holder) -> Self {
        Self {
            holder: Some(holder),
            ..self.clone()
        }
    }
}

impl Suite {
    /// Declares a client as an operator would who is asked for the profile: nothing besides has to be said.
    pub(super) async fn strict(&self, id: &str) -> Client {
        self.strict_with(id, |_| {}).await
    }

    /// The same, changed.
    pub(super) async fn strict_with(&self, id: &str, change: impl FnOnce(&mut RelyingParty)) -> Client {
        let signer = Signer::of(PrivateKey::generate(Algorithm::Es256).unwrap());
        let keys = ClientKeys::Jwks(signer.jwks().to_string());
        let client = self
            .client_with(id, |party| {
                party.pkce_required = true;
                party.id_token_alg = SigningAlgorithm::Es256;
                party.auth_method = ClientAuthMethod::PrivateKeyJwt;
                party.secrets.clear();
                party.metadata.profile = SecurityProfile::Fapi2;
                party.metadata.keys = keys;
                party.metadata.grant_types.push(GrantType::RefreshToken);
                change(party);
                assert_eq!(coherence::check(party), Ok(()));
            })
            .await;
        Client {
            signer: Some(signer),
            holder: Some(Holder::new()),
            ..client
        }
    }

    /// The client and a right request of it.
    pub(super) async fn strict_request(&self) -> (Client, Asked) {
        let client = self.strict("suite").await;
        let asked = self.request(&client);
        (client, asked)
    }

    /// Sends a form of a program, as the endpoint's name in the discovery document has it.
    pub(super) async fn call(&self, endpoint: &str, form: &Asked, proofs: &[&str]) -> Reply {
        self.call_by(Method::POST, endpoint, form, proofs).await
    }

    /// The same by another method.
    pub(super) async fn call_by(
        &self,
        method: Method,
        endpoint: &str,
        form: &Asked,
        proofs: &[&str],
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(self.endpoint(endpoint))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        for proof in proofs {
            request = request.header(DPOP, *proof);
        }
        self.site
            .send(request.body(Body::from(form.query())).unwrap())
            .await
    }

    /// A form with a proof of the client in it.
    pub(super) fn proved(&self, client: &Client, form: &Asked) -> Asked {
        self.proved_by(form, &client.signer().assertion(self, client))
    }

    /// The same with this assertion.
    pub(super) fn proved_by(&self, form: &Asked, assertion: &str) -> Asked {
        by_assertion(assertion)
            .into_iter()
            .fold(form.clone(), |form, (name, value)| form.with(name, value))
    }

    /// A proof of possession for an endpoint.
    pub(super) fn proof_at<'a>(&self, client: &'a Client, endpoint: &str) -> Draft<'a> {
        self.proof(client.holder(), "POST", &self.endpoint(endpoint))
    }

    /// Pushes a request.
    pub(super) async fn push(&self, client: &Client, asked: &Asked, proofs: &[&str]) -> Reply {
        let form = self.proved(client, asked);
        self.call("pushed_authorization_request_endpoint", &form, proofs)
            .await
    }

    /// Pushes a right request, and answers the reference.
    pub(super) async fn pushed(&self, client: &Client, asked: &Asked) -> String {
        let reply = self.push(client, asked, &[]).await;
        self.reference(&reply)
    }

    /// The reference of an answer (RFC 9126 §2.2; FAPI 2.0 Security Profile §5.3.2.2: shorter than ten minutes).
    pub(super) fn reference(&self, reply: &Reply) -> String {
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        let answer = reply.json();
        assert!((5..600).contains(&answer["expires_in"].as_u64().unwrap()));
        let reference = answer["request_uri"].as_str().unwrap();
        let (_, drawn) = reference.rsplit_once(':').unwrap();
        assert!(drawn.len() >= 22, "128 bits: {reference}");
        reference.to_owned()
    }

    /// Pushes a request and takes the browser there; answers the code.
    pub(super) async fn strict_code(&mut self, client: &Client, asked: &Asked) -> String {
        let reference = self.pushed(client, asked).await;
        self.code_at(client, asked, &reference).await
    }

    /// The code of a request that was pushed.
    pub(super) async fn code_at(&mut self, client: &Client, asked: &Asked, reference: &str) -> String {
        let callback = self.authorize(&brought(client, reference)).await.callback();
        self.code_of(client, asked, &callback)
    }

    /// The whole way, from the pushed request to the resource.
    pub(super) async fn strict_flow(&mut self, client: &Client, asked: &Asked) -> Tokens {
        let code = self.strict_code(client, asked).await;
        let tokens = self.redeem(client, asked, &code).await;
        self.userinfo(&tokens).await;
        tokens
    }

    /// A token request for a code.
    pub(super) fn redemption(&self, client: &Client, code: &str) -> Asked {
        Asked::default()
            .with("grant_type", "authorization_code")
            .with("code", code)
            .with("redirect_uri", &client.redirect_uri)
            .with("code_verifier", VERIFIER)
    }

    /// Calls the resource, which is userinfo.
    pub(super) async fn resource(&self, scheme: &str, token: &str, proofs: &[&str]) -> Reply {
        let mut request =
            Request::get(self.userinfo_endpoint()).header(header::AUTHORIZATION, format!("{scheme} {token}"));
        for proof in proofs {
            request = request.header(DPOP, *proof);
        }
        self.site.send(request.body(Body::empty()).unwrap()).await
    }

    /// A proof of possession for the resource.
    pub(super) fn proof_of<'a>(&self, holder: &'a Holder, token: &str) -> Draft<'a> {
        self.proof(holder, "GET", &self.userinfo_endpoint())
            .of_token(token)
    }
}

/// Refused as RFC 6749 §5.2 has it, with one of these errors: 400, or 401 where it is the client that is not believed.
pub(super) fn is_refused(reply: &Reply, errors: &[&str]) {
    let answer: Value = reply.json();
    let error = answer["error"].as_str().unwrap();
    assert!(errors.contains(&error), "{reply:?}");
    let unbelieved = error == "invalid_client" && reply.status == StatusCode::UNAUTHORIZED;
    assert!(unbelieved || reply.status == StatusCode::BAD_REQUEST, "{reply:?}");
    check_description(answer["error_description"].as_str().unwrap_or_default());
    for given in ["access_token", "request_uri"] {
        assert_eq!(answer.get(given), None);
    }
}
