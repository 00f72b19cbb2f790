//! The EduConnect of the demo: a second installation of Marelle that plays a national provider, by SAML with the ministry's
//! keys (`FrEduCtRefId`), on an address of its own.
//!
//! It is `localhost` where ours is `127.0.0.1`: a browser keeps their cookies apart as it does those of two sites.

use std::fs;
use std::path::Path;

use super::Stage;
use super::memory::Player;
use crate::app::{self, AppError, import_file};
use crate::base::random;
use crate::base::secret::Secret;
use crate::config::Config;
use crate::domain::audit::Actor;
use crate::domain::education::{AcademyCode, SchoolYear};
use crate::domain::identity::Identity;
use crate::flows::credential::{self, Chosen, Named};
use crate::flows::declaration::file::Reader;
use crate::flows::declaration::{self, Declaration};
use crate::flows::import::{self, Feed, Load};
use crate::flows::saml::own::{self, Role};
use crate::flows::{Context, person};

/// The provider as ours knows it.
pub(super) const ID: &str = "educonnect";

/// Opens the second installation.
pub(super) async fn open(folder: &Path, port: u16) -> Result<Context, AppError> {
    let mut config = Config::default();
    config.http.public_url = format!("http://localhost:{port}");
    config.database.file = folder.join(ID).join("marelle.db");
    app::open(&config).await
}

/// What it calls itself in a declaration: one key of a TOML file, quoted.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Stage {
    /// Each installation is told of the other, by its metadata, as two organisations do.
    pub(super) async fn introduce(&self) -> anyhow::Result<()> {
        let there = own::document(&self.educonnect, Role::IdentityProvider).await?;
        let entity_id = format!("{}/saml/metadata", self.educonnect.settings.public_url);
        let text = format!(
            "[[upstream_provider]]\nid = \"{ID}\"\nname = \"EduConnect (démo)\"\npreset = \"educonnect-saml\"\n\
             entity_id = {}\nmetadata_file = \"idp.xml\"\nconvention = \"démonstration\"\nlogout = true\n",
            quoted(&entity_id)
        );
        apply(&self.context, &text, &there.xml).await?;
        let here = own::document(&self.context, Role::ServiceProvider).await?;
        let mut text = format!(
            "[[relying_party]]\nid = \"marelle\"\nname = \"Marelle\"\n[relying_party.saml]\nentity_id = {}\n\
             metadata_file = \"sp.xml\"\npreset = \"educonnect\"\nnames = \"oid\"\n\
             name_id_format = \"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"\n",
            quoted(&format!("{}/saml/sp/metadata", self.context.settings.public_url))
        );
        for (attribute, purpose) in [
            ("fr_edu_ct_ref_id", "retrouver l’élève sous la clé de l’annuaire"),
            ("given_name", "vérifier que c’est bien l’élève"),
            ("family_name", "vérifier que c’est bien l’élève"),
            ("birthdate", "vérifier que c’est bien l’élève"),
            ("profile", "distinguer élèves et responsables"),
            ("level", "distinguer élèves d’école et de collège"),
        ] {
            text.push_str(&format!(
                "[[relying_party.release]]\nattribute = \"{attribute}\"\npurpose = \"{purpose}\"\n\
                 convention = \"démonstration\"\n"
            ));
        }
        apply(&self.educonnect, &text, &here.xml).await
    }

    /// The collège's pupils get their accounts there, as the collège hands them out; those of the tour are told.
    pub(super) async fn enrol_there(&self, territory: &Declaration, year: SchoolYear) -> anyhow::Result<()> {
        let declared = Declaration {
            academies: territory.academies.clone(),
            schools: territory.schools.clone(),
            ..Declaration::default()
        };
        declaration::apply(&self.educonnect, &declared, declaration::Options::default()).await?;
        let Some(academy) = territory.academies.first() else {
            anyhow::bail!("the sample has no academy")
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.join(format!("sample/aaf/{year}")))? {
            files.push(import_file(&entry?.path(), None));
        }
        let academy: AcademyCode = academy.code.clone();
        let load = Load {
            feed: Feed::Aaf {
                academy,
                degree: None,
            },
            year,
            files,
            operator: "demo".to_owned(),
            override_reason: None,
            mapping: None,
        };
        import::apply(&self.educonnect, load).await?;
        let mut there = Vec::new();
        for school in &territory.schools {
            there.extend(person::list(&self.educonnect, &school.uai).await?);
        }
        let notes = self.memory.read();
        let mut accounts = Vec::new();
        for player in &notes.players {
            let Some(here) = person::find(&self.context, &player.identity).await? else {
                continue;
            };
            let is_same = |identity: &Identity| {
                identity.given_name == here.given_name
                    && identity.family_name == here.family_name
                    && identity.birth_date == here.birth_date
            };
            if let Some(holder) = there.iter().find(|holder| is_same(&holder.identity)) {
                accounts.push((player.identity.clone(), self.account(&holder.identity).await?));
            }
        }
        self.memory.change(|notes| {
            for (identity, account) in accounts {
                let of_theirs = |player: &&mut Player| player.identity == identity;
                if let Some(player) = notes.players.iter_mut().find(of_theirs) {
                    player.educonnect = account;
                }
            }
        })?;
        Ok(())
    }

    /// A login name and a password there, as they stand on the slip that the collège hands out.
    async fn account(&self, who: &Identity) -> anyhow::Result<Option<(String, String)>> {
        let random = &*self.educonnect.random;
        let password = random::symbols(random, b"bcdfghjkmnpqrstvwxz23456789", 14);
        let given = credential::give_username(&self.educonnect, who, None, &Actor::Operator).await?;
        let Named::Given(username) = given else {
            return Ok(None);
        };
        let secret = Secret::new(password.clone());
        let set = credential::set_password(&self.educonnect, who, &secret, &Actor::Operator).await?;
        Ok((set == Chosen::Set).then_some((username, password)))
    }
}

/// Applies a declaration that names one metadata file.
async fn apply(context: &Context, text: &str, metadata: &str) -> anyhow::Result<()> {
    let mut reader = Reader::default();
    reader.add(text, &|_| Ok(metadata.to_owned()))?;
    declaration::apply(context, &reader.finish(), declaration::Options::default()).await?;
    Ok(())
}
