//! `kill -9` in a burst of code exchanges: no code is redeemed twice over both lives of the server, none is lost that
//! was never shown, and what was redeemed is whole.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::client::{self, CLIENT, REDIRECT_URI, Redeemed, SECRET};
use crate::installation::{Installation, Server, on_each_engine};

/// Codes in a burst.
const CODES: usize = 60;
/// One code in so many is shown twice at once.
const TWICE: usize = 3;
/// Services that redeem at the same time.
const WORKERS: usize = 8;
/// After how many answers the server is killed, one round each.
const MOMENTS: [usize; 3] = [2, 17, 38];
const PASSWORD: &str = "le chat dort à midi";

/// A code is spent, has a token and is in the journal as redeemed, or is none of the three.
const HALF_DONE: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM (
        SELECT CASE WHEN c.used_at IS NULL THEN 0 ELSE 1 END AS used,
            CASE WHEN EXISTS (SELECT 1 FROM access_token t WHERE t.grant_id = c.grant_id) THEN 1 ELSE 0 END AS token,
            CASE WHEN EXISTS (SELECT 1 FROM audit_event e WHERE e.kind = 'code.redeemed' AND e.about = c.grant_id)
                THEN 1 ELSE 0 END AS journalled
        FROM authorization_code c) AS code
    WHERE used <> token OR used <> journalled";
const REDEEMED: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM authorization_code WHERE used_at IS NOT NULL";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_redeems_no_code_twice() {
    on_each_engine(async |installation| {
        declare(installation);
        for moment in MOMENTS {
            round(installation, moment).await;
        }
    })
    .await;
}

/// A school, a teacher, a service.
fn declare(installation: &Installation) {
    installation.write("secret", SECRET);
    installation.write("password", PASSWORD);
    let territory = format!(
        r#"
        [[academy]]
        code = "15"
        name = "Académie d'essai"

        [[school]]
        uai = "9990001X"
        name = "École d'essai"
        degree = "first"
        academy = "15"

        [[relying_party]]
        id = "{CLIENT}"
        name = "Service d'essai"
        redirect_uris = ["{REDIRECT_URI}"]
        secret_file = "secret"
        "#
    );
    installation.write("territory.toml", &territory);
    installation.run(&["apply", "territory.toml"]);
    let user = "user create --given-name Maddi --family-name Oyhenart --profile teacher --school 9990001X \
                --username maddi --password-file password";
    installation.run(&user.split_whitespace().collect::<Vec<_>>());
}

async fn round(installation: &Installation, moment: usize) {
    let server = installation.serve().await;
    let cookies = client::sign_in(server.port, "maddi", PASSWORD).await;
    let mut codes = Vec::new();
    for _ in 0..CODES {
        codes.push(client::authorize(server.port, &cookies).await);
    }
    let codes: Arc<[String]> = codes.into();
    let redeemed_before = installation.number(REDEEMED).await;

    let first = burst(server, codes.clone(), moment).await;
    assert!(
        first.granted.len() <= CODES && first.shown.len() < CODES,
        "{first:?}"
    );

    let server = installation.serve().await;
    installation.is_whole();
    assert_eq!(
        installation.number(HALF_DONE).await,
        0,
        "a redemption was left half done"
    );
    let redeemed = usize::try_from(installation.number(REDEEMED).await - redeemed_before).unwrap();
    assert!(
        redeemed >= first.granted.len(),
        "an answered redemption was forgotten"
    );
    assert!(
        redeemed <= first.shown.len(),
        "a code is spent that nobody showed"
    );

    let mut granted_late = 0;
    for (index, code) in codes.iter().enumerate() {
        let (one, other) = tokio::join!(
            client::redeem(server.port, code),
            client::redeem(server.port, code)
        );
        let refused = Redeemed::Refused("invalid_grant".to_owned());
        let answers = [&one, &other];
        let granted = answers
            .iter()
            .filter(|answer| ***answer == Redeemed::Granted)
            .count();
        let refusals = answers.iter().filter(|answer| ***answer == refused).count();
        assert_eq!(granted + refusals, 2, "code {index}: {answers:?}");
        if first.granted.contains(&index) {
            assert_eq!(
                granted, 0,
                "code {index} was redeemed in both lives of the server"
            );
        } else if first.shown.contains(&index) {
            // Its answer was lost. Whether the redemption was committed before, it counts once at most.
            assert!(granted <= 1, "code {index} was redeemed twice");
            granted_late += granted;
        } else {
            assert_eq!(granted, 1, "code {index} was never shown before the kill");
            granted_late += granted;
        }
    }
    // Every code is redeemed now, once: before the kill or after it.
    assert_eq!(redeemed + granted_late, CODES);
    assert_eq!(installation.number(HALF_DONE).await, 0);

    // Who was signed in still is, and who signs in anew may.
    for cookies in [cookies, client::sign_in(server.port, "maddi", PASSWORD).await] {
        let code = client::authorize(server.port, &cookies).await;
        assert_eq!(client::redeem(server.port, &code).await, Redeemed::Granted);
    }
    installation.is_whole();
}

/// What the services knew when the server was gone, by the index of a code.
#[derive(Debug)]
struct Known {
    /// Shown to the server, whatever came back.
    shown: BTreeSet<usize>,
    /// Answered with tokens.
    granted: BTreeSet<usize>,
}

/// Redeems the codes by many at once and kills the server after so many answers.
async fn burst(mut server: Server, codes: Arc<[String]>, moment: usize) -> Known {
    let order: Arc<[usize]> = (0..codes.len())
        .flat_map(|index| std::iter::repeat_n(index, if index % TWICE == 0 { 2 } else { 1 }))
        .collect();
    let next = Arc::new(AtomicUsize::new(0));
    let (sender, mut answers) = mpsc::unbounded_channel();
    for _ in 0..WORKERS {
        let (codes, order, next) = (codes.clone(), order.clone(), next.clone());
        let (sender, port) = (sender.clone(), server.port);
        tokio::spawn(async move {
            while let Some(&index) = order.get(next.fetch_add(1, Ordering::SeqCst)) {
                let answer = client::redeem(port, &codes[index]).await;
                let is_over = answer == Redeemed::Lost;
                sender.send((index, answer)).unwrap();
                if is_over {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut known = Known {
        shown: BTreeSet::new(),
        granted: BTreeSet::new(),
    };
    let (mut answered, mut lost) = (0, 0);
    while let Some((index, answer)) = answers.recv().await {
        known.shown.insert(index);
        match answer {
            Redeemed::Granted => {
                assert!(
                    known.granted.insert(index),
                    "code {index} was redeemed twice at once"
                );
                answered += 1;
            }
            Redeemed::Refused(error) => {
                assert_eq!(
                    (error.as_str(), index % TWICE),
                    ("invalid_grant", 0),
                    "code {index}"
                );
                answered += 1;
            }
            Redeemed::Lost => lost += 1,
        }
        if answered == moment && lost == 0 {
            assert!(server.process.kill(), "the server ended by itself");
        }
    }
    assert!(answered >= moment, "{answered} answers");
    assert_eq!(lost, WORKERS, "the kill did not land in the burst");
    known
}
