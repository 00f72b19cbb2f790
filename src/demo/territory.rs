//! The territory of the demo: invented files, declared, imported, opened; then next year's file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::client::Client;
use super::memory::{Player, ServiceKey};
use super::{SERVICES, Stage, educonnect};
use crate::base::id::IdentityId;
use crate::base::random;
use crate::base::secret::Secret;
use crate::domain::audit::Actor;
use crate::domain::education::{Degree, Profile, School, SchoolYear};
use crate::domain::relying_party::{
    Attribute, Basis, ClientAuthMethod, ClientMetadata, LogoutAddress, Release, ReleasePolicy, RelyingParty,
    SigningAlgorithm, SubjectStrategy,
};
use crate::domain::uai::Uai;
use crate::flows::class_code;
use crate::flows::classroom::{self, NewCodes};
use crate::flows::declaration::file::Reader;
use crate::flows::declaration::{self, Declaration, DeclaredParty};
use crate::flows::person::{self, NewPerson};
use crate::sample::{self, SampleSpec, Sink};

/// The class whose pupils are the cast.
const LAST_LEVEL: &str = "CM2";

/// Removes the former data of the demo, and nothing that is not the demo's.
pub(super) fn throw_away(folder: &Path) -> io::Result<()> {
    for name in [
        "marelle.db",
        "marelle.db-wal",
        "marelle.db-shm",
        "master.key",
        "demo.json",
    ] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for inside in ["sample", educonnect::ID] {
        match fs::remove_dir_all(folder.join(inside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Files under a folder: where a sample is written to.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Sink for Folder {
    fn file(
        &mut self,
        path: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.0.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(path)?);
        write(&mut file)?;
        file.flush()
    }
}

impl Stage {
    /// Declares the services (with the secrets of this start) and, at the first start, writes the sample, declares and
    /// imports the school year, opens the classes and makes the cast.
    pub(super) async fn prepare(&self, say: &impl Fn(&str)) -> anyhow::Result<()> {
        let year = self.year();
        if !self.memory.read().seeded {
            say("writing the sample files…");
            let spec = SampleSpec::demo(year);
            sample::generate(&spec, &mut Folder(self.folder.join("sample")))?;
        }
        let territory = self.territory()?;
        let declared = Declaration {
            relying_parties: self.relying_parties(&territory.schools)?,
            ..territory.clone()
        };
        declaration::apply(&self.context, &declared, declaration::Options::default()).await?;
        self.introduce().await?;
        if !self.memory.read().seeded {
            say("importing the file of the école…");
            self.import_onde(&territory, year).await?;
            self.open_classes(&territory.schools, Degree::First, year, true)
                .await?;
            let password = self.hire_teacher(&territory.schools).await?;
            self.memory.change(|notes| {
                notes.seeded = true;
                notes.teacher_password = password;
            })?;
        }
        Ok(())
    }

    /// Loads the file of the collège for next year; answers what to tell the visitor.
    pub(super) async fn load_next_year(&self) -> anyhow::Result<String> {
        let _one_at_a_time = self.busy.lock().await;
        if self.memory.read().moved {
            return Ok("Le fichier de l’an prochain est déjà chargé.".to_owned());
        }
        let year = self.year().next();
        let territory = self.territory()?;
        let told = self.import_aaf(&territory, year).await?;
        self.open_at_once(year).await?;
        self.enrol_there(&territory, year).await?;
        self.open_classes(&territory.schools, Degree::Second, year, false)
            .await?;
        self.memory.change(|notes| notes.moved = true)?;
        Ok(told)
    }

    /// The schools of the sample.
    pub(super) fn schools(&self) -> anyhow::Result<Vec<School>> {
        Ok(self.territory()?.schools)
    }

    /// The school year of the demo: the one that runs.
    fn year(&self) -> SchoolYear {
        SchoolYear::of(self.context.now().date())
    }

    fn territory(&self) -> anyhow::Result<Declaration> {
        let mut reader = Reader::default();
        let none = |_: &Path| Err(io::ErrorKind::NotFound.into());
        reader.add(
            &fs::read_to_string(self.folder.join("sample/territory.toml"))?,
            &none,
        )?;
        Ok(reader.finish())
    }

    /// The services, each serving its schools and receiving what its convention lists.
    fn relying_parties(&self, schools: &[School]) -> anyhow::Result<Vec<DeclaredParty>> {
        let of = |degree: Degree| -> Vec<Uai> {
            schools
                .iter()
                .filter(|school| school.degree == degree)
                .map(|school| school.uai.clone())
                .collect()
        };
        let mut parties = Vec::new();
        for ((key, id, name, _), service) in SERVICES.iter().zip(&self.services) {
            let schools = match key {
                ServiceKey::Ecole => of(Degree::First),
                ServiceKey::College | ServiceKey::Lycee | ServiceKey::Manuel => of(Degree::Second),
                ServiceKey::Carnet => [of(Degree::First), of(Degree::Second)].concat(),
            };
            // The two ENTs share accounts: their convention says so.
            let sector = match key {
                ServiceKey::College | ServiceKey::Lycee => "demo-ent",
                ServiceKey::Ecole | ServiceKey::Carnet | ServiceKey::Manuel => id,
            };
            let mut party = RelyingParty {
                id: id.parse()?,
                name: (*name).to_owned(),
                home: Some(format!("{}/sign-in", service.url)),
                redirect_uris: Vec::new(),
                post_logout_redirect_uris: Vec::new(),
                sector: sector.to_owned(),
                subject_strategy: SubjectStrategy::Pairwise,
                auth_method: ClientAuthMethod::None,
                secrets: Vec::new(),
                pkce_required: true,
                id_token_alg: SigningAlgorithm::Rs256,
                release: release(*key),
                schools,
                basis: Basis::Convention,
                metadata: ClientMetadata::default(),
                saml: None,
                cas: None,
                populations: Vec::new(),
                registration: None,
                enabled: true,
            };
            let registration = service.client.registration();
            let mut metadata = None;
            match &service.client {
                Client::Oidc(_) => {
                    party.redirect_uris = vec![registration.callback()];
                    party.post_logout_redirect_uris = vec![registration.home()];
                    party.auth_method = ClientAuthMethod::SecretBasic;
                    party.secrets = vec![registration.secret.digest()];
                    party.metadata.frontchannel_logout = Some(LogoutAddress {
                        uri: registration.told(),
                        session_required: true,
                    });
                    if *key == ServiceKey::College {
                        party.id_token_alg = SigningAlgorithm::Es256;
                    }
                }
                Client::Saml(client) => {
                    let declared = client.declared()?;
                    (party.saml, metadata) = (declared.party.saml, declared.metadata);
                }
                Client::Cas(client) => party.cas = Some(client.party()),
            }
            parties.push(DeclaredParty {
                metadata,
                ..party.into()
            });
        }
        Ok(parties)
    }

    /// Opens the page of every class of a degree; with `cast`, makes the picture codes of the last class.
    async fn open_classes(
        &self,
        schools: &[School],
        degree: Degree,
        year: SchoolYear,
        cast: bool,
    ) -> anyhow::Result<()> {
        for school in schools.iter().filter(|school| school.degree == degree) {
            for line in classroom::list(&self.context, &school.uai, year).await? {
                let class = &line.named.class;
                let code = class_code::open(&self.context, class.id, &Actor::Operator).await?;
                let path = format!("/class/{}", code.printed());
                self.memory
                    .change(|notes| notes.classes.insert(class.id.to_string(), path))?;
                let is_last = class.label.contains(LAST_LEVEL) || class.level.as_deref() == Some(LAST_LEVEL);
                if cast && is_last {
                    let cards =
                        classroom::cards(&self.context, class.id, NewCodes::All, &Actor::Operator).await?;
                    let players = cards
                        .into_iter()
                        .flat_map(|cards| cards.cards)
                        .map(|card| Player {
                            identity: card.identity.to_string(),
                            first_name: card.first_name,
                            pictures: card
                                .code
                                .expose()
                                .iter()
                                .map(|picture| picture.id().to_owned())
                                .collect(),
                            avatar: crate::web::avatar_id(card.avatar),
                            educonnect: None,
                        });
                    self.memory.change(|notes| notes.players.extend(players))?;
                }
            }
        }
        Ok(())
    }

    /// A teacher with a password, to show the other way in.
    async fn hire_teacher(&self, schools: &[School]) -> anyhow::Result<String> {
        let random = &*self.context.random;
        let password = random::symbols(random, b"bcdfghjkmnpqrstvwxz23456789", 16);
        if let Some(ecole) = schools.iter().find(|school| school.degree == Degree::First) {
            let teacher = NewPerson {
                given_name: "Maddi".to_owned(),
                family_name: "Oyhenart".to_owned(),
                profile: Profile::Teacher,
                school: ecole.uai.clone(),
                username: Some("maitresse".to_owned()),
                password: Secret::new(password.clone()),
                is_another: false,
            };
            person::create(&self.context, &teacher, &Actor::Operator).await?;
        }
        Ok(password)
    }

    /// The class a player is in now, newest year first: its id, label and school.
    pub(super) async fn place_of(&self, player: &Player) -> anyhow::Result<Option<(String, String, Uai)>> {
        let id: IdentityId = player.identity.parse()?;
        let enrolments = classroom::enrolments(&self.context, id).await?;
        Ok(enrolments.into_iter().rev().find_map(|enrolment| {
            let class = enrolment.class?;
            Some((
                class.to_string(),
                enrolment.class_label.unwrap_or_default(),
                enrolment.school,
            ))
        }))
    }
}

/// What the demo's convention lists.
fn release(key: ServiceKey) -> ReleasePolicy {
    let attributes = [
        (Attribute::GivenName, "accueillir l’élève par son prénom"),
        (Attribute::Name, "nommer l’élève auprès de son enseignant"),
        (Attribute::Uai, "ouvrir l’espace de son école"),
        (Attribute::Level, "proposer des contenus de son niveau"),
        (Attribute::Class, "le retrouver dans sa classe"),
        (Attribute::Profile, "distinguer élèves et enseignants"),
    ];
    let is_listed = |attribute: Attribute| {
        key != ServiceKey::Manuel || matches!(attribute, Attribute::Level | Attribute::Class)
    };
    let listed = attributes
        .into_iter()
        .filter(|(attribute, _)| is_listed(*attribute));
    let releases = listed.map(|(attribute, purpose)| Release {
        attribute,
        purpose: purpose.to_owned(),
        convention: "démonstration".to_owned(),
    });
    ReleasePolicy(releases.collect())
}
