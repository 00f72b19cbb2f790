//! The module `oidcc-server-rotate-keys` of the Dynamic plan (OpenID Connect Core §10.1.1).

use serde_json::Value;

use super::plan;
use super::relying_party::Suite;
use super::user_agent::Delivery;
use crate::domain::audit::Actor;
use crate::domain::relying_party::SigningAlgorithm;
use crate::flows::keys::{Rotation, rotate};

plan! { Delivery::Query;
    modules::{ oidcc_server_rotate_keys };
}

fn kids(keys: &Value) -> Vec<String> {
    let keys = keys["keys"].as_array().unwrap().iter();
    keys.map(|key| {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        key["kid"].as_str().unwrap().to_owned()
    })
    .collect()
}

mod modules {
    use super::*;

    /// An operator rotates at once (`marelle keys rotate --now`); what was signed before is verified after.
    pub(super) async fn oidcc_server_rotate_keys(mut suite: Suite) {
        let client = suite.client("suite").await;
        let asked = suite.request(&client);
        let old = suite.flow(&client, &asked).await;
        let before = kids(&suite.keys().await);
        for algorithm in SigningAlgorithm::ALL {
            let rotated = rotate(&suite.site.context, *algorithm, true, Actor::Operator).await;
            assert!(matches!(rotated.unwrap(), Rotation::Done(_)));
        }
        suite.wait(10);
        let after = kids(&suite.keys().await);
        let new = after.iter().filter(|kid| !before.contains(kid)).count();
        assert_eq!(new, SigningAlgorithm::ALL.len(), "a new key of each algorithm");
        assert!(before.iter().all(|kid| after.contains(kid)), "and every old one");
        let mut distinct = after.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), after.len());
        let asked = suite.request(&client);
        let code = suite.code(&client, &asked).await;
        let token = suite.redeem(&client, &asked, &code).await.id_token;
        assert_ne!(
            token.split('.').next(),
            old.id_token.split('.').next(),
            "another key signs"
        );
    }
}
