//! What somebody who is signed in finds at Marelle itself: the services of their schools, and the children they answer for.

use std::collections::BTreeSet;

use super::session::SignedIn;
use super::{Context, Failure};
use crate::base::id::IdentityId;
use crate::base::time::Date;
use crate::domain::education::Profile;
use crate::login::class_list;
use crate::oidc::access::{self, Closed};
use crate::store;
use crate::store::db::Conn;

/// The home of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The number of the avatar, for a child of a class.
    pub avatar: Option<usize>,
    /// The services that have pages to begin at and serve a school of theirs, by name.
    pub services: Vec<Service>,
    /// Those that open for them on a day to come, by name.
    pub coming: Vec<Coming>,
    /// The children they answer for, by name.
    pub children: Vec<Child>,
}

/// A child, as whoever answers for them is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Their name.
    pub name: String,
    /// Their schools today.
    pub schools: Vec<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where its pages begin.
    pub url: String,
}

/// A service that is not open for somebody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// Its name.
    pub name: String,
    /// The day from which it is.
    pub opens_on: Date,
}

/// The home of a person today.
///
/// # Errors
/// [`Failure`].
pub async fn load(context: &Context, who: &SignedIn) -> Result<Home, Failure> {
    let now = context.now();
    let today = now.date();
    let mut conn = context.db.reader().await?;
    let enrolments = store::enrolment::live_of(&mut conn, who.identity.id, today).await?;
    let parties = store::relying_party::all(&mut conn).await?;
    let (mut services, mut coming) = (Vec::new(), Vec::new());
    for party in parties {
        let is_theirs = enrolments.iter().any(|enrolment| party.serves(&enrolment.school));
        let is_open = access::check(&party, &enrolments, now);
        let (true, Some(url)) = (party.enabled && is_theirs, party.home) else {
            continue;
        };
        let name = party.name;
        match is_open {
            Ok(()) => services.push(Service { name, url }),
            Err(Closed::Until(opens_on)) => coming.push(Coming { name, opens_on }),
            Err(Closed::NoSchool) => {}
        }
    }
    services.sort_by(|one, other| one.name.cmp(&other.name));
    coming.sort_by(|one, other| one.name.cmp(&other.name));
    let class = enrolments
        .iter()
        .filter(|enrolment| enrolment.profile == Profile::Pupil)
        .find_map(|enrolment| enrolment.class);
    let avatar = match class {
        Some(class) => {
            let listed = class_list::list(store::class_group::pupils(&mut conn, class, today).await?);
            let own = listed
                .into_iter()
                .find(|pupil| pupil.identity.id == who.identity.id);
            own.map(|pupil| pupil.avatar)
        }
        None => None,
    };
    Ok(Home {
        avatar,
        services,
        coming,
        children: children(&mut conn, who.identity.id, today).await?,
    })
}

async fn children(conn: &mut Conn, guardian: IdentityId, today: Date) -> Result<Vec<Child>, Failure> {
    let ids = store::guardianship::pupils(conn, guardian).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let people = store::person::find(conn, &ids).await?;
    let mut children = Vec::new();
    for id in ids {
        let Some(person) = people
            .get(&id)
            .filter(|person| person.identity.status.may_sign_in())
        else {
            continue;
        };
        let mut schools = BTreeSet::new();
        for enrolment in store::enrolment::live_of(conn, id, today).await? {
            let school = store::school::find(conn, &enrolment.school).await?;
            schools.extend(school.map(|school| school.name));
        }
        children.push(Child {
            name: person.identity.display_name(),
            schools: schools.into_iter().collect(),
        });
    }
    children.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(children)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::time::parse_date;
    use crate::domain::relying_party::{
        Basis, ClientAuthMethod, ClientMetadata, ReleasePolicy, RelyingParty, SigningAlgorithm,
        SubjectStrategy,
    };
    use crate::flows::session;
    use crate::flows::sign_in::testing::classroom;
    use crate::flows::sign_in::{SignIn, picture};
    use crate::flows::testing::scene;
    use crate::store::testing::on_each_engine;

    fn party(id: &str, name: &str, schools: &[&str]) -> RelyingParty {
        RelyingParty {
            id: id.parse().unwrap(),
            name: name.into(),
            home: Some(format!("https://{id}.example/")),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            sector: id.into(),
            subject_strategy: SubjectStrategy::Pairwise,
            auth_method: ClientAuthMethod::None,
            secrets: Vec::new(),
            pkce_required: true,
            id_token_alg: SigningAlgorithm::Rs256,
            release: ReleasePolicy::default(),
            schools: schools.iter().map(|uai| uai.parse().unwrap()).collect(),
            basis: Basis::Convention,
            metadata: ClientMetadata::default(),
            saml: None,
            cas: None,
            populations: Vec::new(),
            registration: None,
            enabled: true,
        }
    }

    #[tokio::test]
    async fn only_open_services_of_ones_own_schools_are_offered() {
        on_each_engine(async |db| {
            let room = classroom(db, 2).await;
            let (pupil, code) = &room.pupils[0];
            let mut tx = room.context.db.begin().await.unwrap();
            for party in [
                party("zoo", "Zoo des mots", &[]),
                party("atelier", "Atelier", &["9990001X"]),
                party("ailleurs", "Ailleurs", &["9990002Y"]),
                RelyingParty {
                    enabled: false,
                    ..party("off", "Éteint", &[])
                },
                RelyingParty {
                    home: None,
                    ..party("api", "Sans page", &[])
                },
            ] {
                store::relying_party::save(&mut tx, &party).await.unwrap();
            }
            tx.commit().await.unwrap();
            let attempt = picture::Attempt {
                class_code: room.code.expose(),
                pupil: &room.token(pupil).await,
                picked: code,
                former: None,
            };
            let Some(SignIn::Done(cookie)) = picture::sign_in(&room.context, attempt).await.unwrap() else {
                panic!("refused")
            };
            let who = session::find(&room.context, &cookie).await.unwrap().unwrap();
            let home = load(&room.context, &who).await.unwrap();
            let names: Vec<&str> = home.services.iter().map(|service| &*service.name).collect();
            assert_eq!(names, ["Atelier", "Zoo des mots"]);
            assert_eq!(home.services[0].url, "https://atelier.example/");
            let page = crate::flows::class_page::find(&room.context, room.code.expose())
                .await
                .unwrap()
                .unwrap();
            let listed = page
                .pupils
                .into_iter()
                .find(|listed| listed.first_name == pupil.given_name);
            assert_eq!(home.avatar, listed.map(|listed| listed.avatar));

            scene::opens(&room.context, None, "2026-10-02").await;
            let before = load(&room.context, &who).await.unwrap();
            assert_eq!((before.services, before.avatar), (Vec::new(), home.avatar));
            let coming: Vec<_> = before
                .coming
                .iter()
                .map(|service| (&*service.name, service.opens_on))
                .collect();
            let day = parse_date("2026-10-02").unwrap();
            assert_eq!(coming, [("Atelier", day), ("Zoo des mots", day)]);
            room.clock.advance(Duration::from_secs(24 * 3600));
            assert_eq!(load(&room.context, &who).await.unwrap(), home);
        })
        .await;
    }
}
