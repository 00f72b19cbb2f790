//! SAML in declaration files, and what applying them does.

use std::path::Path;

use super::*;
use crate::flows::declaration::file::Reader;
use crate::flows::declaration::{self, Options};
use crate::flows::testing::scene::on_each_engine;

const ENT: &str = "https://ent.example/sp";

fn sample(name: &str) -> std::io::Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/saml");
    std::fs::read_to_string(folder.join(name))
}

/// Metadata of a service provider with this address.
fn metadata(address: &str, attributes: &str) -> String {
    format!(
        "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' entityID='{ENT}' {attributes}>\
         <SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>\
         <AssertionConsumerService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' Location='{address}' index='1'/>\
         </SPSSODescriptor></EntityDescriptor>"
    )
}

fn read(text: &str) -> Result<Declaration, String> {
    let file = |path: &Path| match path.to_str() {
        Some("ent.xml") => Ok(metadata("https://ent.example/acs", "")),
        Some("ent2.xml") => Ok(metadata(
            "https://ent.example/acs2",
            "validUntil='2020-01-01T00:00:00Z'",
        )),
        Some("http.xml") => Ok(metadata("http://ent.example/acs", "")),
        Some(name) => sample(name),
        None => Err(std::io::ErrorKind::NotFound.into()),
    };
    let mut reader = Reader::default();
    reader.add(text, &file).map_err(|error| error.to_string())?;
    Ok(reader.finish())
}

fn party(lines: &str) -> String {
    format!("[[relying_party]]\nid = \"ent\"\nname = \"ENT\"\n[relying_party.saml]\n{lines}\n")
}

fn read_party(lines: &str) -> Result<(SamlParty, Option<DeclaredMetadata>), String> {
    let declared = read(&party(lines))?.relying_parties.remove(0);
    Ok((declared.party.saml.unwrap(), declared.metadata))
}

#[test]
fn every_member_of_a_service_provider_can_be_declared() {
    let (saml, metadata) = read_party(
        "entity_id = \"https://ent.example/sp\"\nmetadata_url = \"http://ent.example/metadata\"\n\
         metadata_certificates = [\"rsa.crt\", \"ec.crt\"]\nmetadata_max_age_hours = 12\nfederation = \"renater\"\n\
         signed = \"assertion\"\necdsa = true\nencryption = \"required\"\nmgf = true\n\
         name_id_format = \"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\"\nnames = \"both\"\n\
         preset = \"entcore\"\nidp_initiated = false\nauthn_context = \"urn:x\"\n[relying_party.saml.tolerances]\n\
         unsigned_requests = true\nunsigned_logout = true\nsha1_requests = true\nindex_and_url = true\ncbc = true\n\
         http_addresses = true",
    )
    .unwrap();
    // Written out whole: a member that is added must be thought of here.
    let expected = SamlParty {
        entity_id: ENT.into(),
        federation: Some("renater".into()),
        signed: Signed::Assertion,
        ecdsa: true,
        encryption: Encryption::Required,
        mgf: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient".into()),
        names: AttributeNames::Both,
        preset: Preset::Entcore,
        idp_initiated: false,
        authn_context: Some("urn:x".into()),
        tolerances: Tolerances {
            unsigned_requests: true,
            unsigned_logout: true,
            sha1_requests: true,
            index_and_url: true,
            cbc: true,
            http_addresses: true,
        },
    };
    assert_eq!(saml, expected);
    let source = metadata.unwrap().source;
    assert_eq!((source.id.as_str(), source.origin), ("party:ent", Origin::Url));
    assert_eq!(source.terms.keys.len(), 2);
    assert_eq!(source.terms.max_age, Duration::from_secs(12 * 3600));
}

#[test]
fn a_party_of_saml_alone_needs_neither_redirect_address_nor_secret() {
    let declared = read(&party("metadata_file = \"ent.xml\"")).unwrap();
    let party = &declared.relying_parties[0].party;
    assert!(!party.speaks_openid_connect() && party.secrets.is_empty());
    let saml = party.saml.as_ref().unwrap();
    assert_eq!(saml.entity_id, ENT, "of the file");
    assert_eq!(
        saml,
        &SamlParty {
            entity_id: ENT.into(),
            ..SamlParty::default()
        }
    );
}

#[test]
fn what_is_wrong_with_saml_is_named_with_its_line() {
    let renater = "[[saml_federation]]\nid = \"renater\"\nurl = \"https://renater.example/x\"\n";
    for (text, expected) in [
        (party("entity_id = \"x\""), "metadata_url or federation"),
        (party("metadata_url = \"https://x.example/\""), "entity_id"),
        (party("entity_id = \"a b\"\nfederation = \"r\""), "line 5"),
        (
            party("entity_id = \"x\"\nmetadata_url = \"http://x.example/\""),
            "line 6",
        ),
        (party("metadata_file = \"http.xml\""), "not https"),
        (party("metadata_file = \"missing.xml\""), "missing.xml"),
        (
            party("metadata_file = \"ent.xml\"\nentity_id = \"other\""),
            "no service provider",
        ),
        (party("metadata_file = \"renater-aggregate.xml\""), "several"),
        (
            party("metadata_file = \"ent.xml\"\nmetadata_certificates = [\"rsa.crt\"]"),
            "not signed",
        ),
        (party("metadata_file = \"ent.xml\"\nsigned = \"no\""), "line 6"),
        (party("metadata_file = \"ent.xml\"\nentityid = \"x\""), "entityid"),
        (
            party("metadata_file = \"ent.xml\"\n[relying_party.saml.tolerances]\nall = true"),
            "line 7",
        ),
        (
            format!(
                "{0}{1}",
                party("metadata_file = \"ent.xml\""),
                party("metadata_file = \"ent.xml\"").replace("\"ent\"", "\"two\"")
            ),
            "entity_id https://ent.example/sp is declared twice",
        ),
        (renater.to_owned(), "certificates"),
        (format!("{renater}certificates = []\n"), "line 4"),
        (format!("{renater}certificates = [\"weak.crt\"]\n"), "2048"),
        (
            format!("{renater}certificates = [\"rsa.key\"]\n"),
            "certificates: rsa.key",
        ),
        (
            format!("{renater}certificates = [\"rsa.crt\"]\nfile = \"/x\"\n"),
            "one of",
        ),
        (
            renater.replace(
                "url = \"https://renater.example/x\"",
                "file = \"x\"\ncertificates = [\"rsa.crt\"]",
            ),
            "absolute",
        ),
        (
            format!("{renater}certificates = [\"rsa.crt\"]\nmax_age = 3\n"),
            "line 5",
        ),
    ] {
        let refused = read(&text).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    let tolerant = "metadata_file = \"http.xml\"\n[relying_party.saml.tolerances]\nhttp_addresses = true";
    assert!(read_party(tolerant).is_ok());
    let chosen = "metadata_file = \"renater-aggregate.xml\"\nmetadata_certificates = [\"rsa.crt\"]\n\
        entity_id = \"https://nu.example/sp\"";
    let (saml, _) = read_party(chosen).unwrap();
    assert_eq!(saml.entity_id, "https://nu.example/sp");
}

#[tokio::test]
async fn metadata_are_kept_with_the_party_and_go_with_it() {
    on_each_engine(async |context, _clock| {
        let apply = async |text: &str, prune| {
            let options = Options {
                prune,
                ..Options::default()
            };
            let done = declaration::apply(&context, &read(text).unwrap(), options)
                .await
                .unwrap();
            done.into_iter()
                .map(|line| (line.noun, line.verb, line.note.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let stored = async || {
            let mut conn = context.db.reader().await.unwrap();
            store::relying_party::find_by_entity(&mut conn, ENT, context.now())
                .await
                .unwrap()
        };
        let first = party("metadata_file = \"ent.xml\"");
        assert_eq!(
            apply(&first, false).await,
            [("relying_party", Verb::Created, "metadata read".to_owned())]
        );
        let (_, entity) = stored().await.unwrap();
        assert_eq!(
            entity.unwrap().provider.assertion_consumers[0].location,
            "https://ent.example/acs"
        );
        assert_eq!(apply(&first, false).await[0].1, Verb::Unchanged);

        let over = apply(&first.replace("ent.xml", "ent2.xml"), false).await;
        assert!(
            over[0].1 == Verb::Updated && over[0].2.contains("over since"),
            "{over:?}"
        );
        assert!(
            stored().await.unwrap().1.is_none(),
            "attack 30: what is over is not used"
        );

        let url = party(&format!(
            "entity_id = \"{ENT}\"\nmetadata_url = \"https://ent.example/m\"\nfederation = \"r\""
        ));
        let lines = apply(&url, false).await;
        assert!(
            lines[0].2.contains("no federation «r»") && lines[0].2.contains("marelle saml refresh party:ent")
        );
        assert_eq!(apply(&url, false).await[0].1, Verb::Unchanged);

        let thief = first.replace("id = \"ent\"", "id = \"thief\"");
        let lines = apply(&thief, false).await;
        assert!(lines[0].1 == Verb::Kept && lines[0].2.contains("ent has its entity_id"));

        let renater =
            "[[saml_federation]]\nid = \"r\"\nurl = \"https://r.example/\"\ncertificates = [\"rsa.crt\"]\n";
        assert_eq!(apply(renater, false).await[0].1, Verb::Created);
        assert_eq!(apply(renater, false).await[0].1, Verb::Unchanged);
        let mut tx = context.db.begin().await.unwrap();
        let (_, mut state) = store::saml_source::find(&mut tx, "federation:r")
            .await
            .unwrap()
            .unwrap();
        state.signed_by = Some(pinned(&sample("rsa.crt").unwrap()).unwrap());
        store::saml_source::succeed(&mut tx, "federation:r", &state, &[])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let both = renater.replace("[\"rsa.crt\"]", "[\"rsa.crt\", \"ec.crt\"]");
        assert!(!apply(&both, false).await[0].2.contains("forgotten"));
        let other = renater.replace("rsa.crt", "ec.crt");
        assert!(apply(&other, false).await[0].2.contains("forgotten"));
        assert_eq!(apply(&url, true).await.last().unwrap().1, Verb::Removed);
        apply("", true).await;
        let mut conn = context.db.reader().await.unwrap();
        assert!(store::saml_source::all(&mut conn).await.unwrap().is_empty());
    })
    .await;
}
