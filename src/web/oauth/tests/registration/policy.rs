//! What the policy of a project allows, whatever a client asks for.

use super::*;

#[tokio::test]
async fn a_client_has_what_its_policy_says_whatever_it_asks_for() {
    on_each_engine(async |context, clock| {
        let mut somme = policy("somme");
        somme.grant_types = vec![GrantType::AuthorizationCode];
        somme.auth_methods = vec![ClientAuthMethod::SecretBasic];
        somme.subject_types = vec![SubjectType::Pairwise];
        somme.service_scopes = vec!["menus:read".into()];
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        let greedy = json!({
            "client_name": "Cahier", "redirect_uris": ["https://somme.example/cb"],
            "client_id": "ent", "client_secret": "chosen by me", "client_id_issued_at": 1,
            "registration_access_token": "chosen by me", "scope": "openid profile menus:read",
            "sector": "ent", "basis": "consent", "pkce_required": false, "enabled": true, "profile": "standard",
            "release": [{ "attribute": "family_name", "purpose": "x", "convention": "x" }],
            "schools": ["9990001X"], "resources": ["https://cantine.example/api"], "service_scopes": ["menus:write"],
            "minimum_acr": "urn:marelle:acr:class", "secrets": ["x"], "policy": "nord",
        });
        let one = Known::new(&site, &token, &greedy).await;
        assert_ne!(one.answer["client_id"], "ent");
        assert_ne!(one.answer["client_secret"], "chosen by me");
        let id = one.text("client_id").parse().unwrap();
        let party = client::find(&site.context, &id).await.unwrap().unwrap();
        assert!(party.pkce_required && party.schools.is_empty() && !party.release.allows(Attribute::FamilyName));
        assert_eq!((party.release, party.basis), (somme.release.clone(), somme.basis));
        assert_eq!(party.sector, "host:somme.example");
        assert!(party.metadata.resources.is_empty() && party.metadata.service_scopes.is_empty());
        assert_eq!(party.metadata.minimum_acr, None);
        assert_eq!(party.registration.unwrap().policy, "somme");

        for (member, value) in [
            ("grant_types", json!(["authorization_code", "client_credentials"])),
            ("grant_types", json!(["implicit"])),
            ("grant_types", json!(["password"])),
            ("response_types", json!(["id_token"])),
            ("response_types", json!(["code", "token"])),
            ("token_endpoint_auth_method", json!("none")),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("subject_type", json!("public")),
            ("id_token_signed_response_alg", json!("none")),
            ("id_token_signed_response_alg", json!("HS256")),
            ("request_object_signing_alg", json!("none")),
            ("application_type", json!("other")),
            ("client_name", json!("x".repeat(101))),
            ("client_name", json!(" ")),
            ("client_name", json!({})),
            ("contacts", json!(["x".repeat(201)])),
            ("contacts", json!(vec!["a@b.example"; 1000])),
            ("default_max_age", json!(-1)),
            ("default_max_age", json!("soon")),
            ("jwks", json!({ "keys": [] })),
            ("jwks", json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] })),
            ("jwks", json!("https://somme.example/jwks")),
        ] {
            let refused = register(&site, &token, &with(member, value.clone())).await;
            assert_refused(&refused, "invalid_client_metadata", &format!("{member} {value}"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_project_does_not_pass_its_limit_though_it_asks_on_two_nodes_at_once() {
    on_each_engine(async |context, clock| {
        let mut somme = policy("somme");
        somme.most = 3;
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        let other = Arc::new(site.another_node().await);
        let site = Arc::new(site);
        let body = wanted();
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..10 {
            let node = Arc::clone(if number % 2 == 0 { &site } else { &other });
            let (token, body) = (token.clone(), body.clone());
            tries.spawn(async move { register(&node, &token, &body).await });
        }
        let replies = tries.join_all().await;
        let made: Vec<_> = replies
            .iter()
            .filter(|reply| reply.status == StatusCode::CREATED)
            .collect();
        assert_eq!(made.len(), 3, "{replies:?}");
        for refused in replies.iter().filter(|reply| reply.status != StatusCode::CREATED) {
            assert_refused(refused, "invalid_client_metadata", "too many");
        }
        assert_eq!(site.journalled("registration.refused").await, 7);
        let one = Known {
            answer: made[0].json(),
        };
        assert_eq!(
            one.manage(&other, Method::DELETE, None).await.status,
            StatusCode::NO_CONTENT
        );
        Known::new(&site, &token, &body).await;
    })
    .await;
}

#[tokio::test]
async fn under_a_fapi_policy_nobody_has_a_secret_and_the_profile_is_not_theirs_to_choose() {
    on_each_engine(async |context, clock| {
        let mut somme = policy("somme");
        somme.profile = SecurityProfile::Fapi2;
        somme.auth_methods = vec![ClientAuthMethod::PrivateKeyJwt];
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        assert_refused(
            &register(&site, &token, &wanted()).await,
            "invalid_client_metadata",
            "a secret",
        );
        let key = crate::jose::PrivateKey::generate(crate::jose::Algorithm::Es256).unwrap();
        let mut body = wanted();
        body["token_endpoint_auth_method"] = "private_key_jwt".into();
        body["jwks"] = json!({ "keys": [key.public().to_json()] });
        let one = Known::new(&site, &token, &body).await;
        assert_eq!(one.answer["id_token_signed_response_alg"], "ES256");
        let party = client::find(&site.context, &one.text("client_id").parse().unwrap()).await;
        let party = party.unwrap().unwrap();
        assert!(party.metadata.must_push() && party.metadata.must_bind() && party.pkce_required);
        body["id_token_signed_response_alg"] = "RS256".into();
        assert_refused(
            &register(&site, &token, &body).await,
            "invalid_client_metadata",
            "RS256",
        );
    })
    .await;
}

#[tokio::test]
async fn what_an_operator_put_out_of_use_stays_so_whatever_the_client_changes() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let site = Site::new((context, clock)).await;
        let one = Known::new(&site, &token, &wanted()).await;
        let id = one.text("client_id").parse().unwrap();
        assert_eq!(
            client::set_enabled(&site.context, &id, false).await.unwrap(),
            client::Change::Done(true)
        );
        let changed = one.manage(&site, Method::PUT, Some(&one.changed(&[]))).await;
        assert_eq!(changed.status, StatusCode::OK);
        assert!(!client::find(&site.context, &id).await.unwrap().unwrap().enabled);
        assert_eq!(
            client::remove(&site.context, &id).await.unwrap(),
            client::Change::Done(())
        );
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let body = one.changed(&[]);
            let body = (method == Method::PUT).then_some(&body);
            assert_unauthorized(&one.manage(&site, method, body).await);
        }
    })
    .await;
}
