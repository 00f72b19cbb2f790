//! Requests to other hosts: the one HTTP client, with a limit on everything that comes back.
//!
//! Redirects are never followed (a partner that moved says so itself), a body is read to a limit, and time is short.

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
    /// More came back than is read.
    #[error("{host}: the answer is longer than {BODY} bytes")]
    TooLong {
        /// The host that was asked.
        host: String,
    },
}

/// The client.
#[derive(Debug, Clone)]
pub struct Outbound(reqwest::Client);

impl Outbound {
    /// A client with its limits.
    ///
    /// # Errors
    /// Where the TLS library cannot start.
    pub fn new() -> Result<Self, OutboundError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIME)
            .user_agent("marelle")
            .build()
            .map(Self)
            .map_err(|error| OutboundError::Unreachable {
                host: String::new(),
                message: error.to_string(),
            })
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub async fn send(
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
