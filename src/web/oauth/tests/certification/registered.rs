//! The relying party of the Dynamic plan: it registers itself under the policy that an operator who wants the plan to run
//! declares, proves itself by a key, and removes itself at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::relying_party::{Client, Suite};
use crate::domain::registration::Policy;
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::testing::{party, policy};
use crate::flows::registration;
use crate::flows::testing::scene;
use crate::jose::{Algorithm, PrivateKey};
use crate::web::oauth::tests::site::{ISSUER, Reply};

/// Where the answers of the plan's clients go.
pub(super) const CALLBACK: &str = "https://suite.example/test/a/marelle/callback";

/// What a client signs with.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    key: Arc<PrivateKey>,
    /// What its keys are called; the plan's are called nothing, unless they are published.
    pub(super) kid: Option<String>,
    /// To whom assertions are addressed.
    pub(super) audience: String,
}

impl Signer {
    /// A new key by RS256, which is what the plan uses.
    pub(super) fn new(suite: &Suite, kid: Option<&str>) -> Self {
        Self {
            key: Arc::new(PrivateKey::generate(Algorithm::Rs256).unwrap()),
            kid: kid.map(str::to_owned),
            audience: format!("{ISSUER}{}", suite.endpoint("token_endpoint")),
        }
    }

    /// A key that is there, for assertions that are addressed to the issuer.
    pub(super) fn of(key: PrivateKey) -> Self {
        Self {
            key: Arc::new(key),
            kid: None,
            audience: ISSUER.to_owned(),
        }
    }

    /// The set of its public key.
    pub(super) fn jwks(&self) -> Value {
        let mut key = self.key.public().to_json();
        let members = key.as_object_mut().unwrap();
        members.remove("kid");
        if let Some(kid) = &self.kid {
            members.insert("kid".into(), kid.as_str().into());
        }
        json!({ "keys": [key] })
    }

    /// What an assertion of a client says (OpenID Connect Core §9).
    pub(super) fn claims(&self, suite: &Suite, client: &Client) -> Value {
        let now = suite.site.context.now().seconds();
        json!({
            "iss": client.id, "sub": client.id, "aud": self.audience, "jti": suite.draw(),
            "iat": now, "nbf": now, "exp": now + 60,
        })
    }

    /// Claims, signed as the plan does: no `typ`, and a `kid` only where the key has one.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let mut header = json!({ "alg": self.key.public().algorithm().as_str() });
        if let Some(kid) = &self.kid {
            header["kid"] = kid.as_str().into();
        }
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// A right assertion.
    pub(super) fn assertion(&self, suite: &Suite, client: &Client) -> String {
        self.sign(&self.claims(suite, client))
    }
}

/// A client that registered itself.
pub(super) struct Registered {
    /// The client.
    pub(super) client: Client,
    /// What it was answered.
    pub(super) answer: Value,
}

/// What is declared for the plan: the host of the suite, everything released, and PKCE left to the client because the
/// plan sends none.
fn declared() -> Policy {
    let mut declared = policy("suite");
    declared.pkce_required = false;
    declared.release = party("suite").release;
    declared
}

impl Suite {
    /// What a client of the plan asks for.
    pub(super) fn wanted(&self, signer: &Signer) -> Value {
        json!({
            "client_name": format!("suite {}", self.draw()),
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": signer.jwks(),
            "contacts": ["certification@oidf.example"],
        })
    }

    /// Sends a registration request, with a token that the operator made for it.
    pub(super) async fn ask_to_register(&self, wanted: &Value) -> Reply {
        let declared = declared();
        scene::declare_policy(&self.site.context, &declared).await;
        let day = Duration::from_secs(86400);
        let invited = registration::invite(&self.site.context, &declared.id, day).await;
        let (token, _) = invited.unwrap().unwrap();
        let request = Request::post(self.endpoint("registration_endpoint"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        let request = request.body(Body::from(wanted.to_string())).unwrap();
        self.site.send(request).await
    }

    /// Registers a client that asks for something changed, and looks at the answer (OpenID Connect Dynamic Registration
    /// §3.2).
    pub(super) async fn registered(&self, change: impl FnOnce(&mut Value)) -> Registered {
        let signer = Signer::new(self, None);
        self.registered_with(signer, change).await
    }

    /// The same, with a key that is there already.
    pub(super) async fn registered_with(
        &self,
        signer: Signer,
        change: impl FnOnce(&mut Value),
    ) -> Registered {
        let mut wanted = self.wanted(&signer);
        change(&mut wanted);
        let reply = self.ask_to_register(&wanted).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let answer = reply.json();
        assert_eq!(answer.get("error"), None, "{answer}");
        assert_eq!(answer.get("client_secret"), None, "it has keys");
        for name in [
            "client_id",
            "registration_access_token",
            "registration_client_uri",
        ] {
            assert!(
                answer[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name}"
            );
        }
        assert!(
            answer["registration_client_uri"]
                .as_str()
                .unwrap()
                .starts_with("https://")
        );
        let client = Client {
            id: answer["client_id"].as_str().unwrap().to_owned(),
            redirect_uri: answer["redirect_uris"][0].as_str().unwrap().to_owned(),
            secret: String::new(),
            auth_method: ClientAuthMethod::PrivateKeyJwt,
            signer: Some(signer),
            holder: None,
        };
        Registered { client, answer }
    }

    /// Refused to register: 400, JSON, an error of RFC 7591 §3.2.2.
    pub(super) async fn registration_error(&self, wanted: &Value) -> String {
        let reply = self.ask_to_register(wanted).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        reply.error()
    }

    /// What a client does at the end of every module: it removes itself (RFC 7592 §2.3).
    pub(super) async fn unregister(&self, registered: &Registered) {
        let text = |name: &str| registered.answer[name].as_str().unwrap();
        let path = text("registration_client_uri").strip_prefix(ISSUER).unwrap();
        let token = text("registration_access_token");
        let request = Request::delete(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let reply = self.site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (StatusCode::NO_CONTENT, ""),
            "{reply:?}"
        );
    }
}
