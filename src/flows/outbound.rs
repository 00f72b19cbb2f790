//! Requests to other hosts: the one HTTP client, with a limit on everything that comes back.
//!
//! Redirects are never followed (a partner that moved says so itself), a body is read to a limit, and time is short.
//! Where a request may go is decided by whoever asks: an address that an operator declared, or one on a host that a
//! registration policy lists.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

/// The longest body that is read.
const BODY: usize = 1024 * 1024;
/// The longest a request may take, body included.
const TIME: Duration = Duration::from_secs(10);

/// A request to another host that brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// No connection, no answer in time, or a broken one.
    #[error("{host}: {message}")]
    Unreachable {
        /// The host that was asked.
        host: String,
        /// What happened.
        message: String,
    },
    /// The client cannot be made.
    #[error("outbound: {message}")]
    Setup {
        /// What is wrong.
        message: String,
    },
    /// More came back than is read.
    #[error("{host}: the answer is longer than {BODY} bytes")]
    TooLong {
        /// The host that was asked.
        host: String,
    },
}

/// An answer that is on its way.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Vec<u8>>, OutboundError>> + Send + 'a>>;

/// What sends requests to other hosts; the composition root chooses the real one, tests one of their own.
pub trait Outbound: Send + Sync {
    /// Sends a request and reads the answer.
    fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_>;
}

/// The real client.
#[derive(Debug, Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client with its limits; `authorities` is a file of certificates (PEM) that are trusted besides the system's.
    ///
    /// # Errors
    /// Where the file cannot be used, or the TLS library cannot start.
    pub fn new(authorities: Option<&Path>) -> Result<Self, OutboundError> {
        let refused = |message: String| OutboundError::Setup { message };
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIME)
            .user_agent("marelle");
        if let Some(path) = authorities {
            let pem = std::fs::read(path).map_err(|error| refused(format!("{}: {error}", path.display())))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| refused(format!("{}: {error}", path.display())))?;
            builder = builder.tls_certs_merge(certificates);
        }
        builder
            .build()
            .map(Self)
            .map_err(|error| refused(error.to_string()))
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, OutboundError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let unreachable = |error: reqwest::Error| OutboundError::Unreachable {
            host: host.clone(),
            // Without the address: its query may hold a secret.
            message: error.without_url().to_string(),
        };
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut answer = self.0.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + part.len() > BODY {
                return Err(OutboundError::TooLong { host });
            }
            body.extend_from_slice(&part);
        }
        let mut response = http::Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}

impl Outbound for HttpClient {
    fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_> {
        Box::pin(self.exchange(request))
    }
}
