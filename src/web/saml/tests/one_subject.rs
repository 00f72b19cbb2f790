//! One pupil at three services: one that speaks OpenID Connect, one SAML, one CAS. Whom each knows them as, and what each is
//! told.

use std::collections::BTreeSet;

use super::partner::{Partner, Posted, element};
use crate::base::url;
use crate::domain::relying_party::{Attribute, CasService, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::saml::name_id::NameIdFormat;
use crate::saml::testing::read;
use crate::saml::xml::{Element, Namespace, Node};
use crate::saml::xmlsec::redirect::Kind;
use crate::web::oauth::tests::site::{Browser, ECOLE, Scene, Site, claims};

/// What a service learnt.
#[derive(Debug, PartialEq, Eq)]
struct Learnt {
    subject: String,
    /// Every name under which it was told anything about the person.
    told: BTreeSet<String>,
}

/// A service of each protocol, in these sectors, that may know these attributes.
struct Services {
    site: Site,
    lycee: Partner,
}

const NOTES: &str = "https://notes.example/app/6e";

impl Services {
    async fn new(scene: Scene, sectors: [&str; 3], may_know: &[Attribute]) -> Self {
        let site = Site::new(scene).await;
        let [of_ent, of_lycee, of_notes] = sectors;
        let dressed = |party: &mut RelyingParty, sector: &str| {
            party.sector = sector.into();
            party.release.0.retain(|line| may_know.contains(&line.attribute));
        };
        let mut ent = party("ent");
        dressed(&mut ent, of_ent);
        site.declare(&ent).await;
        let mut lycee = Partner::new("lycee");
        dressed(&mut lycee.party, of_lycee);
        lycee.declare(&site).await;
        let mut notes = party("notes");
        notes.redirect_uris.clear();
        notes.cas = Some(CasService {
            services: vec!["https://notes.example/app".into()],
            ..CasService::default()
        });
        dressed(&mut notes, of_notes);
        site.declare(&notes).await;
        Self { site, lycee }
    }

    /// A pupil who was told of every service and is signed in.
    async fn pupil(&self, name: &str, number: i64) -> Browser {
        let pupil = self.site.pupil(name, number, ECOLE).await;
        let mut browser = Browser::default();
        self.site.sign_in(&mut browser, &pupil).await;
        browser
    }

    /// The service that speaks the protocol of that number.
    async fn learns(&self, protocol: usize, browser: &Browser) -> Learnt {
        match protocol {
            0 => self.by_openid_connect(browser).await,
            1 => self.by_saml(browser).await,
            _ => self.by_cas(browser).await,
        }
    }

    /// All three, beginning with any of them.
    async fn learn(&self, first: usize, browser: &Browser) -> Vec<Learnt> {
        let mut learnt = Vec::new();
        for protocol in [0, 1, 2].map(|number| (first + number) % 3) {
            learnt.push(self.learns(protocol, browser).await);
        }
        learnt
    }

    async fn by_openid_connect(&self, browser: &Browser) -> Learnt {
        let tokens = browser.tokens(&self.site, "ent").await;
        let of_login = claims(&tokens["id_token"]);
        let access_token = tokens["access_token"].as_str().unwrap();
        let userinfo = self.site.userinfo(access_token).await.json();
        assert_eq!(
            userinfo["sub"], of_login["sub"],
            "userinfo is about the same person"
        );
        // OpenID Connect Core §2, §3.1.3.6 and Session Management: facts of the token and of the login.
        let of_protocol = "iss sub aud exp iat auth_time nonce acr amr sid at_hash";
        let of_protocol: Vec<_> = of_protocol.split(' ').collect();
        let mut told = BTreeSet::new();
        for (name, value) in [&of_login, &userinfo]
            .into_iter()
            .flat_map(|claims| claims.as_object().unwrap())
        {
            // What somebody is in a school stands together, once for each school.
            let of_schools = value.as_array().filter(|_| name == "education");
            match of_schools {
                Some(schools) => {
                    let members = schools
                        .iter()
                        .flat_map(|school| school.as_object().unwrap().keys());
                    told.extend(members.cloned());
                }
                None if of_protocol.contains(&name.as_str()) => {}
                None => drop(told.insert(name.clone())),
            }
        }
        Learnt {
            subject: of_login["sub"].as_str().unwrap().to_owned(),
            told,
        }
    }

    async fn by_saml(&self, browser: &Browser) -> Learnt {
        let wanted = Element::new(Namespace::Samlp, "NameIDPolicy")
            .attribute("Format", NameIdFormat::Persistent.as_str());
        let request = self.lycee.provider.authn_request("_1").child(wanted);
        // The same request counts once: a service makes a new one each time.
        let id = format!("_{}", self.site.journalled("authorization.granted").await);
        let query = self
            .lycee
            .provider
            .query(Kind::Request, &request.attribute("ID", id), None);
        let posted = Posted::of(&browser.get(&self.site, &format!("/saml/sso?{query}")).await);
        let assertion = posted.assertion(&self.site).await;
        let name_id = element(&assertion, "NameID");
        assert_eq!(
            name_id.attribute("Format"),
            Some(NameIdFormat::Persistent.as_str())
        );
        let attributes = assertion.elements().filter(|node| node.name() == "Attribute");
        Learnt {
            subject: name_id.text().unwrap().to_owned(),
            told: attributes
                .filter_map(|node| node.attribute("Name"))
                .map(str::to_owned)
                .collect(),
        }
    }

    async fn by_cas(&self, browser: &Browser) -> Learnt {
        let login = url::with_parameters("/cas/login", [("service", NOTES)]);
        let back = browser.get(&self.site, &login).await;
        let ticket = back.sent("ticket").expect("a ticket");
        let shown = url::with_parameters(
            "/cas/p3/serviceValidate",
            [("service", NOTES), ("ticket", ticket.as_str())],
        );
        let answer = read(&Browser::default().get(&self.site, &shown).await.body);
        let attributes = element(&answer, "attributes").children();
        // CAS Protocol 3.0 appendix A: facts of the login.
        let of_login = [
            "authenticationDate",
            "longTermAuthenticationRequestTokenUsed",
            "isFromNewLogin",
        ];
        Learnt {
            subject: element(&answer, "user").text().unwrap().to_owned(),
            told: attributes
                .map(Node::name)
                .filter(|name| !of_login.contains(name))
                .map(str::to_owned)
                .collect(),
        }
    }
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn one_pupil_has_one_subject_over_openid_connect_saml_and_cas_in_one_sector() {
    on_each_engine(async |context, clock| {
        let services = Services::new((context, clock), ["commun"; 3], Attribute::ALL).await;
        let mut subjects = BTreeSet::new();
        // Whichever protocol comes first is the one that the subject is made by.
        for (first, name) in ["Lina", "Lila", "Éloi"].into_iter().enumerate() {
            let browser = services.pupil(name, 1 + first as i64).await;
            services.site.advance(1);
            let learnt = services.learn(first, &browser).await;
            let subject = &learnt[0].subject;
            assert!(
                learnt.iter().all(|other| other.subject == *subject),
                "{name}: {learnt:?}"
            );
            let again = services.learn(first + 1, &browser).await;
            assert!(
                again.iter().all(|other| other.subject == *subject),
                "{name}: {again:?}"
            );
            subjects.insert(subject.clone());
        }
        assert_eq!(subjects.len(), 3, "each pupil has their own");
        assert_eq!(services.site.journalled("subject.issued").await, 3, "each once");
    })
    .await;
}

#[tokio::test]
async fn one_pupil_has_three_subjects_in_three_sectors() {
    on_each_engine(async |context, clock| {
        let sectors = ["ent", "lycee", "notes"];
        let services = Services::new((context, clock), sectors, Attribute::ALL).await;
        let browser = services.pupil("Lina", 1).await;
        services.site.advance(1);
        let learnt = services.learn(0, &browser).await;
        let subjects: BTreeSet<_> = learnt.iter().map(|one| &one.subject).collect();
        assert_eq!(subjects.len(), 3, "{learnt:?}");
        assert_eq!(services.site.journalled("subject.issued").await, 3);
        for (one, other) in [(0, 1), (1, 2), (2, 0)] {
            let (one, other) = (&learnt[one].subject, &learnt[other].subject);
            assert!(
                !one.contains(other.as_str()),
                "one is not to be had from the other"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn over_no_protocol_leaves_what_the_policy_does_not_list() {
    let cases: [(&[Attribute], [&[&str]; 3]); 3] = [
        (&[], [&[], &[], &[]]),
        (
            &[Attribute::GivenName],
            [&["given_name"], &["givenName"], &["givenName"]],
        ),
        (
            &[Attribute::Uai, Attribute::Level],
            [
                &["uai", "level"],
                &["ENTPersonStructRattachUAI", "ENTEleveNivFormation"],
                &["ENTPersonStructRattachUAI", "ENTEleveNivFormation"],
            ],
        ),
    ];
    for (may_know, expected) in cases {
        on_each_engine(async |context, clock| {
            let services = Services::new((context, clock), ["commun"; 3], may_know).await;
            let browser = services.pupil("Lina", 1).await;
            services.site.advance(1);
            let learnt = services.learn(0, &browser).await;
            let told: Vec<_> = learnt.into_iter().map(|one| one.told).collect();
            assert_eq!(told, expected.map(named), "{may_know:?}");
        })
        .await;
    }
    // The same, so that what is allowed above is known to have been there.
    on_each_engine(async |context, clock| {
        let services = Services::new((context, clock), ["commun"; 3], Attribute::ALL).await;
        let lina = services.site.pupil("Lina", 1, ECOLE).await;
        scene::reach(
            &services.site.context,
            lina.id,
            &crate::domain::testing::contact("lina"),
        )
        .await;
        let mut browser = Browser::default();
        services.site.sign_in(&mut browser, &lina).await;
        services.site.advance(1);
        for learnt in services.learn(0, &browser).await {
            assert!(learnt.told.len() >= 6, "{learnt:?}");
        }
    })
    .await;
}
