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

const FIM: &str = "[[upstream_provider]]\nid = \"fim\"\nname = \"Agents\"\npreset = \"fim-oidc\"\n\
    issuer = \"https://fim.example\"\nclient_id = \"marelle\"\nsecret_file = \"secret\"\nacademies = [\"9\"]\n";
const HEADS: &str = "[[upstream_provider.staff]]\nfunction = \"DIR\"\nover = \"responsible\"\ngrants = \"school_head\"\n\
    profile = \"National_DIR\"\n";

#[test]
fn rules_for_staff_are_read_in_their_order() {
    let text = format!(
        "{FIM}{HEADS}[[upstream_provider.staff]]\ndelegation = \"marelle\"\ngrants = \"school_admin\"\n\
         [[upstream_provider.staff]]\nfunction = \"ADF\"\nover = \"academy\"\ngrants = \"academy_admin\"\n{PROCONNECT}"
    );
    let declared = read(&text).unwrap().upstream_providers;
    let rules: Vec<String> = declared[0]
        .provider
        .staff_rules
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        rules,
        [
            "function DIR over responsible",
            "delegation marelle over responsible",
            "function ADF over academy"
        ]
    );
    assert_eq!(declared[1].provider.staff_rules, []);
    let stored = serde_json::to_value(&declared[0].provider).unwrap();
    assert_eq!(
        serde_json::from_value::<UpstreamProvider>(stored.clone()).unwrap(),
        declared[0].provider
    );
    let mut older = stored;
    older.as_object_mut().unwrap().remove("staff_rules");
    let older: UpstreamProvider = serde_json::from_value(older).unwrap();
    assert_eq!(older.staff_rules, [], "a version before this one kept it");
}

#[test]
fn a_rule_that_gives_nothing_or_too_much_is_named_with_its_line() {
    let rule = |text: &str| format!("{FIM}{HEADS}[[upstream_provider.staff]]\n{text}\n");
    for (text, expected) in [
        (
            rule("over = \"schools\"\ngrants = \"school_head\""),
            "line 14: upstream_provider fim: staff: function:",
        ),
        (
            rule("function = \"dir\"\nover = \"schools\"\ngrants = \"school_head\""),
            "line 15: ",
        ),
        (
            rule("function = \"DIR\"\ndelegation = \"x\"\ngrants = \"school_head\""),
            "line 15: ",
        ),
        (rule("function = \"ENS\"\ngrants = \"school_head\""), "line 14: "),
        (rule("function = \"ENS\"\nover = \"everywhere\""), "line 16"),
        (rule("function = \"ENS\"\nover = \"schools\""), "staff: grants:"),
        (
            rule("function = \"ENS\"\nover = \"schools\"\ngrants = \"king\""),
            "line 17",
        ),
        (
            rule("function = \"ENS\"\nover = \"schools\"\ngrants = \"academy_admin\""),
            "line 17: ",
        ),
        (
            rule("function = \"ENS\"\nover = \"academy\"\ngrants = \"school_head\""),
            "line 17: ",
        ),
        (
            rule(
                "function = \"ENS\"\nover = \"academy\"\ngrants = \"academy_admin\"\nprofile = \"National_ACA\"",
            ),
            "line 18: ",
        ),
        (
            rule("function = \"ENS\"\nover = \"schools\"\nprofile = \"National_ELV\""),
            "line 17: ",
        ),
        (
            rule("delegation = \"x\"\nover = \"academy\"\ngrants = \"academy_admin\""),
            "line 16: ",
        ),
        (
            rule("delegation = \"a b\"\ngrants = \"school_admin\""),
            "line 15: ",
        ),
        (rule("function = \"ENS\"\nwho = \"all\""), "unknown field"),
        (format!("{FIM}{HEADS}{HEADS}"), "declared twice"),
        (
            format!("{FIM}{HEADS}").replace("academies = [\"9\"]\n", ""),
            "academies:",
        ),
        (
            format!("{FIM}populations = [\"guardian\"]\n{HEADS}"),
            "not for staff",
        ),
        (format!("{PROCONNECT}{HEADS}"), "says nothing"),
    ] {
        let refused = read(&text).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}
