//! Every way up, every way down, whoever begins the logout: nobody is left signed in anywhere that was asked to end.
//!
//! | | |
//! | --- | --- |
//! | up | SAML, OpenID Connect |
//! | down | OpenID Connect, SAML, CAS |
//! | who begins | the person here, the service, the provider |

use std::sync::Arc;

use super::federation::{BY_OIDC, BY_SAML, Browser, DOWN, Federation, Landed, UP};
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::relying_party::{CasService, LogoutAddress, RelyingParty};
use crate::domain::saml_entity::Binding as Travels;
use crate::domain::testing::party;
use crate::domain::upstream::{Binding, Metadata, Otherwise};
use crate::flows::testing::scene::{self, on_each_engine};
use crate::flows::upstream::link;
use crate::saml::wire;
use crate::saml::xml::{Element, Namespace};
use crate::saml::xmlsec::redirect::Kind;
use crate::web::oauth::tests::site::authorize_url;
use crate::web::saml::tests::partner::{Partner, element};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Down {
    Oidc,
    Saml,
    Cas,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Starter {
    Person,
    Service,
    Provider,
}

const MANUEL: &str = "https://manuel.example/app";

/// The services of the matrix, one for each protocol.
struct Services {
    lycee: Partner,
}

impl Services {
    async fn declare(federation: &Federation) -> Self {
        let down = &federation.down;
        let mut ent = party("ent");
        ent.metadata.backchannel_logout = Some(LogoutAddress {
            uri: "https://ent.example/told".into(),
            session_required: true,
        });
        down.declare(&ent).await;
        let lycee = Partner::new("lycee");
        lycee.declare(down).await;
        down.declare(&RelyingParty {
            redirect_uris: Vec::new(),
            cas: Some(CasService {
                services: vec![MANUEL.into()],
                ..CasService::default()
            }),
            ..party("manuel")
        })
        .await;
        scene::tell(&down.context, &federation.lina).await;
        Self { lycee }
    }

    /// The address by which a service asks for somebody.
    fn request(&self, down: Down, id: &str) -> String {
        match down {
            Down::Oidc => format!("{DOWN}{}", authorize_url("ent", &[])),
            Down::Saml => {
                let request = self.lycee.provider.authn_request(id);
                format!(
                    "{DOWN}/saml/sso?{}",
                    self.lycee.provider.query(Kind::Request, &request, None)
                )
            }
            Down::Cas => url::with_parameters(&format!("{DOWN}/cas/login"), [("service", MANUEL)]),
        }
    }

    /// The service has its person: what it needs to end the login later.
    async fn arrived(&self, federation: &Federation, (down, id): (Down, &str), landed: &Landed) -> String {
        match down {
            Down::Oidc => {
                let code = landed.sent("code").unwrap_or_else(|| panic!("{landed:?}"));
                let tokens = federation.down.token("ent", &code, &[]).await.json();
                let hint = tokens["id_token"].as_str().unwrap().to_owned();
                let back = "https://ent.example/bye";
                let parameters = [
                    ("id_token_hint", hint.as_str()),
                    ("post_logout_redirect_uri", back),
                ];
                url::with_parameters(&format!("{DOWN}/oauth/logout"), parameters)
            }
            Down::Saml => {
                let posted = landed.posted.as_ref().unwrap_or_else(|| panic!("{landed:?}"));
                let assertion = posted.assertion(&federation.down).await;
                let name = element(&assertion, "NameID");
                let index = element(&assertion, "AuthnStatement")
                    .attribute("SessionIndex")
                    .unwrap()
                    .to_owned();
                let copied = crate::saml::xml::Element::new(crate::saml::xml::Namespace::Saml, "NameID")
                    .attribute_if("Format", name.attribute("Format"))
                    .attribute_if("NameQualifier", name.attribute("NameQualifier"))
                    .attribute_if("SPNameQualifier", name.attribute("SPNameQualifier"))
                    .text(name.text().unwrap());
                let request = self
                    .lycee
                    .provider
                    .message("LogoutRequest", &format!("{id}-end"), &format!("{DOWN}/saml/slo"))
                    .child(copied)
                    .child(
                        crate::saml::xml::Element::new(crate::saml::xml::Namespace::Samlp, "SessionIndex")
                            .text(index),
                    );
                format!(
                    "{DOWN}/saml/slo?{}",
                    self.lycee.provider.query(Kind::Request, &request, None)
                )
            }
            Down::Cas => {
                let ticket = landed.sent("ticket").unwrap_or_else(|| panic!("{landed:?}"));
                let mut validator = Browser::default();
                let parameters = [("service", MANUEL), ("ticket", ticket.as_str())];
                let address = url::with_parameters(&format!("{DOWN}/cas/p3/serviceValidate"), parameters);
                let answer = validator.go(federation, &address).await;
                assert!(answer.page().body.contains("authenticationSuccess"), "{answer:?}");
                url::with_parameters(&format!("{DOWN}/cas/logout"), [("service", MANUEL)])
            }
        }
    }
}

/// The addresses of frames and of the way on, of a page that takes leave.
fn leads(page: &str, before: &str) -> Vec<String> {
    let parts = page.split(before).skip(1);
    parts
        .map(|part| {
            part.split('"')
                .next()
                .unwrap()
                .replace("&#38;", "&")
                .replace("&amp;", "&")
        })
        .collect()
}

/// A browser reads a page that takes leave: it visits the frames, and goes on.
async fn read(federation: &Federation, browser: &mut Browser, mut landed: Landed) -> Landed {
    for _ in 0..6 {
        let Some(reply) = &landed.reply else { break };
        let origin = url::origin(&landed.address).unwrap();
        let whole = |address: String| {
            if address.starts_with('/') {
                format!("{origin}{address}")
            } else {
                address
            }
        };
        let frames: Vec<String> = leads(&reply.body, "<iframe id=\"asked-1\" src=\"")
            .into_iter()
            .map(whole)
            .collect();
        for frame in frames {
            let mut framed = browser.clone();
            framed.go(federation, &frame).await;
        }
        let on = leads(&reply.body, "class=\"button wide\" href=\"");
        let Some(next) = on.into_iter().map(whole).next() else {
            break;
        };
        landed = browser.go(federation, &next).await;
    }
    landed
}

async fn play(federation: &Federation, services: &Services, up: &str, down: Down, starter: Starter) {
    let said = format!("{up} {down:?} {starter:?}");
    // A request of SAML is answered once.
    let id = format!("_{up}-{starter:?}");
    let mut browser = federation.browser().await;
    let sealed = browser
        .go(federation, &services.request(down, &id))
        .await
        .sent("continue")
        .expect(&said);
    let leave = url::with_parameters(
        &format!("{DOWN}/login/with/{up}"),
        [("continue", sealed.as_str())],
    );
    let landed = browser.go(federation, &leave).await;
    let service_logout = services.arrived(federation, (down, &id), &landed).await;
    assert!(federation.who(&browser).await.is_some(), "{said}");
    federation.up.advance(1);
    match starter {
        Starter::Person => {
            let left = browser
                .submit(federation, &format!("{DOWN}/sign-out"), (String::new(), DOWN))
                .await;
            let end = read(federation, &mut browser, left).await;
            assert!(
                end.address.starts_with(&format!("{DOWN}/sign-out")),
                "{said}: {end:?}"
            );
        }
        Starter::Service => {
            let left = browser.go(federation, &service_logout).await;
            let end = read(federation, &mut browser, left).await;
            if down == Down::Oidc {
                assert_eq!(end.address, "https://ent.example/bye", "{said}");
            }
            if down == Down::Saml {
                assert!(
                    end.address.starts_with("https://lycee.example/slo"),
                    "{said}: {end:?}"
                );
            }
        }
        Starter::Provider => by_provider(federation, &mut browser, up).await,
    }
    assert!(federation.who(&browser).await.is_none(), "{said}: here");
    let cookie = browser
        .cookie(UP, "__Host-marelle")
        .map(crate::base::secret::Secret::new);
    let there = match cookie {
        Some(cookie) => crate::flows::session::find(&federation.up.context, &cookie)
            .await
            .unwrap(),
        None => None,
    };
    assert!(there.is_none(), "{said}: there");
}

/// The person leaves at the provider, which tells us: by a frame (SAML), behind the browser (OpenID Connect).
async fn by_provider(federation: &Federation, browser: &mut Browser, up: &str) {
    let left = browser
        .submit(federation, &format!("{UP}/sign-out"), (String::new(), UP))
        .await;
    if up == BY_SAML {
        read(federation, browser, left).await;
        return;
    }
    let context = &federation.up.context;
    let keyring = crate::flows::keys::Keyring::open(context).await.unwrap();
    let claimed = crate::flows::logout_delivery::claim(context, &Default::default())
        .await
        .unwrap();
    assert!(!claimed.is_empty(), "the provider has somebody to tell");
    let told = Arc::clone(&federation.told);
    for one in claimed {
        crate::flows::logout_delivery::deliver(context, &keyring, &one)
            .await
            .unwrap();
    }
    let asked = told.asked();
    let token = String::from_utf8(asked.last().expect("a token was sent").body().clone()).unwrap();
    let address = format!("{DOWN}/login/callback/{BY_OIDC}/logout");
    let answer = Browser::default()
        .submit(federation, &address, (token.clone(), UP))
        .await;
    assert_eq!(answer.page().status, 200);
    let again = Browser::default().submit(federation, &address, (token, UP)).await;
    assert_eq!(again.page().status, 400, "a token counts once");
}

#[tokio::test]
async fn whoever_begins_the_logout_nobody_is_left_signed_in() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let services = Services::declare(&federation).await;
        // By the generic provider, a human has linked her.
        link_by_oidc(&federation).await;
        for up in [BY_SAML, BY_OIDC] {
            for down in [Down::Oidc, Down::Saml, Down::Cas] {
                for starter in [Starter::Person, Starter::Service, Starter::Provider] {
                    play(&federation, &services, up, down, starter).await;
                }
            }
        }
        let here = &federation.down.context;
        let links = link::of_identity(here, federation.lina.id).await.unwrap();
        let bindings: Vec<Binding> = links.iter().map(|link| link.binding).collect();
        assert_eq!(
            bindings,
            [Binding::Human, Binding::SourceKey],
            "one identity, two links"
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_left_is_not_stranded_by_an_answer_of_the_provider_that_is_not_signed() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let services = Services::declare(&federation).await;
        let mut browser = federation.browser().await;
        let sealed = browser
            .go(&federation, &services.request(Down::Oidc, "_one"))
            .await
            .sent("continue");
        let leave = url::with_parameters(
            &format!("{DOWN}/login/with/{BY_SAML}"),
            [("continue", sealed.unwrap().as_str())],
        );
        let landed = browser.go(&federation, &leave).await;
        let logout = services
            .arrived(&federation, (Down::Oidc, "_one"), &landed)
            .await;
        let away = browser.once(&federation, &logout).await;
        assert!(
            federation.who(&browser).await.is_none(),
            "it is over before the provider is asked"
        );
        let (_, asked) = away.location().split_once('?').unwrap();
        let asked = url::parameters(asked);
        let (_, state) = asked.iter().find(|(name, _)| name == "RelayState").unwrap();
        let answer = format!(
            "<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_a\" Version=\"2.0\" \
             IssueInstant=\"{}\" Destination=\"{DOWN}/saml/sp/slo\"><saml:Issuer \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{UP}/saml/metadata</saml:Issuer><samlp:Status>\
             <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status></samlp:LogoutResponse>",
            federation.down.context.now()
        );
        let message = wire::to_query(&answer).unwrap();
        let back = |state: &str| {
            url::with_parameters(
                &format!("{DOWN}/saml/sp/slo"),
                [("SAMLResponse", message.as_str()), ("RelayState", state)],
            )
        };
        let end = browser.go(&federation, &back(state)).await;
        assert_eq!(end.address, "https://ent.example/bye");
        let cause = federation.down.journalled("upstream_answer.refused").await;
        assert_eq!(cause, 1, "it is not believed for all that");
        let elsewhere = browser.go(&federation, &back("https://evil.example/")).await;
        assert_eq!(elsewhere.page().status, 400, "only to where we sent them");
    })
    .await;
}

/// The subject that the provider gives us for Lina by OpenID Connect is linked.
async fn link_by_oidc(federation: &Federation) {
    let mut browser = federation.browser().await;
    browser
        .go(federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
        .await;
    let party = crate::domain::testing::party("marelle");
    let subject = scene::subject(&federation.up.context, &party, federation.lina_there.id).await;
    let id = BY_OIDC.parse().unwrap();
    let linked = link::make(
        &federation.down.context,
        &id,
        (&subject.expect("the provider named her"), federation.lina.id),
    )
    .await
    .unwrap();
    assert_eq!(linked, link::Change::Done);
}

/// A provider may take logout messages by form only: the person goes by a page of ours, and is signed in nowhere afterwards.
#[tokio::test]
async fn whoever_leaves_is_signed_out_at_a_provider_that_takes_forms_only() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let context = &federation.down.context;
        let id = BY_SAML.parse().unwrap();
        scene::change_upstream(context, &id, |metadata| {
            let Some(Metadata::Saml { logout, .. }) = metadata else {
                panic!("no metadata")
            };
            logout.retain(|service| service.binding == Travels::Post);
            assert_eq!(logout.len(), 1);
        })
        .await;
        let mut browser = federation.browser().await;
        browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
            .await;
        let there = browser.cookie(UP, "__Host-marelle").map(str::to_owned).unwrap();
        let landed = browser
            .submit(&federation, &format!("{DOWN}/sign-out"), (String::new(), DOWN))
            .await;
        let end = read(&federation, &mut browser, landed).await;
        assert!(end.address.starts_with(&format!("{DOWN}/sign-out")), "{end:?}");
        assert!(federation.who(&browser).await.is_none());
        let session = crate::flows::session::find(&federation.up.context, &Secret::new(there)).await;
        assert!(session.unwrap().is_none(), "the login at the provider is over");
        // A ticket of somebody else's making is none.
        let landed = browser
            .go(&federation, &format!("{DOWN}/saml/sp/leave?ticket=x"))
            .await;
        assert!(
            landed.address.starts_with(&format!("{DOWN}/sign-out")),
            "{landed:?}"
        );
    })
    .await;
}

/// saml-core §3.4.1.2: a service names the provider that it would have people come by, and nobody chooses.
#[tokio::test]
async fn a_service_of_saml_names_the_way_by_its_entity_id() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let services = Services::declare(&federation).await;
        let samlp = |name: &'static str| Element::new(Namespace::Samlp, name);
        let asks = |id: &str, wished: &[&str]| {
            let mut list = samlp("IDPList");
            for entity_id in wished {
                list = list.child(samlp("IDPEntry").attribute("ProviderID", *entity_id));
            }
            let provider = &services.lycee.provider;
            let request = provider.authn_request(id).child(samlp("Scoping").child(list));
            format!(
                "{DOWN}/saml/sso?{}",
                provider.query(Kind::Request, &request, None)
            )
        };
        let mut browser = federation.browser().await;
        let known = asks(
            "_a",
            &["https://elsewhere.example", &format!("{UP}/saml/metadata")],
        );
        let landed = browser.go(&federation, &known).await;
        assert!(
            landed.posted.is_some(),
            "there and back without a question: {landed:?}"
        );
        let mut browser = federation.browser().await;
        let unknown = asks("_b", &["https://elsewhere.example"]);
        let landed = browser.go(&federation, &unknown).await;
        assert!(landed.page().body.contains("id=\"password\""), "{landed:?}");
    })
    .await;
}
