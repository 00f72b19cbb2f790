//! The composition root: a configuration becomes a running program. The only place that chooses between real parts
//! (SQLite or PostgreSQL, the system's clock and randomness).
//!
//! Must never decide anything a flow decides.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::base::random::{Random, SystemRandom};
use crate::base::secret::{MasterKey, SecretError, Vault};
use crate::base::time::{Clock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::domain::InvalidValue;
use crate::domain::education::SchoolYear;
use crate::domain::session::Lifetimes;
use crate::domain::uai::Uai;
use crate::flows::client_keys::FetchedKeys;
use crate::flows::drop_folder::{Feeds, Folder, feed_of};
use crate::flows::import;
use crate::flows::keys::Keyring;
use crate::flows::outbound::{HttpClient, OutboundError};
use crate::flows::password_gate::PasswordGate;
use crate::flows::{self, Context, Failure, Settings};
use crate::jobs;
use crate::saml::metadata::{Contact, Logo, Organization, Presentation, Words};
use crate::store::StoreError;
use crate::store::db::{Address, Db};
use crate::web::server;

mod private_files;

pub use crate::web::cards::printable as printable_cards;

/// The program cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cryptographic library.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The client for other hosts.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// A flow of the start.
    #[error(transparent)]
    Flow(#[from] Failure),
    /// The address to listen on.
    #[error("[http] listen = \"{listen}\": {source}")]
    Socket {
        /// The address.
        listen: String,
        /// Why it cannot be used.
        source: std::io::Error,
    },
    /// A file or folder.
    #[error("{path}: {message}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl AppError {
    fn file(path: &Path, message: &dyn std::fmt::Display) -> Self {
        Self::File {
            path: path.to_owned(),
            message: message.to_string(),
        }
    }
}

/// Opens database and vault and answers what every flow needs. Migrates, and checks that the master key is the one
/// the data was sealed under.
///
/// # Errors
/// [`AppError`].
pub async fn open(config: &Config) -> Result<Context, AppError> {
    open_with(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await
}

/// [`open`] with a clock and a randomness of the caller's.
///
/// # Errors
/// [`AppError`].
pub async fn open_with(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Context, AppError> {
    let address = match config.database.url()? {
        Some(url) => Address::Url(url),
        None => Address::File(config.database.file.clone()),
    };
    if let Address::File(path) = &address {
        private_files::private_file(path)?;
    }
    let master = master_key(config, &*random)?;
    let vault = Vault::new(&master)?;
    let db = Db::open(&address).await?;
    db.migrate().await?;
    let (authorities, private_networks) = (
        config.outbound.ca_file.as_deref(),
        config.outbound.private_networks,
    );
    let outbound = HttpClient::new(authorities, private_networks)?;
    let context = Context {
        db,
        vault,
        clock,
        random,
        passwords: Arc::new(PasswordGate::for_this_machine()),
        client_keys: FetchedKeys::default(),
        outbound: Arc::new(outbound),
        logout_bell: Arc::default(),
        models: Default::default(),
        saml: flows::saml::SamlState::default(),
        settings: Arc::new(settings(config)?),
    };
    flows::installation::check_master_key(&context).await?;
    Ok(context)
}

fn master_key(config: &Config, random: &dyn Random) -> Result<MasterKey, AppError> {
    if let Some(key) = config.keys.master_key.as_deref().and_then(MasterKey::from_hex) {
        return Ok(key);
    }
    let beside = if config.database.url()?.is_some() {
        PathBuf::from("data/master.key")
    } else {
        config.database.file.with_file_name("master.key")
    };
    private_files::load_or_make(config.keys.master_key_file.as_ref().unwrap_or(&beside), random)
}

/// What flows need of a configuration; whether it can be used, before anything is opened.
///
/// # Errors
/// [`ConfigError`].
pub fn settings(config: &Config) -> Result<Settings, ConfigError> {
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    Ok(Settings {
        public_url: config.http.public_url.clone(),
        sessions: Lifetimes {
            shared: seconds(config.session.shared_minutes.saturating_mul(60)),
            personal: seconds(config.session.personal_hours.saturating_mul(3600)),
        },
        code_lifetime: seconds(config.oidc.code_seconds),
        access_token_lifetime: seconds(config.oidc.access_token_seconds),
        id_token_lifetime: seconds(config.oidc.id_token_seconds),
        refresh_token_lifetime: seconds(config.oidc.refresh_token_days.saturating_mul(86_400)),
        pushed_request_lifetime: seconds(config.oidc.pushed_request_seconds),
        ticket_lifetime: seconds(config.cas.ticket_seconds),
        needs_dpop_nonce: config.oidc.dpop_nonce,
        key_rotation: (config.keys.rotation_days > 0)
            .then(|| seconds(config.keys.rotation_days.saturating_mul(86_400))),
        feeds: feeds(config)?,
        departed_days: config.people.departed_days,
        saml: presentation(config),
        saml_metadata_lifetime: seconds(config.saml.metadata_days.saturating_mul(86_400)),
    })
}

/// The drop folders, in the words of the domain.
fn feeds(config: &Config) -> Result<Feeds, ConfigError> {
    let folder = |folder: &crate::config::Folder| {
        let wrong = |key: &'static str, message: &dyn std::fmt::Display| ConfigError::Value {
            section: "feeds",
            key,
            message: format!("{}: {message}", folder.name()),
        };
        let academy = folder.academy.as_deref().map(str::parse).transpose();
        let academy = academy.map_err(|error: InvalidValue| wrong("academy", &error))?;
        let school = folder.school.as_deref().map(str::parse).transpose();
        let year = folder.year()?.map(SchoolYear::new).transpose();
        Ok(Folder {
            name: folder.name(),
            path: folder.path.clone(),
            feed: feed_of(&folder.kind, academy).map_err(|message| wrong("folder", &message))?,
            school: school.map_err(|error: InvalidValue| wrong("school", &error))?,
            year: year.map_err(|error| wrong("year", &error))?,
            stable_for: folder.stable_for()?,
            expected_every: folder.expected_every()?,
            apply: folder.apply,
        })
    };
    let folders = config.feeds.folder.iter().map(folder);
    Ok(Feeds {
        folders: folders.collect::<Result<_, ConfigError>>()?,
    })
}

/// What SAML partners are told; an installation that says nothing of itself is called by its host.
fn presentation(config: &Config) -> Presentation {
    let saml = &config.saml;
    let host = config.http.public_url.split("://").last().map(str::to_owned);
    let words = |fr: &Option<String>, en: &Option<String>| Words {
        fr: fr.clone(),
        en: en.clone(),
    };
    let contact = |kind, email: &Option<String>| email.clone().map(|email| Contact { kind, email });
    let contacts = [
        contact("technical", &saml.technical_contact),
        contact("support", &saml.support_contact),
    ];
    Presentation {
        display_name: words(&saml.display_name.clone().or(host), &saml.display_name_en),
        description: words(&saml.description, &saml.description_en),
        information_url: words(&saml.information_url, &None),
        logo: saml.logo_url.clone().map(|url| Logo {
            url,
            width: saml.logo_width,
            height: saml.logo_height,
        }),
        scopes: saml.scopes.clone(),
        organization: saml.organization.clone().map(|name| Organization {
            name,
            url: saml
                .organization_url
                .clone()
                .unwrap_or_else(|| config.http.public_url.clone()),
        }),
        contacts: contacts.into_iter().flatten().collect(),
        wants_signed_requests: saml.want_signed_requests,
    }
}

/// The whole site over what flows need.
///
/// # Errors
/// [`AppError`].
pub async fn router(context: Context) -> Result<axum::Router, AppError> {
    let keyring = Keyring::open(&context).await?;
    Ok(site(context, keyring))
}

/// Does what the program does by itself, beside the requests, until `stopped` comes true.
///
/// # Errors
/// [`AppError`].
pub async fn work(context: Context, stopped: tokio::sync::watch::Receiver<bool>) -> Result<(), AppError> {
    let keyring = Keyring::open(&context).await?;
    jobs::work(context, keyring, stopped).await;
    Ok(())
}

fn site(context: Context, keyring: Keyring) -> axum::Router {
    crate::web::router(crate::web::WebState {
        context,
        keyring,
        brand: Arc::default(),
    })
}

/// Serves the site of a configuration until `stop` comes true, then finishes what is under way.
///
/// # Errors
/// [`AppError`] where certificate, key or socket cannot be used.
pub async fn serve(
    config: &Config,
    context: Context,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), AppError> {
    let acceptor = match (&config.tls.cert, &config.tls.key) {
        (Some(cert), Some(key)) => {
            Some(server::tls(cert, key).map_err(|error| AppError::file(cert, &error))?)
        }
        _ => None,
    };
    let socket = |error| AppError::Socket {
        listen: config.http.listen.clone(),
        source: error,
    };
    let listener = TcpListener::bind(&config.http.listen).await.map_err(socket)?;
    let db = context.db.clone();
    let keyring = Keyring::open(&context).await?;
    let (stopper, stopped) = tokio::sync::watch::channel(false);
    let work = tokio::spawn(jobs::work(context.clone(), keyring.clone(), stopped));
    let router = site(context, keyring);
    tracing::info!(listen = %config.http.listen, issuer = %config.http.public_url, engine = db.engine(), "serving");
    let served = server::serve(listener, acceptor, router, stop).await;
    stopper.send_replace(true);
    if let Err(error) = work.await {
        tracing::error!(cause = %error, "the jobs did not end well");
    }
    served.map_err(socket)?;
    db.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// A file of a delivery on the disk, opened when its turn comes; `school` where the feed does not say whose it is.
pub fn import_file(path: &Path, school: Option<Uai>) -> import::File {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .as_ref()
        .into();
    let path = path.to_owned();
    let open: import::Opener = Box::new(move || Ok(Box::new(File::open(path)?) as Box<dyn Read + Send>));
    import::File { name, school, open }
}
