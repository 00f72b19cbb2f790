//! A browser and a relying party in one, by HTTP/1.1 written out, one connection a request: nothing retries by itself,
//! no proxy stands between, and an answer that never came is told from one that did.

use std::io::{Error, ErrorKind, Result};
use std::net::Ipv4Addr;
use std::time::Duration;

use data_encoding::BASE64;
use marelle::base::url::{parameters, query};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The relying party, as `territory.toml` declares it.
pub(crate) const CLIENT: &str = "crash-test";
/// Where it is answered; nothing listens there.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
/// Its secret, known to nobody else because nobody else uses it.
pub(crate) const SECRET: &str = "un-secret-long-de-trente-deux-signes-au-moins";
/// The verifier and the challenge of RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Longer than any answer takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer whose head has arrived.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

async fn send(port: u16, start: &str, headers: &str, body: &str) -> Result<Answer> {
    let length = body.len();
    let request = format!(
        "{start} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let exchange = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        // A connection that broke after the head is still an answer: the service has seen its status.
        let end = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Err(end.err().unwrap_or_else(|| ErrorKind::UnexpectedEof.into()));
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Answer {
            status: status.ok_or_else(|| Error::from(ErrorKind::InvalidData))?,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    };
    tokio::time::timeout(PATIENCE, exchange).await?
}

/// Asks for a page, with cookies.
pub(crate) async fn get(port: u16, path: &str, cookies: &str) -> Result<Answer> {
    send(
        port,
        &format!("GET {path}"),
        &format!("Cookie: {cookies}\r\n"),
        "",
    )
    .await
}

/// Signs in by password; the cookies that the browser has then.
pub(crate) async fn sign_in(port: u16, username: &str, password: &str) -> String {
    let form = query([("username", username), ("password", password)]);
    let answer = send(port, "POST /login", "", &form).await.unwrap();
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookies: Vec<&str> = answer
        .headers("set-cookie")
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    assert!(!cookies.is_empty(), "{}", answer.head);
    cookies.join("; ")
}

/// A code for whoever the cookies are of, as the browser brings it to the service.
pub(crate) async fn authorize(port: u16, cookies: &str) -> String {
    let request = query([
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid"),
        ("state", "an arrival"),
        ("nonce", "a nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let answer = get(port, &format!("/oauth/authorize?{request}"), cookies)
        .await
        .unwrap();
    let location = answer.headers("location").next().unwrap_or_default();
    let (address, given) = location.split_once('?').unwrap_or_default();
    assert_eq!(address, REDIRECT_URI, "{} {}", answer.status, answer.body);
    let mut codes = parameters(given).into_iter().filter(|(name, _)| name == "code");
    codes.next().unwrap().1
}

/// What became of showing a code to the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redeemed {
    /// 200.
    Granted,
    /// Refused, with this error.
    Refused(String),
    /// No answer came.
    Lost,
}

/// Shows a code to the token endpoint.
pub(crate) async fn redeem(port: u16, code: &str) -> Redeemed {
    let form = query([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]);
    let proof = BASE64.encode(format!("{CLIENT}:{SECRET}").as_bytes());
    let headers = format!("Authorization: Basic {proof}\r\n");
    match send(port, "POST /oauth/token", &headers, &form).await {
        Ok(answer) if answer.status == 200 => Redeemed::Granted,
        Ok(answer) => {
            let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
            Redeemed::Refused(said["error"].as_str().unwrap_or(&answer.head).to_owned())
        }
        Err(_) => Redeemed::Lost,
    }
}
