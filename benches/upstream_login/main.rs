//! Logins by an identity provider of SAML, through the whole router: away, the answer by form, round with the ticket, a session.
//! What the provider does (writing and signing its answer) is not on the stopwatch.
//!
//! The figure stands beside the raw verification of an RSA-2048 signature, and beside the memory that this process has after each
//! thousand: SQLite keeps its pages in it, PostgreSQL does not, so that there it is the program's own. Each engine has a process
//! of its own. `MARELLE_BENCH_LOGINS` is how many (10,000 where nothing is said); PostgreSQL is measured where
//! `MARELLE_TEST_POSTGRES` names a server.

#[path = "../measure/mod.rs"]
mod measure;
#[path = "../measure/postgres.rs"]
mod postgres;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use marelle::app;
use marelle::base::random::SystemRandom;
use marelle::base::secret::Secret;
use marelle::base::time::{Clock, SystemClock};
use marelle::base::url;
use marelle::config::Config;
use marelle::domain::audit::Actor;
use marelle::domain::education::{Academy, Degree, Profile, School};
use marelle::flows::declaration::file::Reader;
use marelle::flows::declaration::{self, Declaration, Options};
use marelle::flows::person::{self, Creation, NewPerson};
use marelle::flows::upstream::link;
use marelle::saml::message::new_id;
use marelle::saml::name_id::issuer;
use marelle::saml::status::Status;
use marelle::saml::wire;
use marelle::saml::xml::{Element, Namespace};
use marelle::saml::xmlsec::redirect::Received;
use marelle::saml::xmlsec::{Certificate, PrivateKey, SelfSigned, Signer, sign};
use measure::{figure, head, now, part, row};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use tower::ServiceExt as _;

const ORIGIN: &str = "https://id.example.fr";
const IDP: &str = "https://idp.example/saml";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const MINUTES: Duration = Duration::from_secs(300);
/// The argument by which this program is told to be the one that is measured.
const MEASURED: &str = "measured";
/// After how many logins memory is looked at.
const STEP: u32 = 1000;
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == MEASURED) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(be());
    }
    measure::machine("before");
    again("SQLite", None)?;
    match measure::text_setting("MARELLE_TEST_POSTGRES") {
        Some(server) => {
            let schema = tokio::runtime::Runtime::new()?.block_on(postgres::fresh_schema(&server))?;
            again("PostgreSQL", Some(&schema))?;
        }
        None => println!("\nPostgreSQL: not measured, MARELLE_TEST_POSTGRES names no server"),
    }
    measure::machine("after");
    Ok(())
}

/// This program again, over an empty database.
fn again(engine: &str, url: Option<&str>) -> Result<()> {
    println!("\n{engine}");
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(MEASURED).env_remove("MARELLE_DATABASE__URL");
    if let Some(url) = url {
        command.env("MARELLE_DATABASE__URL", url);
    }
    anyhow::ensure!(command.status()?.success(), "{engine}: not measured");
    Ok(())
}

/// What is measured.
async fn be() -> Result<()> {
    let logins: u32 = measure::setting("MARELLE_BENCH_LOGINS", 10_000);
    let raw = PKey::from_rsa(Rsa::generate(2048)?)?;
    let verified = verifications(&raw)?;
    let key = PrivateKey::from_pkcs8(&raw.private_key_to_pkcs8()?)?;
    // Not in /tmp, which may be memory: commits shall reach a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let site = site(folder.path(), &key).await?;
    let signer = Signer {
        key,
        certificate: None,
    };
    head(
        "Logins by an identity provider of SAML, one after the other",
        &[
            "logins",
            "per second",
            "resident, MiB",
            "of it anonymous, MiB",
            "growth by a login, bytes",
        ],
    );
    let (mut spent, mut step) = (Duration::ZERO, Duration::ZERO);
    let mut before = memory("RssAnon")?;
    row(&[&0, &"", &mebibytes(memory("VmRSS")?), &mebibytes(before), &""]);
    for number in 1..=logins {
        step += login(&site, &signer).await?;
        if number % STEP == 0 {
            let anonymous = memory("RssAnon")?;
            let growth = (anonymous as f64 - before as f64) * 1024.0 / f64::from(STEP);
            row(&[
                &number,
                &figure(f64::from(STEP) / step.as_secs_f64()),
                &mebibytes(memory("VmRSS")?),
                &mebibytes(anonymous),
                &format!("{growth:.0}"),
            ]);
            before = anonymous;
            spent += std::mem::take(&mut step);
        }
    }
    let rate = f64::from(logins) / (spent + step).as_secs_f64();
    println!(
        "\n{} a second, {} ms each; raw RSA-2048 verifications: {} a second, to which that is {}",
        figure(rate),
        figure(1000.0 / rate),
        figure(verified),
        part(rate, verified),
    );
    Ok(())
}

fn mebibytes(kibibytes: u64) -> String {
    figure(kibibytes as f64 / 1024.0)
}

/// Raw verifications of a signature per second.
fn verifications(key: &PKey<Private>) -> Result<f64> {
    let bytes = [7_u8; 512];
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), key)?;
    let signature = signer.sign_oneshot_to_vec(&bytes)?;
    let (begun, mut count) = (now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(1) {
        let mut verifier = openssl::sign::Verifier::new(MessageDigest::sha256(), key)?;
        anyhow::ensure!(
            verifier.verify_oneshot(&signature, &bytes)?,
            "a good signature is good"
        );
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

/// Kibibytes of a kind that this process has in memory.
fn memory(kind: &str) -> Result<u64> {
    let line = measure::field("/proc/self/status", kind).with_context(|| format!("no {kind}"))?;
    let number = line.split_ascii_whitespace().next().context("no number")?;
    Ok(number.parse()?)
}

/// A site with the provider, and one person who is linked by it.
async fn site(folder: &std::path::Path, key: &PrivateKey) -> Result<Router> {
    let mut config = Config::default();
    config.http.public_url = ORIGIN.to_owned();
    config.database.file = folder.join("marelle.db");
    config.database.url = measure::text_setting("MARELLE_DATABASE__URL");
    config.keys.master_key_file = Some(folder.join("master.key"));
    let context = app::open(&config).await?;
    let text = format!(
        "[[upstream_provider]]\nid = \"idp\"\nname = \"IdP\"\npreset = \"generic-saml\"\nentity_id = \"{IDP}\"\n\
         metadata_file = \"idp.xml\"\n"
    );
    let metadata = metadata(key)?;
    let mut reader = Reader::default();
    reader.add(&text, &|_| Ok(metadata.clone()))?;
    let declared = Declaration {
        academies: vec![Academy {
            code: "14".parse()?,
            name: "Rennes".to_owned(),
        }],
        schools: vec![School {
            uai: "9990001X".parse()?,
            name: "École".to_owned(),
            degree: Degree::First,
            commune: None,
            academy: "14".parse()?,
        }],
        ..reader.finish()
    };
    declaration::apply(&context, &declared, Options::default()).await?;
    let new = NewPerson {
        given_name: "Maddi".to_owned(),
        family_name: "Etxeberria".to_owned(),
        profile: Profile::Teacher,
        school: "9990001X".parse()?,
        username: None,
        password: Secret::new("le chat dort à midi"),
        is_another: false,
    };
    let Creation::Created(person) = person::create(&context, &new, &Actor::Operator).await? else {
        bail!("nobody was made")
    };
    link::make(&context, &"idp".parse()?, ("maddi", person.id)).await?;
    Ok(app::router(context).await?)
}

fn metadata(key: &PrivateKey) -> Result<String> {
    let now = SystemClock.now();
    let said = SelfSigned {
        name: "idp",
        serial: [1; 16],
        not_before: now,
        not_after: now.plus(YEAR),
    };
    let certificate = Certificate::self_signed(key, &said)?.to_base64()?;
    let ds = |name: &'static str| Element::new(Namespace::Ds, name);
    let info = ds("KeyInfo").child(ds("X509Data").child(ds("X509Certificate").text(certificate)));
    let sign_on = Element::new(Namespace::Md, "SingleSignOnService")
        .attribute("Binding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect")
        .attribute("Location", "https://idp.example/sso");
    let role = Element::new(Namespace::Md, "IDPSSODescriptor")
        .attribute("protocolSupportEnumeration", Namespace::Samlp.uri())
        .child(Element::new(Namespace::Md, "KeyDescriptor").child(info))
        .child(sign_on);
    let entity = Element::new(Namespace::Md, "EntityDescriptor").attribute("entityID", IDP);
    Ok(entity.child(role).write())
}

/// One login; how long it took us.
async fn login(site: &Router, signer: &Signer) -> Result<Duration> {
    let begun = now();
    // A browser of its own each time: it has been told the cookie by which it is known while it is away.
    let told = ask(site, Request::get("/login/with/idp").body(Body::empty())?).await?;
    let request = Request::get(told.location.as_str()).header(header::COOKIE, told.cookie.as_str());
    let away = ask(site, request.body(Body::empty())?).await?;
    let mut spent = begun.elapsed();
    let (_, query) = away.location.split_once('?').context("no request")?;
    let received = Received::read(query, 1 << 16)?;
    let asked = String::from_utf8(received.message)?;
    let id = asked
        .split("ID=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let answer = answer(id.context("no ID")?, signer)?;
    let form = url::query([("SAMLResponse", wire::to_form(&answer).as_str())]);

    let begun: Instant = now();
    let request = Request::post("/saml/sp/acs")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))?;
    let round = ask(site, request).await?;
    let request = Request::get(round.location.as_str()).header(header::COOKIE, told.cookie.as_str());
    let home = ask(site, request.body(Body::empty())?).await?;
    spent += begun.elapsed();
    anyhow::ensure!(home.location == "/", "signed in: {}", home.location);
    Ok(spent)
}

/// Where the browser goes next, and the first cookie it got.
struct Next {
    location: String,
    cookie: String,
}

async fn ask(site: &Router, request: Request<Body>) -> Result<Next> {
    let response = site.clone().oneshot(request).await?;
    let text = |name| {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let location = text(header::LOCATION);
    anyhow::ensure!(!location.is_empty(), "status {}", response.status());
    let cookie = text(header::SET_COOKIE);
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    Ok(Next { location, cookie })
}

/// The provider's answer, signed as a whole.
fn answer(request: &str, signer: &Signer) -> Result<String> {
    let now = SystemClock.now();
    let (acs, end) = (format!("{ORIGIN}/saml/sp/acs"), now.plus(MINUTES).to_string());
    let saml = |name: &'static str| Element::new(Namespace::Saml, name);
    let data = saml("SubjectConfirmationData")
        .attribute("Recipient", acs.as_str())
        .attribute("NotOnOrAfter", end.as_str())
        .attribute("InResponseTo", request);
    let confirmation = saml("SubjectConfirmation")
        .attribute("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
        .child(data);
    let name = saml("NameID").attribute("Format", PERSISTENT).text("maddi");
    let audience = saml("Audience").text(format!("{ORIGIN}/saml/sp/metadata"));
    let conditions = saml("Conditions")
        .attribute("NotOnOrAfter", end.as_str())
        .child(saml("AudienceRestriction").child(audience));
    let class = saml("AuthnContextClassRef").text("urn:oasis:names:tc:SAML:2.0:ac:classes:Password");
    let statement = saml("AuthnStatement")
        .attribute("AuthnInstant", now.to_string())
        .attribute("SessionIndex", "_s")
        .child(saml("AuthnContext").child(class));
    let assertion = saml("Assertion")
        .attribute("ID", new_id(&SystemRandom))
        .attribute("Version", "2.0")
        .attribute("IssueInstant", now.to_string())
        .child(issuer(IDP))
        .child(saml("Subject").child(name).child(confirmation))
        .child(conditions)
        .child(statement);
    let response = Element::new(Namespace::Samlp, "Response")
        .attribute("ID", new_id(&SystemRandom))
        .attribute("Version", "2.0")
        .attribute("IssueInstant", now.to_string())
        .attribute("Destination", acs)
        .attribute("InResponseTo", request)
        .child(issuer(IDP))
        .child(Status::SUCCESS.element())
        .child(assertion);
    Ok(sign(response, signer)?.write())
}
