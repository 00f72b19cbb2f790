//! What somebody who is signed in finds at Marelle itself: the services of their schools.

use super::session::SignedIn;
use super::{Context, Failure};
use crate::domain::education::Profile;
use crate::login::class_list;
use crate::store;

/// The home of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The number of the avatar, for a child of a class.
    pub avatar: Option<usize>,
    /// The services that have pages to begin at and serve a school of theirs, by name.
    pub services: Vec<Service>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where its pages begin.
    pub url: String,
}

/// The home of a person today.
///
/// # Errors
/// [`Failure`].
pub async fn load(context: &Context, who: &SignedIn) -> Result<Home, Failure> {
    let today = context.now().date();
    let mut conn = context.db.reader().await?;
    let enrolments = store::enrolment::live_of(&mut conn, who.identity.id, today).await?;
    let parties = store::relying_party::all(&mut conn).await?;
    let mut services: Vec<Service> = parties
        .into_iter()
        .filter(|party| party.enabled && enrolments.iter().any(|enrolment| party.serves(&enrolment.school)))
        .filter_map(|party| {
            Some(Service {
                url: party.home?,
                name: party.name,
            })
        })
        .collect();
    services.sort_by(|one, other| one.name.cmp(&other.name));
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
    Ok(Home { avatar, services })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::{
        Basis, ClientAuthMethod, ClientMetadata, ReleasePolicy, RelyingParty, SigningAlgorithm,
        SubjectStrategy,
    };
    use crate::flows::session;
    use crate::flows::sign_in::testing::classroom;
    use crate::flows::sign_in::{SignIn, picture};
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
    async fn only_live_services_of_ones_own_schools_are_offered() {
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
        })
        .await;
    }
}
