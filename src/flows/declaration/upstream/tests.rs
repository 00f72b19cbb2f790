//! Providers as files have them: read with what their preset knows, made so, left alone, pruned.

use std::path::Path;

use super::*;
use crate::flows::declaration::file::Reader;
use crate::flows::declaration::{self, Options};
use crate::flows::testing::scene::on_each_engine;

const PROCONNECT: &str = "[[upstream_provider]]\nid = \"proconnect\"\nname = \"ProConnect\"\npreset = \"proconnect\"\n\
    issuer = \"https://proconnect.example/api/v2\"\nclient_id = \"marelle\"\nsecret_file = \"secret\"\n\
    assurance_of = { mfa = \"https://refeds.org/profile/mfa\" }\n";
const EDUCONNECT: &str = "[[upstream_provider]]\nid = \"educonnect\"\nname = \"EduConnect\"\npreset = \"educonnect-saml\"\n\
    entity_id = \"https://educonnect.example/idp\"\nmetadata_file = \"idp.xml\"\n";

fn idp() -> String {
    let certificate = include_str!("../../../../tests/samples/saml/rsa.crt");
    let bare: String = certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    format!(
        "<md:EntityDescriptor entityID='https://educonnect.example/idp' xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>\
         <md:IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'><md:KeyDescriptor>\
         <ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data><ds:X509Certificate>{bare}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService \
         Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' Location='https://educonnect.example/sso'/>\
         </md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

fn read(text: &str) -> Result<Declaration, String> {
    let files = |path: &Path| match path.to_str() {
        Some("secret") => Ok(format!("{}\n", "s".repeat(40))),
        Some("idp.xml") => Ok(idp()),
        Some("nobody.xml") => Ok(idp().replace("<md:KeyDescriptor>", "<md:KeyDescriptor use='encryption'>")),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let mut reader = Reader::default();
    reader.add(text, &files).map_err(|error| error.to_string())?;
    Ok(reader.finish())
}

#[test]
fn a_preset_brings_what_a_declaration_leaves_out() {
    let declared = read(&format!("{PROCONNECT}{EDUCONNECT}"))
        .unwrap()
        .upstream_providers;
    let [proconnect, educonnect] = declared.as_slice() else {
        panic!("{declared:?}")
    };
    let Protocol::Oidc(oidc) = &proconnect.provider.protocol else {
        panic!("not OpenID Connect")
    };
    assert_eq!((oidc.userinfo, oidc.pkce), (Userinfo::Signed, false));
    assert!(oidc.claims.as_ref().is_some_and(|claims| claims.contains("amr")));
    assert_eq!(proconnect.provider.populations, [Population::Staff]);
    assert_eq!(proconnect.provider.assurance.best(), Acr::MultiFactor);
    let Protocol::Saml(saml) = &educonnect.provider.protocol else {
        panic!("not SAML")
    };
    assert!(saml.unsolicited && saml.encrypted && educonnect.provider.linking.by_source_key);
    assert_eq!(educonnect.provider.linking.otherwise, Otherwise::Ask);
    assert!(!educonnect.provider.linking.by_ine);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, expected) in [
        (
            PROCONNECT.replace("id = \"proconnect\"", "id = \"Pro Connect\""),
            "line 2",
        ),
        (
            PROCONNECT.replace("proconnect\"\nissuer", "pro\"\nissuer"),
            "line 4",
        ),
        (format!("{PROCONNECT}entity_id = \"x\"\n"), "line 9"),
        (format!("{PROCONNECT}claims = \"[]\"\n"), "line 9"),
        (
            format!("{PROCONNECT}linking = {{ by_ine = true }}\n"),
            "convention",
        ),
        (
            format!("{PROCONNECT}linking = {{ by_email = true }}\n"),
            "unknown field",
        ),
        (PROCONNECT.replace("https://pro", "http://pro"), "line 5"),
        (EDUCONNECT.replace("idp.xml", "none.xml"), "line 6"),
        (EDUCONNECT.replace("idp.xml", "nobody.xml"), "none that signs"),
        (EDUCONNECT.replace("metadata_file = \"idp.xml\"\n", ""), "line 1"),
        (format!("{EDUCONNECT}{EDUCONNECT}"), "declared twice"),
        (
            format!(
                "{EDUCONNECT}{}",
                EDUCONNECT.replace("id = \"educonnect\"", "id = \"x\"")
            ),
            "declared twice",
        ),
    ] {
        let refused = read(&text).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

#[tokio::test]
async fn it_is_created_left_alone_changed_and_pruned_and_its_secret_is_sealed() {
    on_each_engine(async |context, _clock| {
        let apply = async |text: &str, prune| {
            let options = Options {
                prune,
                ..Options::default()
            };
            let declared = read(text).unwrap();
            let done = declaration::apply(&context, &declared, options).await.unwrap();
            done.iter().map(|line| line.verb).collect::<Vec<_>>()
        };
        let both = format!("{PROCONNECT}{EDUCONNECT}");
        assert_eq!(apply(&both, false).await, [Verb::Created, Verb::Created]);
        assert_eq!(apply(&both, true).await, [Verb::Unchanged, Verb::Unchanged]);
        let id: ProviderId = "proconnect".parse().unwrap();
        let mut conn = context.db.reader().await.unwrap();
        let (kept, state) = store::upstream_provider::find(&mut conn, &id)
            .await
            .unwrap()
            .unwrap();
        assert!(
            kept.secret
                .is_some_and(|sealed| !sealed.windows(4).any(|part| part == b"ssss"))
        );
        assert_eq!(state.next_at, Some(context.now()), "to be fetched");
        let saml: ProviderId = "educonnect".parse().unwrap();
        let (_, state) = store::upstream_provider::find(&mut conn, &saml)
            .await
            .unwrap()
            .unwrap();
        assert!(
            state.metadata.is_some() && state.next_at.is_none(),
            "it stands in the file"
        );
        drop(conn);
        let closed = format!("{PROCONNECT}enabled = false\n");
        assert_eq!(apply(&closed, false).await, [Verb::Updated]);
        assert_eq!(apply(&closed, true).await, [Verb::Unchanged, Verb::Removed]);
    })
    .await;
}
