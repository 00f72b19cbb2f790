//! A document of metadata on its way: fetched into a file without a name, verified into another, read from there.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use http::StatusCode;
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use tokio::sync::mpsc::Sender;

use crate::base::time::Timestamp;
use crate::domain::saml_source::{Location, Origin, Source, Terms};
use crate::flows::outbound::{Limit, Reach};
use crate::flows::{Context, Failure};
use crate::saml::metadata::{Allowed, Entities, Found, Names, take};
use crate::saml::xml::Limits;
use crate::saml::xmlsec::PublicKey;

/// The longest a download may take.
const TIME: Duration = Duration::from_secs(300);
/// How many entities are handed over at once.
const BATCH: usize = 100;
/// The longest name of a version that is kept.
const LONGEST_ETAG: usize = 200;

/// A document as it came.
pub(super) struct Fetched {
    file: File,
    /// The version that its host named.
    pub(super) etag: Option<String>,
}

/// A document that may be read: canonical bytes, signed where that was asked for.
pub(super) struct Document {
    file: File,
    repeated: Names,
    /// Until when it holds.
    pub(super) valid_until: Option<Timestamp>,
    /// The pinned key that signed it.
    pub(super) signed_by: Option<String>,
}

/// What reading hands over.
pub(super) enum Batch {
    /// Some entities.
    Entities(Vec<Found>),
    /// All of them were handed over; how long the document may be kept.
    End(Option<Duration>),
    /// Reading broke off.
    Broken(String),
}

/// Fetches a document; `None` where its host says that the version we have is the newest.
pub(super) async fn fetch(
    context: &Context,
    source: &Source,
    etag: Option<&str>,
) -> Result<Option<Fetched>, String> {
    let wrong = |error: &dyn std::fmt::Display| error.to_string();
    let address = match &source.terms.location {
        Location::Declared => return Ok(None),
        Location::Path(path) => {
            let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
            let length = file.metadata().map_err(|error| wrong(&error))?.len();
            if length > source.terms.most_bytes {
                return Err(format!("{path}: longer than {} bytes", source.terms.most_bytes));
            }
            return Ok(Some(Fetched { file, etag: None }));
        }
        Location::Url(address) => address,
    };
    // An operator wrote the address down.
    let mut request = http::Request::get(address.as_str())
        .extension(Reach::Anywhere)
        .header(
            ACCEPT,
            "application/samlmetadata+xml, application/xml, text/xml, */*;q=0.1",
        );
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let request = request.body(Vec::new()).map_err(|error| wrong(&error))?;
    let mut file = tempfile::tempfile().map_err(|error| wrong(&error))?;
    let limit = Limit {
        bytes: source.terms.most_bytes,
        time: TIME,
    };
    let answer = context.outbound.download(request, limit, &mut file).await;
    let answer = answer.map_err(|error| wrong(&error))?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(None),
        status => return Err(format!("status {status}")),
    }
    file.rewind().map_err(|error| wrong(&error))?;
    let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
    Ok(Some(Fetched {
        file,
        etag: etag.filter(|etag| etag.len() <= LONGEST_ETAG).map(str::to_owned),
    }))
}

impl Fetched {
    /// The document, where it may be read under the terms of its source.
    pub(super) async fn verified(
        self,
        source: &Source,
        now: Timestamp,
    ) -> Result<Result<Document, String>, Failure> {
        let source = source.clone();
        let done = tokio::task::spawn_blocking(move || self.verify(&source, now)).await;
        done.map_err(|error| Failure::Task(error.to_string()))
    }

    fn verify(self, source: &Source, now: Timestamp) -> Result<Document, String> {
        let terms = &source.terms;
        let keys = terms.keys.iter().map(|key| public(key));
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        let is_federation = source.origin == Origin::Federation;
        if is_federation && keys.is_empty() {
            return Err("no key is pinned for it".to_owned());
        }
        let limits = Limits {
            bytes: usize::try_from(terms.most_bytes).unwrap_or(usize::MAX),
            ..Limits::METADATA
        };
        let mut file = tempfile::tempfile().map_err(|error| error.to_string())?;
        let wanted = (!keys.is_empty()).then_some(keys.as_slice());
        let out = BufWriter::with_capacity(256 * 1024, &mut file);
        let input = BufReader::with_capacity(256 * 1024, self.file);
        let taken = take(input, wanted, limits, out).map_err(|error| error.to_string())?;
        // saml-metadata §4.3.1: what is over is not used. An aggregate says when, or its signature would be good for ever.
        match taken.valid_until {
            None if is_federation => return Err("it does not say until when it is valid".to_owned()),
            Some(end) if end <= now => return Err(format!("its validUntil has passed: {end}")),
            Some(end) if is_federation && end > now.plus(terms.max_validity) => {
                return Err(format!("its validUntil is too far in the future: {end}"));
            }
            _ => {}
        }
        file.rewind().map_err(|error| error.to_string())?;
        Ok(Document {
            file,
            repeated: taken.repeated,
            valid_until: taken.valid_until,
            signed_by: taken.key.and_then(|at| terms.keys.get(at).cloned()),
        })
    }
}

fn public(spki: &str) -> Result<PublicKey, String> {
    let der = BASE64
        .decode(spki.as_bytes())
        .map_err(|error| error.to_string())?;
    PublicKey::from_der(&der).map_err(|error| error.to_string())
}

impl Document {
    /// Hands its entities over, those that the terms want; ends when nobody takes them any more.
    pub(super) fn read(self, terms: &Terms, own: Arc<str>, now: Timestamp, to: &Sender<Batch>) {
        let allowed = Allowed {
            http_addresses: terms.http_addresses,
        };
        let input = BufReader::with_capacity(256 * 1024, self.file);
        let mut entities = Entities::new(input, allowed, own, self.repeated, now);
        let mut batch = Vec::with_capacity(BATCH);
        for found in entities.by_ref() {
            let found = match found {
                Ok(found) => found,
                Err(fault) => {
                    drop(to.blocking_send(Batch::Broken(fault.to_string())));
                    return;
                }
            };
            if is_wanted(&found, terms.entity_id.as_deref()) {
                batch.push(found);
            }
            if batch.len() == BATCH {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                if to.blocking_send(Batch::Entities(full)).is_err() {
                    return;
                }
            }
        }
        let cache = entities.root().and_then(|root| root.cache_duration);
        if to.blocking_send(Batch::Entities(batch)).is_ok() {
            drop(to.blocking_send(Batch::End(cache)));
        }
    }
}

/// Whether something is told of an entity: a party's own document speaks for that party alone.
fn is_wanted(found: &Found, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    match found {
        Found::Service(entity) => entity.provider.entity_id == wanted,
        Found::Unusable { entity_id, .. } => entity_id.as_deref() == Some(wanted),
        Found::Ourselves(_) | Found::Other => false,
    }
}
