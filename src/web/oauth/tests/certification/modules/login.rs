//! Who has to sign in, when, and what the ID Token says of it.

use crate::web::oauth::tests::certification::relying_party::{Asked, Suite, Tokens};

/// Two flows in one browser, the second asked for otherwise.
struct Twice {
    first: Tokens,
    second: Tokens,
    logins: usize,
}

/// `change` makes the second request out of a fresh one and the first answer, `wait` seconds later.
async fn twice(
    suite: &mut Suite,
    first: impl FnOnce(Asked) -> Asked,
    wait: u64,
    change: impl FnOnce(Asked, &Tokens) -> Asked,
) -> Twice {
    let client = suite.client("suite").await;
    let asked = first(suite.request(&client));
    let first = suite.flow(&client, &asked).await;
    assert_eq!(suite.agent.logins, 1);
    suite.wait(wait);
    let asked = change(suite.request(&client), &first);
    let second = suite.flow(&client, &asked).await;
    assert_eq!(second.claims["sub"], first.claims["sub"]);
    let logins = suite.agent.logins;
    Twice {
        first,
        second,
        logins,
    }
}

impl Twice {
    fn auth_times(&self) -> (i64, i64) {
        let of = |tokens: &Tokens| tokens.claims["auth_time"].as_i64().unwrap();
        (of(&self.first), of(&self.second))
    }

    /// Nobody had to do anything the second time.
    fn is_the_same_login(&self) {
        assert_eq!(self.logins, 1);
        let (first, second) = self.auth_times();
        assert_eq!(first, second);
    }

    /// The person signed in anew.
    fn is_another_login(&self) {
        assert_eq!(self.logins, 2);
        let (first, second) = self.auth_times();
        assert!(second > first, "{first} {second}");
    }
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_prompt_login(mut suite: Suite) {
    let both = twice(
        &mut suite,
        |asked| asked,
        1,
        |asked, _| asked.with("prompt", "login"),
    )
    .await;
    both.is_another_login();
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_prompt_none_logged_in(mut suite: Suite) {
    let both = twice(
        &mut suite,
        |asked| asked,
        1,
        |asked, _| asked.with("prompt", "none"),
    )
    .await;
    both.is_the_same_login();
}

/// The state is longer than usual and comes back whole.
pub(in crate::web::oauth::tests::certification) async fn oidcc_prompt_none_not_logged_in(mut suite: Suite) {
    let client = suite.client("suite").await;
    let state = format!("{}{}{}", suite.draw(), suite.draw(), suite.draw());
    let asked = suite
        .request(&client)
        .with("prompt", "none")
        .with("state", &state[..128]);
    let error = suite.error(&client, &asked).await;
    let interactive = [
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
    ];
    assert!(interactive.contains(&error.as_str()), "{error}");
    assert_eq!(suite.agent.logins, 0);
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_max_age_1(mut suite: Suite) {
    let both = twice(
        &mut suite,
        |asked| asked,
        2,
        |asked, _| asked.with("max_age", "1"),
    )
    .await;
    both.is_another_login();
    let now = suite.site.context.now().seconds();
    assert_eq!(both.auth_times().1, now, "recent");
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_max_age_10000(mut suite: Suite) {
    let first = |asked: Asked| asked.with("max_age", "15000");
    let both = twice(&mut suite, first, 60, |asked, _| asked.with("max_age", "10000")).await;
    both.is_the_same_login();
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_id_token_hint(mut suite: Suite) {
    let hint = |asked: Asked, first: &Tokens| {
        asked
            .with("prompt", "none")
            .with("id_token_hint", &first.id_token)
    };
    let both = twice(&mut suite, |asked| asked, 1, hint).await;
    both.is_the_same_login();
}
