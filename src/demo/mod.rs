//! L5: the territory that `marelle demo` plays: an école, a collège, and five services that are real relying parties on
//! ports of their own, three by OpenID Connect, one by SAML and one by CAS; and a second installation that plays EduConnect.
//!
//! Everything a visitor sees goes the way a real installation goes: files are read by the readers, imported by the
//! import, people sign in by the pages, services use the endpoints of their protocol. Must never give a page or a flow
//! a way that `marelle serve` does not have; the tour only shows what it did and tells secrets that it made up.

mod client;
mod educonnect;
mod loading;
mod memory;
mod service;
mod territory;
mod tour;

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::app::{self, AppError};
use crate::base::secret::Secret;
use crate::config::Config;
use crate::flows::Context;
use crate::web::server;
use crate::web::views::Brand;
use client::{Client, Registration};
use memory::{Memory, ServiceKey};
use service::Service;
pub use territory::Folder;

/// How the demo is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where its data is.
    pub folder: PathBuf,
    /// Marelle's port; the services take the next five, EduConnect the one after.
    pub port: u16,
    /// Whether former data is thrown away first.
    pub reset: bool,
}

/// What runs: Marelle, its territory, and what the tour knows about them.
pub(crate) struct Stage {
    context: Context,
    /// The second installation.
    educonnect: Context,
    folder: PathBuf,
    memory: Arc<Memory>,
    brand: Arc<Brand>,
    services: Vec<Arc<Service>>,
    notice: Mutex<Option<String>>,
    /// One change at a time.
    busy: tokio::sync::Mutex<()>,
    /// Somebody asked for a new beginning.
    again: Notify,
}

impl Stage {
    fn leave_notice(&self, notice: String) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(notice);
    }

    fn take_notice(&self) -> Option<String> {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn service(&self, key: ServiceKey) -> Option<&Arc<Service>> {
        self.services.iter().find(|service| service.key == key)
    }
}

/// A service before it runs: which, its client id, its name and one sentence.
const SERVICES: [(ServiceKey, &str, &str, &str); 5] = [
    (
        ServiceKey::Ecole,
        "demo-ecole",
        "La cabane à lire",
        "Le service de lecture de l’école. Il ne connaît que les élèves de l’école.",
    ),
    (
        ServiceKey::College,
        "demo-college",
        "ENT du collège",
        "L’espace numérique du collège. Il ne connaît que les élèves du collège.",
    ),
    (
        ServiceKey::Carnet,
        "demo-carnet",
        "Mon carnet",
        "Un service que l’école et le collège utilisent tous les deux : il doit reconnaître l’enfant.",
    ),
    (
        ServiceKey::Lycee,
        "demo-lycee",
        "ENT de la cité scolaire",
        "L’espace que le lycée partage avec le collège. Il parle SAML, et connaît l’enfant par le même identifiant que l’ENT du collège.",
    ),
    (
        ServiceKey::Manuel,
        "demo-manuel",
        "Le manuel de maths",
        "Le manuel d’un éditeur, par CAS. Il n’apprend que le niveau et la classe.",
    ),
];

/// Plays the demo until `stop` comes true. `say` is given the lines for the person who started it.
///
/// # Errors
/// Where data, files or ports cannot be used.
pub async fn run(
    options: Options,
    stop: impl Future<Output = ()> + Send + 'static,
    say: impl Fn(&str),
) -> anyhow::Result<()> {
    if options.reset {
        territory::throw_away(&options.folder)?;
    }
    // All ports first: nothing is begun that could not be shown. They stay open from one round to the next, so that a
    // browser that comes in between only waits.
    let doors = doors(options.port)?;
    let (stopper, stopped) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        stopper.send_replace(true);
    });
    while !round(&options, &doors, stopped.clone(), &say).await? {
        territory::throw_away(&options.folder)?;
    }
    Ok(())
}

fn doors(port: u16) -> anyhow::Result<Vec<std::net::TcpListener>> {
    let mut doors = Vec::new();
    for offset in 0..=6 {
        let port = port
            .checked_add(offset)
            .ok_or_else(|| anyhow::anyhow!("--port: too high"))?;
        let door = std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            anyhow::anyhow!("port {port}: {error}; choose another by --port (it takes seven in a row)")
        })?;
        door.set_nonblocking(true)?;
        doors.push(door);
    }
    Ok(doors)
}

/// Plays until somebody stops the demo (`true`) or asks for a new beginning (`false`).
async fn round(
    options: &Options,
    doors: &[std::net::TcpListener],
    mut stopped: watch::Receiver<bool>,
    say: &impl Fn(&str),
) -> anyhow::Result<bool> {
    let issuer = format!("http://127.0.0.1:{}", options.port);
    let context = open(options, &issuer).await?;
    let memory = Arc::new(Memory::open(&options.folder.join("demo.json")));
    let there = educonnect::open(&options.folder, options.port + 6).await?;
    let stage = Arc::new(stage((context, there), options, &issuer, memory)?);
    stage.prepare(say).await?;

    let (ender, ended) = watch::channel(false);
    let mut sites = vec![
        app::router(stage.context.clone())
            .await?
            .merge(tour::router(stage.clone())),
    ];
    sites.extend(
        stage
            .services
            .iter()
            .map(|service| service::router(service.clone())),
    );
    sites.push(app::router(stage.educonnect.clone()).await?);
    let work = tokio::spawn(app::work(stage.context.clone(), ended.clone()));
    let work_there = tokio::spawn(app::work(stage.educonnect.clone(), ended.clone()));
    let mut running = Vec::new();
    for (door, site) in doors.iter().zip(sites) {
        let listener = TcpListener::from_std(door.try_clone()?)?;
        running.push(play(listener, site, ended.clone()));
    }
    tour::announce(&stage, &issuer, say);
    say(&format!("ready: {issuer}{}", tour::PATH));
    let is_over = tokio::select! {
        _ = stopped.wait_for(|stopped| *stopped) => true,
        () = stage.again.notified() => false,
    };
    say(if is_over { "stopping" } else { "beginning anew" });
    ender.send_replace(true);
    for site in running {
        site.await??;
    }
    work.await??;
    work_there.await??;
    stage.context.db.close().await;
    stage.educonnect.db.close().await;
    Ok(is_over)
}

fn play(
    listener: TcpListener,
    site: Router,
    mut stopped: watch::Receiver<bool>,
) -> tokio::task::JoinHandle<std::io::Result<()>> {
    let stop = async move {
        // An error means that the sender is gone: stop as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    tokio::spawn(server::serve(listener, None, site, stop))
}

async fn open(options: &Options, issuer: &str) -> Result<Context, AppError> {
    let mut config = Config::default();
    config.http.public_url = issuer.to_owned();
    config.database.file = options.folder.join("marelle.db");
    app::open(&config).await
}

fn stage(
    (context, educonnect): (Context, Context),
    options: &Options,
    issuer: &str,
    memory: Arc<Memory>,
) -> anyhow::Result<Stage> {
    let mut services = Vec::new();
    for (offset, (key, id, name, about)) in (1..).zip(SERVICES) {
        let url = format!("http://127.0.0.1:{}", options.port + offset);
        let registration = Registration {
            issuer: issuer.to_owned(),
            id: id.to_owned(),
            // New at every start: nobody has to keep it.
            secret: Secret::generate("", &*context.random),
            url: url.clone(),
        };
        let outbound = context.outbound.clone();
        let client = match key {
            ServiceKey::Ecole | ServiceKey::College | ServiceKey::Carnet => {
                Client::Oidc(client::oidc::Client::new(registration, outbound))
            }
            ServiceKey::Lycee => Client::Saml(client::saml::Client::new(registration, outbound)?),
            ServiceKey::Manuel => Client::Cas(client::cas::Client::new(registration, outbound)),
        };
        services.push(Arc::new(Service {
            key,
            id,
            name,
            about,
            url,
            tour_url: format!("{issuer}{}", tour::PATH),
            client,
            memory: memory.clone(),
            browsers: Mutex::default(),
        }));
    }
    Ok(Stage {
        context,
        educonnect,
        folder: options.folder.clone(),
        memory,
        brand: Arc::default(),
        services,
        notice: Mutex::default(),
        busy: tokio::sync::Mutex::default(),
        again: Notify::new(),
    })
}
