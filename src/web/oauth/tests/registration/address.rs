//! The addresses that a client may name, and those that are fetched.

use super::*;

#[tokio::test]
async fn addresses_are_on_hosts_of_the_project_and_written_plainly() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let site = Site::new((context, clock)).await;
        for wrong in [
            "https://somme.example/cb#fragment",
            "https://somme.example/cb#",
            "https://evil.example/cb",
            "https://somme.example.evil.example/cb",
            "https://somme.example@evil.example/cb",
            "https://evil.example\\@somme.example/cb",
            "https://*.somme.example/cb",
            "https://somme.example/*",
            "http://somme.example/cb",
            "javascript:alert(document.domain)",
            "javascript://somme.example/%0aalert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "somme.example:/cb",
            "//somme.example/cb",
            "https://somme.example/cb\r\nLocation: https://evil.example",
            "",
        ] {
            let body = with("redirect_uris", json!([wrong]));
            assert_refused(
                &register(&site, &token, &body).await,
                "invalid_redirect_uri",
                wrong,
            );
            let both = with("redirect_uris", json!(["https://somme.example/cb", wrong]));
            assert_refused(
                &register(&site, &token, &both).await,
                "invalid_redirect_uri",
                wrong,
            );
        }
        for body in [
            with("redirect_uris", json!([])),
            with("redirect_uris", json!("https://somme.example/cb")),
            with("redirect_uris", json!([1])),
            with("redirect_uris", json!(null)),
        ] {
            assert_refused(
                &register(&site, &token, &body).await,
                "invalid_redirect_uri",
                "no list",
            );
        }
        for member in [
            "jwks_uri",
            "client_uri",
            "logo_uri",
            "policy_uri",
            "tos_uri",
            "initiate_login_uri",
            "sector_identifier_uri",
            "backchannel_logout_uri",
            "frontchannel_logout_uri",
        ] {
            for wrong in [
                "https://evil.example/x",
                "javascript:alert(1)",
                "data:text/html,x",
                "http://somme.example/x",
                "https://a@somme.example/",
                "ftp://somme.example/",
            ] {
                let body = with(member, json!(wrong));
                let refused = register(&site, &token, &body).await;
                assert_refused(&refused, "invalid_client_metadata", &format!("{member} {wrong}"));
            }
        }
        let leaves = with("post_logout_redirect_uris", json!(["https://evil.example/bye"]));
        let refused = register(&site, &token, &leaves).await;
        assert_refused(&refused, "invalid_client_metadata", "post_logout_redirect_uris");
        assert_eq!(
            client::list(&site.context).await.unwrap().len(),
            3,
            "nothing came of it"
        );
        assert!(site.journalled("registration.refused").await > 0);
    })
    .await;
}

#[tokio::test]
async fn only_an_address_of_the_policy_is_ever_fetched_and_only_a_public_one() {
    on_each_engine(async |mut context, clock| {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let mut somme = policy("somme");
        somme.hosts = vec!["somme.example".parse().unwrap()];
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        for inside in [
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/x",
            "https://localhost/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::ffff:10.0.0.1]/x",
            "http://somme.example/x",
        ] {
            for member in ["jwks_uri", "sector_identifier_uri", "backchannel_logout_uri"] {
                let refused = register(&site, &token, &with(member, json!(inside))).await;
                assert_refused(&refused, "invalid_client_metadata", inside);
            }
        }
        assert!(partners.asked().is_empty(), "nothing was fetched");

        // What the name of a listed host leads to is the project's to say: it may not lead inside.
        let listed_at = "https://somme.example/uris.json";
        partners.answer(listed_at, |request| {
            let reach = request.extensions().get::<crate::flows::outbound::Reach>();
            assert_eq!(reach, Some(&crate::flows::outbound::Reach::Public));
            http::Response::new(br#"["https://somme.example/cb"]"#.to_vec())
        });
        let body = with("sector_identifier_uri", json!(listed_at));
        Known::new(&site, &token, &body).await;
        assert_eq!(partners.asked().len(), 1);

        // It is not led elsewhere, nor told what was there instead.
        partners.answer(listed_at, |_| {
            let mut moved = http::Response::new(b"secret of the house".to_vec());
            *moved.status_mut() = http::StatusCode::FOUND;
            let inside = http::HeaderValue::from_static("http://127.0.0.1/");
            moved.headers_mut().insert(http::header::LOCATION, inside);
            moved
        });
        let refused = register(&site, &token, &body).await;
        assert_refused(&refused, "invalid_client_metadata", "moved");
        assert!(!refused.body.contains("secret of the house") && !refused.body.contains("302"));
        assert_eq!(partners.asked().len(), 2);
    })
    .await;
}
