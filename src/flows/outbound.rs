//! Requests to other hosts: the one HTTP client, with a limit on everything that comes back.
//!
//! Redirects are never followed (a partner that moved says so itself), a body is read to a limit, and time is short.
//! Where a request may go is decided by whoever asks: an address that an operator declared goes anywhere; one that a
//! project registered by itself is on a host that its policy lists, but what that host's name means in the end is the
//! project's to say, so such a request goes to public addresses only ([`Reach`]), unless the configuration says
//! otherwise. A request that does not say which it is, is held to be of the second kind.

mod reach;

use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use reach::Reach;
use reach::{PublicNames, names_a_private_address};

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
    /// The address leads into a private network, and whoever named it may not send us there.
    #[error("{host}: not a public address")]
    Private {
        /// The host that was to be asked.
        host: String,
    },
    /// More came back than is read.
    #[error("{host}: the answer is longer than {most} bytes")]
    TooLong {
        /// The host that was asked.
        host: String,
        /// How many bytes are read.
        most: u64,
    },
    /// What came back could not be kept.
    #[error("{host}: {message}")]
    Unkept {
        /// The host that was asked.
        host: String,
        /// What happened.
        message: String,
    },
}

/// An answer that is on its way.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Vec<u8>>, OutboundError>> + Send + 'a>>;

/// What sends requests to other hosts; the composition root chooses the real one, tests one of their own.
pub trait Outbound: Send + Sync {
    /// Sends a request and reads the answer.
    fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_>;

    /// Sends a request and writes the body of its answer to `to`, as it comes; answers the rest.
    fn download<'a>(
        &'a self,
        request: http::Request<Vec<u8>>,
        limit: Limit,
        to: &'a mut (dyn Write + Send),
    ) -> Downloaded<'a> {
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let answer = self.send(request).await?;
            let (parts, body) = answer.into_parts();
            let mut kept = Kept {
                host,
                limit,
                length: 0,
            };
            kept.write(&body, to)?;
            Ok(http::Response::from_parts(parts, ()))
        })
    }
}

/// A download that is on its way.
pub type Downloaded<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<()>, OutboundError>> + Send + 'a>>;

/// What a download may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its most bytes.
    pub bytes: u64,
    /// The longest it may take.
    pub time: Duration,
}

/// A body that is being written down.
struct Kept {
    host: String,
    limit: Limit,
    length: u64,
}

impl Kept {
    fn write(&mut self, part: &[u8], to: &mut (dyn Write + Send)) -> Result<(), OutboundError> {
        self.length = self.length.saturating_add(part.len() as u64);
        if self.length > self.limit.bytes {
            return Err(OutboundError::TooLong {
                host: self.host.clone(),
                most: self.limit.bytes,
            });
        }
        to.write_all(part).map_err(|error| OutboundError::Unkept {
            host: self.host.clone(),
            message: error.to_string(),
        })
    }
}

/// The real client: one for each reach.
#[derive(Debug, Clone)]
pub struct HttpClient {
    anywhere: reqwest::Client,
    /// `None` where everybody may send us anywhere.
    public: Option<reqwest::Client>,
}

impl HttpClient {
    /// A client with its limits; `authorities` is a file of certificates (PEM) that are trusted besides the system's,
    /// `private_networks` whether even [`Reach::Public`] goes into private networks.
    ///
    /// # Errors
    /// Where the file cannot be used, or the TLS library cannot start.
    pub fn new(authorities: Option<&Path>, private_networks: bool) -> Result<Self, OutboundError> {
        let refused = |message: String| OutboundError::Setup { message };
        let mut certificates = Vec::new();
        if let Some(path) = authorities {
            let pem = std::fs::read(path).map_err(|error| refused(format!("{}: {error}", path.display())))?;
            certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| refused(format!("{}: {error}", path.display())))?;
        }
        let build = |builder: reqwest::ClientBuilder| {
            builder
                .redirect(reqwest::redirect::Policy::none())
                .timeout(TIME)
                .user_agent("marelle")
                .tls_certs_merge(certificates.clone())
                .build()
                .map_err(|error| refused(error.to_string()))
        };
        let public = || build(reqwest::Client::builder().dns_resolver(Arc::new(PublicNames)));
        Ok(Self {
            anywhere: build(reqwest::Client::builder())?,
            public: if private_networks { None } else { Some(public()?) },
        })
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        limit: Limit,
        to: &mut (dyn Write + Send),
    ) -> Result<http::Response<()>, OutboundError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let unreachable = |error: reqwest::Error| OutboundError::Unreachable {
            host: host.clone(),
            // Without the address: its query may hold a secret.
            message: error.without_url().to_string(),
        };
        let reach = request.extensions().get().copied().unwrap_or(Reach::Public);
        let mut request = reqwest::Request::try_from(request).map_err(unreachable)?;
        *request.timeout_mut() = Some(limit.time);
        let client = match &self.public {
            Some(public) if reach == Reach::Public => {
                if names_a_private_address(request.url()) {
                    return Err(OutboundError::Private { host });
                }
                public
            }
            _ => &self.anywhere,
        };
        let mut answer = client.execute(request).await.map_err(unreachable)?;
        let mut kept = Kept {
            host: host.clone(),
            limit,
            length: 0,
        };
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            kept.write(&part, to)?;
        }
        let mut response = http::Response::new(());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}

impl Outbound for HttpClient {
    fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_> {
        let limit = Limit {
            bytes: BODY as u64,
            time: TIME,
        };
        Box::pin(async move {
            let mut body = Vec::new();
            let (parts, ()) = self.exchange(request, limit, &mut body).await?.into_parts();
            Ok(http::Response::from_parts(parts, body))
        })
    }

    fn download<'a>(
        &'a self,
        request: http::Request<Vec<u8>>,
        limit: Limit,
        to: &'a mut (dyn Write + Send),
    ) -> Downloaded<'a> {
        Box::pin(self.exchange(request, limit, to))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A host of this machine that answers one request after the other; its port.
    async fn host() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\ninside";
                if stream.read(&mut [0; 4096]).await.is_ok() {
                    drop(stream.write_all(answer).await);
                }
            }
        });
        port
    }

    async fn ask(client: &HttpClient, address: &str, reach: Option<Reach>) -> Result<Vec<u8>, OutboundError> {
        let mut request = http::Request::get(address).body(Vec::new()).unwrap();
        if let Some(reach) = reach {
            request.extensions_mut().insert(reach);
        }
        client.send(request).await.map(http::Response::into_body)
    }

    #[tokio::test]
    async fn what_a_project_named_does_not_lead_into_a_private_network() {
        let port = host().await;
        let client = HttpClient::new(None, false).unwrap();
        let (literal, name) = (
            format!("http://127.0.0.1:{port}/"),
            format!("http://localhost:{port}/"),
        );
        for address in [&literal, &name] {
            let declared = ask(&client, address, Some(Reach::Anywhere)).await;
            assert_eq!(declared.unwrap(), b"inside");
        }
        for reach in [None, Some(Reach::Public)] {
            for address in [
                literal.clone(),
                format!("http://[::ffff:127.0.0.1]:{port}/"),
                format!("http://2130706433:{port}/"),
                format!("http://0x7f.1:{port}/"),
                format!("http://0.0.0.0:{port}/"),
                "http://169.254.169.254/latest/meta-data/".to_owned(),
                "http://[::1]/".to_owned(),
                "https://10.0.0.1/".to_owned(),
            ] {
                let refused = ask(&client, &address, reach).await.unwrap_err();
                assert!(
                    matches!(refused, OutboundError::Private { .. }),
                    "{address}: {refused}"
                );
            }
            // The name is public, what it means is not.
            let refused = ask(&client, &name, reach).await.unwrap_err();
            assert!(matches!(refused, OutboundError::Unreachable { .. }), "{refused}");
        }
    }

    #[tokio::test]
    async fn an_installation_on_a_private_network_may_say_so() {
        let port = host().await;
        let client = HttpClient::new(None, true).unwrap();
        for host in ["127.0.0.1", "localhost"] {
            let address = format!("http://{host}:{port}/");
            let answer = ask(&client, &address, Some(Reach::Public)).await;
            assert_eq!(answer.unwrap(), b"inside");
        }
    }
}
