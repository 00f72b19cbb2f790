//! What applying a declaration does to relying parties and registration policies that are there already.

use super::*;
use crate::base::secret::Secret;
use crate::domain::relying_party::{Registration, SecurityProfile};
use crate::domain::testing::{party, policy};
use crate::flows::client;
use crate::flows::testing::scene::{declare, on_each_engine};

async fn applied(context: &Context, declaration: &Declaration, prune: bool) -> Vec<Difference> {
    let options = Options {
        prune,
        ..Options::default()
    };
    apply(context, declaration, options).await.unwrap()
}

/// A client that lives under the policy `somme`.
fn registered(id: &str) -> RelyingParty {
    let mut client = party(id);
    client.sector = format!("host:{id}.example");
    client.registration = Some(Registration {
        policy: "somme".into(),
        access_token: Secret::new("mrlr_x").digest(),
        at: crate::flows::testing::MORNING,
    });
    client
}

#[tokio::test]
async fn what_a_file_does_not_say_stays_and_what_it_takes_away_is_said() {
    on_each_engine(async |context, _clock| {
        let declared = |enabled, secrets: &[&str]| {
            let mut party = party("ent");
            party.secrets = secrets.iter().map(|text| Secret::new(*text).digest()).collect();
            Declaration {
                relying_parties: vec![DeclaredParty {
                    party,
                    enabled,
                    metadata: None,
                    receiver: None,
                }],
                ..Declaration::default()
            }
        };
        let ent = async || {
            client::find(&context, &"ent".parse().unwrap())
                .await
                .unwrap()
                .unwrap()
        };
        let first = applied(&context, &declared(None, &[]), false).await;
        assert_eq!(first[0].verb, Verb::Created);
        assert!(
            first[0]
                .note
                .as_ref()
                .unwrap()
                .contains("marelle client secret ent")
        );
        assert!(matches!(
            client::add_secret(&context, &ent().await.id).await,
            Ok(client::Change::Done(_))
        ));
        client::set_enabled(&context, &ent().await.id, false)
            .await
            .unwrap();
        let same = applied(&context, &declared(None, &[]), false).await;
        assert_eq!((same[0].verb, same[0].note.clone()), (Verb::Unchanged, None));
        assert!(!ent().await.enabled && ent().await.secrets.len() == 1);
        let said = applied(&context, &declared(Some(true), &["a", "b"]), false).await;
        assert_eq!(said[0].note.as_deref(), Some("secrets taken out of use: 1"));
        assert!(ent().await.enabled && ent().await.secrets.len() == 2);
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_changes_changes_its_clients_and_no_other() {
    on_each_engine(async |context, _clock| {
        let mut somme = policy("somme");
        let declared = |policy: &Policy| Declaration {
            registrations: vec![policy.clone()],
            ..Declaration::default()
        };
        assert_eq!(
            applied(&context, &declared(&somme), false).await[0].verb,
            Verb::Created
        );
        declare(&context, &registered("cahier")).await;
        declare(&context, &party("ent")).await;
        let before = client::find(&context, &"ent".parse().unwrap()).await.unwrap();
        somme.release.0.clear();
        somme.schools = vec!["9990001X".parse().unwrap()];
        let lines = applied(&context, &declared(&somme), false).await;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].note.as_deref(), Some("follows registration somme"));
        let cahier = client::find(&context, &"cahier".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert!(cahier.release.0.is_empty() && cahier.schools == somme.schools && cahier.enabled);
        assert_eq!(
            client::find(&context, &"ent".parse().unwrap()).await.unwrap(),
            before
        );
        assert_eq!(
            applied(&context, &declared(&somme), false).await.len(),
            1,
            "nothing more to do"
        );

        // A client that cannot be what its policy now wants is out of use, not half of it.
        somme.profile = SecurityProfile::Fapi2;
        let lines = applied(&context, &declared(&somme), false).await;
        assert!(
            lines[1].note.as_ref().unwrap().starts_with("put out of use"),
            "{lines:?}"
        );
        let cahier = client::find(&context, &"cahier".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert!(!cahier.enabled);
    })
    .await;
}

#[tokio::test]
async fn what_a_project_registered_is_neither_overwritten_nor_pruned() {
    on_each_engine(async |context, _clock| {
        let cahier = registered("cahier");
        let empty = Declaration::default();
        let with_policy = Declaration {
            registrations: vec![policy("somme")],
            relying_parties: vec![party("ent").into()],
            ..Declaration::default()
        };
        applied(&context, &with_policy, false).await;
        declare(&context, &cahier).await;
        let taken = Declaration {
            relying_parties: vec![party("cahier").into()],
            ..Declaration::default()
        };
        let lines = applied(&context, &taken, false).await;
        assert_eq!(lines[0].verb, Verb::Kept);
        assert_eq!(
            client::find(&context, &cahier.id).await.unwrap(),
            Some(cahier.clone())
        );

        let lines = applied(&context, &empty, true).await;
        let verbs: Vec<_> = lines.iter().map(|line| (line.noun, line.verb)).collect();
        assert_eq!(
            verbs,
            [("relying_party", Verb::Removed), ("registration", Verb::Kept)]
        );
        client::remove(&context, &cahier.id).await.unwrap();
        let lines = applied(&context, &empty, true).await;
        assert_eq!((lines.len(), lines[0].verb), (1, Verb::Removed));
    })
    .await;
}
