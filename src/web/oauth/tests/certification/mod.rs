//! One test per module of the certification plans that the OpenID Foundation publishes for providers, named after the
//! module: a plan is a file that lists its modules, what a module sends and requires is in [`modules`] where several
//! plans share it, else in the file of its plan. Written after the published modules; none of their code is here.
//!
//! | file | plan |
//! | --- | --- |
//! | [`basic`], [`form_post`] | the same modules, answered in the query or by a form |
//! | [`config`] | the discovery document |
//! | [`rp_initiated_logout`] | logout that a relying party asks for |
//! | [`backchannel_rp_initiated_logout`], [`frontchannel_rp_initiated_logout`] | the same, and the party is told |
//! | [`fapi2_security_profile_final`] | clients that prove themselves by keys, push their requests and bind their tokens |
//! | [`dynamic`], with [`rotate_keys`] and [`userinfo_rs256`] | clients that register themselves |
//!
//! Must never know how the provider is made: everything goes through [`relying_party`] and [`registered`], which discover
//! what they use.

mod asked;
mod backchannel_rp_initiated_logout;
mod basic;
mod checks;
mod config;
mod dynamic;
mod fapi2_security_profile_final;
mod form_post;
mod frontchannel_rp_initiated_logout;
mod modules;
mod registered;
mod relying_party;
mod rotate_keys;
mod rp_initiated_logout;
mod user_agent;
mod userinfo_rs256;

/// The tests of a plan: each module runs on each engine, with a provider and a person of its own.
macro_rules! plan {
    ($delivery:expr; $($place:ident::{$($module:ident),+ $(,)?};)+) => { $($(
        #[tokio::test]
        async fn $module() {
            use crate::web::oauth::tests::certification::relying_party::Suite;
            crate::flows::testing::scene::on_each_engine(async |context, clock| {
                let suite = Suite::new((context, clock), $delivery).await;
                Box::pin($place::$module(suite)).await;
            })
            .await;
        }
    )+)+ };
}
pub(in crate::web::oauth::tests::certification) use plan;
