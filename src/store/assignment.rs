//! Assignments: what people may do as administrators. One that ends stays, so that a merge can be undone exactly.

use super::db::{Conn, Row, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::{AssignmentId, IdentityId, UpstreamLinkId};
use crate::base::time::{Date, Timestamp};
use crate::domain::assignment::{Assignment, Origin, Scope};
use crate::domain::upstream::ProviderId;

macro_rules! columns {
    () => {
        "id, identity_id, role, scope_kind, scope_key, provider, link_id, rule, since, until, ended_at"
    };
}

statements! {
    // Of two logins by one link that give the same at once, the index lets one.
    INSERT = concat!("INSERT INTO assignment (", columns!(), ")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING");
    LIVE_OF = concat!("SELECT ", columns!(), " FROM assignment WHERE identity_id = $1 AND ended_at IS NULL
        AND (until IS NULL OR until > $2) ORDER BY role, scope_kind, scope_key, id");
    LIVE_OVER = concat!("SELECT ", columns!(), " FROM assignment WHERE scope_kind = $1 AND scope_key = $2
        AND ended_at IS NULL AND (until IS NULL OR until > $3) ORDER BY role, id");
    OF_LINK = concat!("SELECT ", columns!(), " FROM assignment WHERE link_id = $1 AND ended_at IS NULL
        ORDER BY role, scope_kind, scope_key, id");
    OF_PROVIDER = concat!("SELECT ", columns!(), " FROM assignment WHERE provider = $1 AND ended_at IS NULL ORDER BY id");
    END = "UPDATE assignment SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    SET_UNTIL = "UPDATE assignment SET until = $2, rule = $3 WHERE id = $1 AND ended_at IS NULL";
    // What came by a login is of whom the login is of.
    FOLLOW = "UPDATE assignment SET identity_id = (SELECT l.identity_id FROM upstream_link l WHERE l.id = assignment.link_id)
        WHERE ended_at IS NULL AND identity_id IN ($1, $2)
            AND link_id IN (SELECT id FROM upstream_link WHERE identity_id IN ($1, $2) AND ended_at IS NULL)";
}

fn assignment(row: &Row) -> Result<Assignment, StoreError> {
    let scope = match row.get::<String>("scope_kind")?.as_str() {
        "school" => Scope::School(row.parse("scope_key")?),
        "academy" => Scope::Academy(row.parse("scope_key")?),
        other => return Err(StoreError::corrupt("scope_kind", other)),
    };
    let link: Option<UpstreamLinkId> = row.parse_optional("link_id")?;
    let origin = match link {
        Some(link) => Some(Origin {
            provider: row.parse("provider")?,
            link,
            rule: row.get("rule")?,
        }),
        None => None,
    };
    let ended: Option<i64> = row.get("ended_at")?;
    Ok(Assignment {
        id: row.parse("id")?,
        identity: row.parse("identity_id")?,
        role: row.parse("role")?,
        scope,
        origin,
        since: Timestamp::from_micros(row.get("since")?),
        until: row.parse_optional("until")?,
        ended_at: ended.map(Timestamp::from_micros),
    })
}

/// Keeps a new assignment; whether its login had given none like it.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, new: &Assignment) -> Result<bool, StoreError> {
    let origin = new.origin.as_ref();
    let values = [
        text(new.id),
        text(new.identity),
        text(new.role),
        text(new.scope.kind()),
        text(new.scope.key()),
        text_or_null(origin.map(|origin| &origin.provider)),
        text_or_null(origin.map(|origin| origin.link)),
        text_or_null(origin.map(|origin| &origin.rule)),
        new.since.into(),
        new.until.into(),
        new.ended_at.into(),
    ];
    Ok(tx.execute(INSERT, values).await? == 1)
}

/// The assignments of a person that count on a day.
///
/// # Errors
/// [`StoreError`].
pub async fn live_of(
    conn: &mut Conn,
    identity: IdentityId,
    day: Date,
) -> Result<Vec<Assignment>, StoreError> {
    let rows = conn.all(LIVE_OF, [text(identity), day.into()]).await?;
    rows.iter().map(assignment).collect()
}

/// The assignments over exactly one scope that count on a day.
///
/// # Errors
/// [`StoreError`].
pub async fn live_over(conn: &mut Conn, scope: &Scope, day: Date) -> Result<Vec<Assignment>, StoreError> {
    let values = [text(scope.kind()), text(scope.key()), day.into()];
    conn.all(LIVE_OVER, values)
        .await?
        .iter()
        .map(assignment)
        .collect()
}

/// What came by a login and was not taken away, lapsed or not.
///
/// # Errors
/// [`StoreError`].
pub async fn of_link(conn: &mut Conn, link: UpstreamLinkId) -> Result<Vec<Assignment>, StoreError> {
    conn.all(OF_LINK, [text(link)])
        .await?
        .iter()
        .map(assignment)
        .collect()
}

/// What came by any login at a provider and was not taken away, lapsed or not.
///
/// # Errors
/// [`StoreError`].
pub async fn of_provider(conn: &mut Conn, provider: &ProviderId) -> Result<Vec<Assignment>, StoreError> {
    conn.all(OF_PROVIDER, [text(provider)])
        .await?
        .iter()
        .map(assignment)
        .collect()
}

/// Takes an assignment away; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn end(tx: &mut Tx, id: AssignmentId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(END, [text(id), now.into()]).await? == 1)
}

/// Writes until when an assignment counts, and by which rule.
///
/// # Errors
/// [`StoreError`].
pub async fn set_until(
    tx: &mut Tx,
    id: AssignmentId,
    (until, rule): (Option<Date>, &str),
) -> Result<(), StoreError> {
    tx.execute(SET_UNTIL, [text(id), until.into(), text(rule)])
        .await
        .map(drop)
}

/// Gives what came by logins of two people to whom each login is of: after a merge of the two is undone.
///
/// # Errors
/// [`StoreError`].
pub async fn follow_links(tx: &mut Tx, (one, other): (IdentityId, IdentityId)) -> Result<u64, StoreError> {
    tx.execute(FOLLOW, [text(one), text(other)]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::parse_date;
    use crate::domain::assignment::Role;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);

    #[tokio::test]
    async fn it_is_kept_once_for_a_login_lapses_on_its_day_and_ends_once() {
        on_each_engine(async |db| {
            let random = SeededRandom::new(3);
            let day = |text| parse_date(text).unwrap();
            let who = IdentityId::new(NOW, &random);
            let by_hand = Assignment {
                id: AssignmentId::new(NOW, &random),
                identity: who,
                role: Role::AcademyAdmin,
                scope: Scope::Academy("09".parse().unwrap()),
                origin: None,
                since: NOW,
                until: None,
                ended_at: None,
            };
            let link = UpstreamLinkId::new(NOW, &random);
            let by_login = Assignment {
                id: AssignmentId::new(NOW, &random),
                role: Role::SchoolHead,
                scope: Scope::School("9990001X".parse().unwrap()),
                origin: Some(Origin {
                    provider: "fim".parse().unwrap(),
                    link,
                    rule: "function DIR over responsible".into(),
                }),
                until: Some(day("2026-10-03")),
                ..by_hand.clone()
            };
            let mut tx = db.begin().await.unwrap();
            for one in [&by_hand, &by_login] {
                assert!(insert(&mut tx, one).await.unwrap());
            }
            let again = Assignment {
                id: AssignmentId::new(NOW, &random),
                ..by_login.clone()
            };
            assert!(!insert(&mut tx, &again).await.unwrap(), "once for a login");
            let both = [by_hand.clone(), by_login.clone()];
            assert_eq!(live_of(&mut tx, who, day("2026-10-02")).await.unwrap(), both);
            assert_eq!(
                live_of(&mut tx, who, day("2026-10-03")).await.unwrap(),
                std::slice::from_ref(&by_hand)
            );
            let over = live_over(&mut tx, &by_login.scope, day("2026-10-02")).await;
            assert_eq!(over.unwrap(), std::slice::from_ref(&by_login));
            set_until(&mut tx, by_login.id, (Some(day("2026-11-01")), "other"))
                .await
                .unwrap();
            let of_link = of_link(&mut tx, link).await.unwrap();
            assert_eq!(of_link[0].until, Some(day("2026-11-01")));
            let provider = "fim".parse().unwrap();
            assert_eq!(of_provider(&mut tx, &provider).await.unwrap(), of_link);
            assert!(end(&mut tx, by_login.id, NOW).await.unwrap());
            assert!(!end(&mut tx, by_login.id, NOW).await.unwrap());
            assert!(insert(&mut tx, &again).await.unwrap(), "the first one ended");
        })
        .await;
    }
}
