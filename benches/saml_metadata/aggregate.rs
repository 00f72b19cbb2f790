//! An invented aggregate of the size and shape of a real one, signed by a key made for it.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use data_encoding::BASE64;
use marelle::base::time::{Clock, SystemClock};
use marelle::domain::saml_source::{Location, MAX_AGE, MAX_VALIDITY, MOST_BYTES, Origin, Source, Terms};
use marelle::saml::metadata::{pinned, take};
use marelle::saml::xml::Limits;
use marelle::saml::xmlsec::{Certificate, PublicKey};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sha::Sha256;
use openssl::sign::Signer;

const CERTIFICATE: &str = include_str!("../../tests/samples/saml/rsa.crt");
const KEY: &str = include_str!("../../tests/samples/saml/rsa.key");
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

fn key() -> Result<PKey<Private>> {
    Ok(PKey::private_key_from_pem(KEY.as_bytes())?)
}

/// The key that verifies.
pub(super) fn public_key() -> Result<PublicKey> {
    Ok(Certificate::from_base64(CERTIFICATE)?.public_key()?)
}

/// The aggregate as a federation of a configuration.
pub(super) fn federation(file: &Path) -> Result<Source> {
    Ok(Source {
        id: "federation:bench".to_owned(),
        origin: Origin::Federation,
        terms: Terms {
            location: Location::Path(file.display().to_string()),
            keys: vec![pinned(CERTIFICATE)?],
            entity_id: None,
            http_addresses: false,
            max_age: MAX_AGE,
            max_validity: MAX_VALIDITY,
            most_bytes: MOST_BYTES,
        },
    })
}

/// Writes an aggregate of so many service providers, some 9 kB each.
pub(super) fn write(file: &Path, count: usize) -> Result<()> {
    let unsigned = file.with_extension("unsigned");
    body(&unsigned, count, "")?;
    // What is digested is the canonical form, which the same pass writes that verifies it later.
    let mut digest = Digest(Sha256::new());
    let input = BufReader::new(File::open(&unsigned)?);
    take(input, None, Limits::METADATA, &mut digest)?;
    let digest = BASE64.encode(&digest.0.finish());
    std::fs::remove_file(&unsigned)?;
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\">\
         </ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
         </ds:SignatureMethod><ds:Reference URI=\"#_bench\"><ds:Transforms><ds:Transform Algorithm=\"{ENVELOPED}\">\
         </ds:Transform><ds:Transform Algorithm=\"{EXCLUSIVE}\"></ds:Transform></ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue>\
         </ds:Reference></ds:SignedInfo>"
    );
    let key = key()?;
    let value = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(info.as_bytes())?;
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}<ds:SignatureValue>{}</ds:SignatureValue></ds:Signature>",
        BASE64.encode(&value)
    );
    body(file, count, &signature)
}

struct Digest(Sha256);

impl Write for &mut Digest {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn end() -> &'static str {
    static END: OnceLock<String> = OnceLock::new();
    END.get_or_init(|| {
        let nine_days = std::time::Duration::from_secs(9 * 24 * 3600);
        SystemClock.now().plus(nine_days).to_string()
    })
}

fn body(file: &Path, count: usize, signature: &str) -> Result<()> {
    let certificate: String = CERTIFICATE
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(|line| format!("\n            {line}"))
        .collect();
    if certificate.is_empty() {
        return Err(anyhow!("no certificate"));
    }
    let logo = BASE64.encode(&[7; 1500]);
    let mut out = BufWriter::new(File::create(file)?);
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\" \
         xmlns:mdrpi=\"urn:oasis:names:tc:SAML:metadata:rpi\" xmlns:mdattr=\"urn:oasis:names:tc:SAML:metadata:attribute\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_bench\" Name=\"https://federation.example/\" \
         cacheDuration=\"PT1H\" validUntil=\"{}\">{signature}",
        end()
    )?;
    for number in 0..count {
        write!(
            out,
            r#"
  <md:EntityDescriptor entityID="https://service-{number}.example/shibboleth">
    <md:Extensions>
      <mdrpi:RegistrationInfo registrationAuthority="https://federation.example/" registrationInstant="2024-01-05T08:00:00Z">
        <mdrpi:RegistrationPolicy xml:lang="en">https://federation.example/mrps</mdrpi:RegistrationPolicy>
      </mdrpi:RegistrationInfo>
      <mdattr:EntityAttributes><saml:Attribute Name="http://macedir.org/entity-category">
        <saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>
    </md:Extensions>
    <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
      <md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="fr">Service n° {number} &amp; compagnie</mdui:DisplayName>
        <mdui:DisplayName xml:lang="en">Service {number}</mdui:DisplayName>
        <mdui:Logo width="16" height="16">data:image/png;base64,{logo}</mdui:Logo></mdui:UIInfo></md:Extensions>"#
        )?;
        for usage in ["signing", "encryption"] {
            write!(
                out,
                r#"
      <md:KeyDescriptor use="{usage}"><ds:KeyInfo><ds:KeyName>service-{number}.example</ds:KeyName><ds:X509Data>
        <ds:X509Certificate>{certificate}
        </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"#
            )?;
        }
        for (index, path) in ["POST", "POST-SimpleSign"].iter().enumerate() {
            write!(
                out,
                r#"
      <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{path}" Location="https://service-{number}.example/Shibboleth.sso/SAML2/{path}" index="{index}"/>"#
            )?;
        }
        write!(
            out,
            r#"
      <md:AttributeConsumingService index="1"><md:ServiceName xml:lang="fr">Service {number}</md:ServiceName>"#
        )?;
        for arc in 1..=12 {
            write!(
                out,
                r#"
        <md:RequestedAttribute FriendlyName="attribute{arc}" Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.{arc}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" isRequired="true"/>"#
            )?;
        }
        write!(
            out,
            r#"
      </md:AttributeConsumingService>
    </md:SPSSODescriptor>
    <md:Organization><md:OrganizationName xml:lang="fr">Établissement {number}</md:OrganizationName>
      <md:OrganizationDisplayName xml:lang="fr">Établissement {number}</md:OrganizationDisplayName>
      <md:OrganizationURL xml:lang="fr">https://service-{number}.example/</md:OrganizationURL></md:Organization>
    <md:ContactPerson contactType="technical"><md:EmailAddress>mailto:technique@service-{number}.example</md:EmailAddress></md:ContactPerson>
  </md:EntityDescriptor>"#
        )?;
    }
    writeln!(out, "\n</md:EntitiesDescriptor>")?;
    Ok(out.flush()?)
}
