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

/// The suites of TLS 1.2: those of BCP 195 (RFC 9325 §4.2), which FAPI 2.0 Security Profile §5.2.2 lets alone stand. The
/// suites of TLS 1.3 are the library's.
const TLS_1_2: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                       ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

/// Reads certificate and key (PEM) for TLS 1.2 and 1.3 as Mozilla's "intermediate" profile has it, without the suites
/// that FAPI 2.0 does not allow.
///
/// # Errors
/// Where a file cannot be read or the two do not belong together.
pub fn tls(cert: &Path, key: &Path) -> io::Result<SslAcceptor> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_cipher_list(TLS_1_2)?;
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

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::ssl::{SslConnector, SslVerifyMode, SslVersion};
    use openssl::x509::{X509Builder, X509NameBuilder};

    use super::*;

    /// A certificate of its own for 127.0.0.1, with its key.
    fn certificate(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, "127.0.0.1").unwrap();
        let name = name.build();
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder
            .set_not_before(&Asn1Time::days_from_now(0).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::days_from_now(1).unwrap())
            .unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let (cert_path, key_path) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert_path, builder.build().to_pem().unwrap()).unwrap();
        std::fs::write(&key_path, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        (cert_path, key_path)
    }

    /// Whether a handshake by one version and, up to TLS 1.2, one suite comes through; answers the suite.
    async fn shake(address: SocketAddr, version: SslVersion, suite: Option<&str>) -> Option<String> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_min_proto_version(Some(version)).unwrap();
        builder.set_max_proto_version(Some(version)).unwrap();
        if let Some(suite) = suite {
            // Security level 0: what the client would refuse by itself must be refused by the server.
            builder.set_cipher_list(&format!("{suite}:@SECLEVEL=0")).unwrap();
        }
        let ssl = builder
            .build()
            .configure()
            .unwrap()
            .verify_hostname(false)
            .into_ssl("127.0.0.1")
            .unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let mut stream = SslStream::new(ssl, socket).unwrap();
        Pin::new(&mut stream).connect().await.ok()?;
        stream
            .ssl()
            .current_cipher()
            .map(|cipher| cipher.name().to_owned())
    }

    #[tokio::test]
    async fn fapi_2_0_section_5_2_2_only_the_suites_of_bcp_195_and_nothing_below_tls_1_2() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = certificate(folder.path());
        let acceptor = tls(&cert, &key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(
            listener,
            Some(acceptor),
            Router::new(),
            std::future::pending(),
        ));
        for suite in ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"] {
            let shaken = shake(address, SslVersion::TLS1_2, Some(suite)).await;
            assert_eq!(shaken.as_deref(), Some(suite));
        }
        for suite in [
            "DHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-CHACHA20-POLY1305",
            "ECDHE-RSA-AES128-SHA256",
            "AES128-GCM-SHA256",
        ] {
            assert_eq!(
                shake(address, SslVersion::TLS1_2, Some(suite)).await,
                None,
                "{suite}"
            );
        }
        assert!(shake(address, SslVersion::TLS1_3, None).await.is_some());
        assert_eq!(shake(address, SslVersion::TLS1_1, Some("ALL")).await, None);
    }
}
