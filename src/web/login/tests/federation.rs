//! Two installations: `up` plays the provider by SAML and by OpenID Connect, `down` is ours. And a browser with a jar for each,
//! that follows redirects, submits the forms that submit themselves, and sends no cookie with a form of another site.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::base::secret::Secret;
use crate::base::time::ManualClock;
use crate::base::url;
use crate::domain::education::AcademyCode;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{
    ClientAuthMethod, LogoutAddress, Preset as ShownAs, RelyingParty, SamlParty,
};
use crate::domain::saml_source::{Location, MAX_AGE, MAX_VALIDITY, Terms};
use crate::domain::source::{AafKey, Source};
use crate::domain::testing::party;
use crate::domain::upstream::{
    Assurance, Linking, OidcProvider, Otherwise, Population, Preset, Protocol, SamlProvider,
    UpstreamProvider, Userinfo,
};
use crate::flows::outbound::{Answer, Outbound};
use crate::flows::testing::{Partners, scene};
use crate::flows::upstream::metadata;
use crate::flows::{Context, Settings};
use crate::saml::metadata::read;
use crate::saml::xml::{Document, Limits};
use crate::web::oauth::tests::site::{COLLEGE, ECOLE, Reply, Scene, Site};
use crate::web::saml::tests::partner::Posted;

pub(super) const UP: &str = "https://up.example";
pub(super) const DOWN: &str = "https://id.example.fr";
/// The provider that plays EduConnect, by SAML, and the same installation by OpenID Connect.
pub(super) const BY_SAML: &str = "educonnect";
pub(super) const BY_OIDC: &str = "autre-ent";

/// The way from `down` to the program of `up`.
struct Between(Arc<Site>);

impl Outbound for Between {
    fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_> {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let path = parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned();
            parts.uri = path.parse().unwrap();
            let reply = self.0.send(Request::from_parts(parts, Body::from(body))).await;
            let mut answer = http::Response::new(reply.body.into_bytes());
            *answer.status_mut() = reply.status;
            *answer.headers_mut() = reply.headers;
            Ok(answer)
        })
    }
}

/// Both installations.
pub(super) struct Federation {
    pub(super) up: Arc<Site>,
    /// What the provider sends to others.
    pub(super) told: Arc<Partners>,
    pub(super) down: Site,
    /// Lina as the provider knows her.
    pub(super) lina_there: Identity,
    /// Lina as we know her: the same key in the directory of the academy.
    pub(super) lina: Identity,
}

/// How Lina is known in the directory of the academy.
fn key(jointure: &str) -> AafKey {
    AafKey {
        source: Source::Aaf2d,
        academy: "14".parse::<AcademyCode>().unwrap(),
        jointure: jointure.into(),
        attachment: Some("1037745".into()),
        school: COLLEGE.parse().unwrap(),
        profile: crate::domain::education::Profile::Pupil,
    }
}

/// A provider of ours, as a declaration would have it.
pub(super) fn provider(id: &str, protocol: Protocol, otherwise: Otherwise) -> UpstreamProvider {
    UpstreamProvider {
        id: id.parse().unwrap(),
        name: format!("Le {id}"),
        preset: match &protocol {
            Protocol::Saml(_) => Preset::EduConnectSaml,
            Protocol::Oidc(_) => Preset::GenericOidc,
        },
        populations: Population::ALL.to_vec(),
        protocol,
        linking: Linking {
            by_source_key: true,
            by_ine: false,
            guardians_by_child: true,
            otherwise,
        },
        assurance: Assurance::default(),
        academies: Vec::new(),
        staff_rules: Vec::new(),
        convention: Some("2026-17".into()),
        starts_on: None,
        ends_on: None,
        enabled: true,
    }
}

pub(super) fn by_saml() -> SamlProvider {
    SamlProvider {
        entity_id: format!("{UP}/saml/metadata"),
        terms: Terms {
            location: Location::Url(format!("{UP}/saml/metadata")),
            keys: Vec::new(),
            entity_id: Some(format!("{UP}/saml/metadata")),
            http_addresses: false,
            max_age: MAX_AGE,
            max_validity: MAX_VALIDITY,
            most_bytes: 1 << 20,
        },
        unsolicited: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".into()),
        authn_context: Vec::new(),
        encrypted: true,
        logout: true,
    }
}

fn by_oidc() -> OidcProvider {
    OidcProvider {
        issuer: UP.into(),
        client_id: "marelle".into(),
        auth_method: ClientAuthMethod::SecretBasic,
        scopes: vec!["profile".into()],
        acr_values: None,
        required_acr: Vec::new(),
        claims: None,
        pkce: true,
        requires_iss: true,
        userinfo: Userinfo::Json,
        endpoints: None,
        logout: true,
    }
}

/// Declares a provider, and takes its metadata.
pub(super) async fn declare(context: &Context, provider: UpstreamProvider, secret: Option<&str>) {
    let id = provider.id.clone();
    scene::declare_upstream(context, provider, secret).await;
    let taken = metadata::refresh(context, &id).await.unwrap();
    assert!(matches!(taken, Some(metadata::Outcome::Taken(_))), "{taken:?}");
}

impl Federation {
    /// Both, on the database of a scene and one of its own for the provider. Whoever comes by a provider and whom no link and
    /// no key leads to is treated as `otherwise` says.
    pub(super) async fn new((context, clock): Scene, otherwise: Otherwise) -> (Self, tempfile::TempDir) {
        let (up, told, folder) = up(&clock).await;
        let context = Context {
            outbound: Arc::new(Between(Arc::clone(&up))),
            ..context
        };
        let down = Site::new((context, clock)).await;
        let lina_there = up.pupil("Lina", 1, ECOLE).await;
        scene::state(&up.context, &lina_there, &key("1234567")).await;
        let lina = down.pupil("Lina", 1, COLLEGE).await;
        scene::state(&down.context, &lina, &key("1234567")).await;
        let mut saml = party("aval");
        saml.redirect_uris.clear();
        saml.saml = Some(SamlParty {
            entity_id: format!("{DOWN}/saml/sp/metadata"),
            preset: ShownAs::EduConnect,
            ..SamlParty::default()
        });
        let own = down
            .send(Request::get("/saml/sp/metadata").body(Body::empty()).unwrap())
            .await;
        let document = Document::read(own.body.as_bytes(), &Limits::METADATA).unwrap();
        let read = read(document.root(), Default::default(), down.context.now()).unwrap();
        scene::declare_provider(&up.context, &saml, &read.provider).await;
        up.declare(&marelle_there()).await;
        scene::tell(&up.context, &lina_there).await;
        scene::tell(&down.context, &lina).await;
        let provider_saml = provider(BY_SAML, Protocol::Saml(by_saml()), otherwise);
        declare(&down.context, provider_saml, None).await;
        let provider_oidc = provider(BY_OIDC, Protocol::Oidc(by_oidc()), otherwise);
        // One installation is one provider: by OpenID Connect it has another issuer.
        declare(&down.context, provider_oidc, Some("secret of marelle")).await;
        let federation = Self {
            up,
            told,
            down,
            lina_there,
            lina,
        };
        (federation, folder)
    }

    fn site(&self, address: &str) -> Option<(&Site, String)> {
        for (origin, site) in [(UP, &*self.up), (DOWN, &self.down)] {
            if let Some(path) = address.strip_prefix(origin) {
                return Some((site, if path.is_empty() { "/".into() } else { path.into() }));
            }
        }
        None
    }

    /// A browser in which Lina is signed in at the provider.
    pub(super) async fn browser(&self) -> Browser {
        let cookie = scene::sign_in(&self.up.context, &self.lina_there, None).await;
        let mut browser = Browser::default();
        browser.set(UP, "__Host-marelle", cookie.expose());
        // A login that was asked for must be later than the question, by the clock of the test.
        self.up.advance(1);
        browser
    }

    /// The same as `who` at the provider, in a browser of their own.
    pub(super) async fn browser_of(&self, who: &Identity) -> Browser {
        scene::tell(&self.up.context, who).await;
        let cookie = scene::sign_in(&self.up.context, who, None).await;
        let mut browser = Browser::default();
        browser.set(UP, "__Host-marelle", cookie.expose());
        self.up.advance(1);
        browser
    }

    /// The person of a browser at our installation.
    pub(super) async fn who(&self, browser: &Browser) -> Option<Identity> {
        let cookie = browser.cookie(DOWN, "__Host-marelle")?;
        let found = crate::flows::session::find(&self.down.context, &Secret::new(cookie)).await;
        found.unwrap().map(|signed_in| signed_in.identity)
    }
}

async fn up(clock: &Arc<ManualClock>) -> (Arc<Site>, Arc<Partners>, tempfile::TempDir) {
    let (context, _, folder) = crate::flows::testing::context_on_sqlite().await;
    let settings = Settings {
        public_url: UP.into(),
        ..(*context.settings).clone()
    };
    let told = Arc::new(Partners::default());
    told.answer(DOWN, |_| http::Response::new(Vec::new()));
    let context = Context {
        settings: Arc::new(settings),
        clock: clock.clone(),
        outbound: told.clone(),
        ..context
    };
    (Arc::new(Site::new((context, clock.clone())).await), told, folder)
}

/// Us, as the provider knows us by OpenID Connect.
fn marelle_there() -> RelyingParty {
    let mut party = party("marelle");
    party.redirect_uris = vec![format!("{DOWN}/login/callback/{BY_OIDC}")];
    party.post_logout_redirect_uris = vec![format!("{DOWN}/sign-out")];
    party.metadata.backchannel_logout = Some(LogoutAddress {
        uri: format!("{DOWN}/login/callback/{BY_OIDC}/logout"),
        session_required: true,
    });
    party
}

/// A browser: a jar for each site.
#[derive(Debug, Clone, Default)]
pub(super) struct Browser {
    jars: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a browser came to a stop.
#[derive(Debug)]
pub(super) struct Landed {
    pub(super) address: String,
    /// What is there; `None` for a site of somebody else.
    pub(super) reply: Option<Reply>,
    /// A form that was on its way to somebody else.
    pub(super) posted: Option<Posted>,
}

impl Landed {
    pub(super) fn page(&self) -> &Reply {
        self.reply
            .as_ref()
            .unwrap_or_else(|| panic!("not here: {}", self.address))
    }

    /// A parameter of the address.
    pub(super) fn sent(&self, name: &str) -> Option<String> {
        let (_, query) = self.address.split_once('?')?;
        let all = url::parameters(query);
        all.into_iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }
}

impl Browser {
    pub(super) fn set(&mut self, origin: &str, name: &str, value: &str) {
        let jar = self.jars.entry(origin.to_owned()).or_default();
        jar.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn cookie(&self, origin: &str, name: &str) -> Option<&str> {
        self.jars.get(origin)?.get(name).map(String::as_str)
    }

    pub(super) fn forget(&mut self, origin: &str) {
        self.jars.remove(origin);
    }

    async fn step(
        &mut self,
        federation: &Federation,
        address: &str,
        (form, from): (Option<&str>, &str),
    ) -> Option<Reply> {
        let (site, path) = federation.site(address)?;
        let origin = url::origin(address).unwrap();
        let mut request = match form {
            Some(_) => Request::post(&path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
            None => Request::get(&path),
        };
        // SameSite=Lax: a form of another site comes without cookies.
        if form.is_none() || from == origin {
            let jar = self.jars.entry(origin.clone()).or_default();
            let cookies: Vec<String> = jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if form.is_some() {
            request = request.header(header::ORIGIN, from);
        }
        let body = Body::from(form.unwrap_or_default().to_owned());
        let reply = site.send(request.body(body).unwrap()).await;
        for cookie in reply.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (pair, rest) = text.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let jar = self.jars.entry(origin.clone()).or_default();
            if value.is_empty() || rest.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(reply)
    }

    /// Asks for one address, and goes no further.
    pub(super) async fn once(&mut self, federation: &Federation, address: &str) -> Reply {
        let reply = self.step(federation, address, (None, DOWN)).await;
        reply.unwrap_or_else(|| panic!("not here: {address}"))
    }

    /// Takes a way in, up to where the provider is asked.
    pub(super) async fn leave(&mut self, federation: &Federation, provider: &str) -> Reply {
        let way = format!("{DOWN}/login/with/{provider}");
        // The first answer is the cookie.
        self.once(federation, &way).await;
        self.once(federation, &way).await
    }

    /// Goes to an address, and on until there is something to read or to choose.
    pub(super) async fn go(&mut self, federation: &Federation, address: &str) -> Landed {
        self.walk(federation, address.to_owned(), None, DOWN).await
    }

    /// Submits a form of a page of `from`.
    pub(super) async fn submit(
        &mut self,
        federation: &Federation,
        address: &str,
        (form, from): (String, &str),
    ) -> Landed {
        self.walk(federation, address.to_owned(), Some(form), from).await
    }

    async fn walk(
        &mut self,
        federation: &Federation,
        mut address: String,
        mut form: Option<String>,
        from: &str,
    ) -> Landed {
        let mut from = from.to_owned();
        for _ in 0..20 {
            let Some(reply) = self.step(federation, &address, (form.as_deref(), &from)).await else {
                return Landed {
                    address,
                    reply: None,
                    posted: None,
                };
            };
            let here = url::origin(&address).unwrap();
            if reply.status == StatusCode::SEE_OTHER {
                let next = reply.location().to_owned();
                address = if next.starts_with('/') {
                    format!("{here}{next}")
                } else {
                    next
                };
                form = None;
                continue;
            }
            let is_form =
                reply.body.contains("name=\"SAMLResponse\"") || reply.body.contains("name=\"SAMLRequest\"");
            if reply.status == StatusCode::OK && is_form {
                let posted = Posted::of(&reply);
                if federation.site(&posted.action).is_none() {
                    return Landed {
                        address: posted.action.clone(),
                        reply: None,
                        posted: Some(posted),
                    };
                }
                let name = if reply.body.contains("SAMLResponse") {
                    "SAMLResponse"
                } else {
                    "SAMLRequest"
                };
                let message = crate::saml::wire::to_form(&posted.message);
                let state = posted.relay_state.as_deref().map(|state| ("RelayState", state));
                form = Some(url::query([(name, message.as_str())].into_iter().chain(state)));
                address = posted.action;
                from = here;
                continue;
            }
            return Landed {
                address,
                reply: Some(reply),
                posted: None,
            };
        }
        panic!("the browser goes round in circles: {address}");
    }
}
