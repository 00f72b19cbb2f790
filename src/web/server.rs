//! Listening: plain, or TLS by a certificate and key; ends when told to, after the requests under way.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_openssl::SslStream;

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A listener whose connections are TLS already when they are handed over; a slow or broken handshake holds up nobody.
struct TlsListener {
    ready: mpsc::Receiver<(SslStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    fn new(listener: TcpListener, acceptor: SslAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let Ok((stream, peer)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                if sender.is_closed() {
                    return;
                }
                let (sender, acceptor) = (sender.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) =
                        Ssl::new(acceptor.context()).and_then(|ssl| SslStream::new(ssl, stream))
                    else {
                        return;
                    };
                    let shaken = tokio::time::timeout(HANDSHAKE, Pin::new(&mut stream).accept()).await;
                    if matches!(shaken, Ok(Ok(()))) {
                        // The server may be stopping; then the connection is simply dropped.
                        drop(sender.send((stream, peer)).await);
                    }
                });
            }
        });
        Ok(Self { ready, address })
    }
}

impl Listener for TlsListener {
    type Io = SslStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task never ends while this receiver lives.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Reads certificate and key (PEM) for TLS 1.2 and 1.3 as Mozilla's "intermediate" profile has it.
///
/// # Errors
/// Where a file cannot be read or the two do not belong together.
pub fn tls(cert: &Path, key: &Path) -> io::Result<SslAcceptor> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_certificate_chain_file(cert)?;
    builder.set_private_key_file(key, SslFiletype::PEM)?;
    builder.check_private_key()?;
    Ok(builder.build())
}

/// Serves until `stop` comes true, then finishes what is under way.
///
/// # Errors
/// Where the socket fails.
pub async fn serve(
    listener: TcpListener,
    acceptor: Option<SslAcceptor>,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    match acceptor {
        Some(acceptor) => {
            let listener = TlsListener::new(listener, acceptor)?;
            axum::serve(listener, router.into_make_service())
                .with_graceful_shutdown(stop)
                .await
        }
        None => {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).with_graceful_shutdown(stop).await
        }
    }
}
