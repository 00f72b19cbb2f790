//! Writes `seeds/`, what fuzzing begins with, out of the vectors of the tests: `cargo run --example seeds` in this folder.

use std::fs;
use std::path::Path;

use marelle::base::url::query;
use marelle::saml::wire;

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/samples/", $name))
    };
}

const REQUEST: &str = "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
    xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_1\" Version=\"2.0\" IssueInstant=\"2026-10-01T08:00:00Z\" \
    Destination=\"https://id.example.fr/saml/sso\" ForceAuthn=\"true\" AssertionConsumerServiceURL=\"https://ent.example/acs/0\" \
    ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"><saml:Issuer>https://ent.example/saml</saml:Issuer>\
    <samlp:NameIDPolicy AllowCreate=\"true\" Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"/>\
    <samlp:RequestedAuthnContext Comparison=\"minimum\"><saml:AuthnContextClassRef>\
    urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>\
    </samlp:RequestedAuthnContext></samlp:AuthnRequest>";
const LOGOUT: &str = "<p:LogoutRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
    xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_2\" Version=\"2.0\" IssueInstant=\"2026-10-01T08:00:00Z\" \
    Destination=\"https://id.example.fr/saml/sso\" NotOnOrAfter=\"2026-10-01T08:05:00Z\"><a:Issuer>https://ent.example/saml\
    </a:Issuer><a:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">lina</a:NameID>\
    <p:SessionIndex>_login</p:SessionIndex></p:LogoutRequest>";
const ANSWERED: &str = "<p:LogoutResponse xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
    xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_3\" InResponseTo=\"_asked\" Version=\"2.0\" \
    IssueInstant=\"2026-10-01T08:00:00Z\" Destination=\"https://id.example.fr/saml/sso\"><a:Issuer>https://ent.example/saml\
    </a:Issuer><p:Status><p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></p:Status></p:LogoutResponse>";
const ENVELOPE: &str = "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Header/>\
    <SOAP-ENV:Body><samlp:Request xmlns:samlp=\"urn:oasis:names:tc:SAML:1.0:protocol\" MajorVersion=\"1\" MinorVersion=\"1\" \
    RequestID=\"_1\" IssueInstant=\"2026-10-01T08:00:00Z\"><samlp:AssertionArtifact>ST-1-aA5Yuvrxzpv8Tau1cYQ7\
    </samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>";
/// Addresses as those write them who want a ticket sent elsewhere, and some that are good.
const ADDRESSES: &[&str] = &[
    "https://ent.example/app",
    "https://ent.example:443/app/page/of%20a/child?x=https://other.example/",
    "https://ent.example:8443/a/b",
    "http://localhost:8080/app/x",
    "https://[2001:db8::1]/x/y?z",
    "https://ent.example/app/élève?nom=Maëlle",
    "https://ent.example/application",
    "https://ent.example.evil.example/app",
    "https://ent.example@evil.example/app",
    "https://ent.example\\.evil.example/app",
    "https://ent.example/app#@evil.example/",
    "https://ent.example/app/..;/evil",
    "https://ent.example/app/%2e%2e/evil",
    "https://ent.example/app/%252e%252e/evil",
    "https://ent.example/app%2f..%2fevil",
    "https://ent.example/app/%0d%0aset-cookie:x",
    "http://0x7f.1:8080/app",
    "https://xn--cole-9oa.example/a",
    "javascript://ent.example/app",
];
const CSV: &str =
    "Prénom*;Nom*;Date de naissance*;Classes*\r\nLina;LE GOFF;17/08/2016;CM2 A\r\nNoé;MARTIN;hier;\r\n";
/// Manifest, roles, demographics, classes, enrolments and users.
const ONEROSTER: &str = "propertyName,value\noneroster.version,1.2\nfile.users,bulk\n\0\
    userSourcedId,roleType,role,orgSourcedId\nu1,primary,student,o1\nu2,primary,parent,o1\nu3,primary,teacher,o1\n\0\
    sourcedId,birthDate,sex\nu1,2015-04-03,female\n\0\
    sourcedId,title,classType,grades,schoolSourcedId,termSourcedIds\nc1,CM2 A,homeroom,CM2,o1,\n\0\
    classSourcedId,userSourcedId,primary\nc1,u1,true\nc1,u3,true\n\0\
    sourcedId,status,enabledUser,givenName,familyName,userIds,agentSourcedIds\n\
    u1,,true,Lina,\"LE GOFF\",{INE:123456790CD},u2\nu2,,true,Maddi,OYHENART,,\nu3,,true,Anne,TOURNIER,,\n\
    u4,tobedeleted,true,Off,OFF,,\nu5,,true,short\n";
/// What is done to a document: see `markup`. Operation and position, one element, another.
const PROGRAMS: &[&[u8]] = &[
    &[],
    &[1, 0, 1],
    &[3, 0, 0],
    &[0x10, 1, 0],
    &[3, 0, 0, 2, 1, 0],
    &[1, 1, 0, 4, 2, 1, 7, 3, 0],
    &[3, 1, 2, 0x21, 1, 3],
    &[6, 4, 1, 5, 4, 1],
    &[8, 0, 3, 9, 2, 1],
];

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let seed = |target: &str, name: &str, how: u8, rest: &[u8]| {
        let folder = root.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), [&[how], rest].concat())
    };

    let signed_query = sample!("saml/pysaml2-redirect.txt");
    seed("saml_message", "query-signed", 0, signed_query.as_bytes())?;
    let signed = sample!("saml/pysaml2-authn-request.xml");
    let form = query([("SAMLRequest", &*wire::to_form(signed)), ("RelayState", "a b")]);
    seed("saml_message", "form-signed", 1, form.as_bytes())?;
    for (name, text) in [("request", REQUEST), ("logout", LOGOUT), ("answered", ANSWERED)] {
        let packed = wire::to_query(text).expect("it can be packed");
        let address = query([("SAMLRequest", &*packed), ("RelayState", "é+ &")]);
        seed("saml_message", &format!("{name}-query"), 0, address.as_bytes())?;
        for (how, way) in [(2, "packed"), (3, "packed-signed"), (4, "posted")] {
            seed("saml_message", &format!("{name}-{way}"), how, text.as_bytes())?;
        }
    }
    for (number, answer) in marelle_fuzz::saml_message::answers().iter().enumerate() {
        seed("saml_message", &format!("answer-{number}"), 5, answer.as_bytes())?;
        for (index, program) in PROGRAMS.iter().enumerate() {
            let program = [&[number as u8], *program].concat();
            // 5 of 6, and a program.
            seed(
                "saml_message",
                &format!("answer-{number}-{index}"),
                0x41,
                &program,
            )?;
        }
    }

    let aggregates = [
        ("renater", sample!("saml/renater-aggregate.xml")),
        ("xmlsec1", sample!("saml/xmlsec1-aggregate.xml")),
        ("pysaml2", sample!("saml/pysaml2-aggregate.xml")),
    ];
    for (number, (name, text)) in aggregates.into_iter().enumerate() {
        seed("saml_metadata", name, 0, text.as_bytes())?;
        for (index, program) in PROGRAMS.iter().enumerate() {
            let program = [&[number as u8], *program].concat();
            seed("saml_metadata", &format!("{name}-{index}"), 1, &program)?;
        }
    }
    let (_, renater) = aggregates[0];
    for (number, piece) in renater.split("<md:EntityDescriptor ").skip(1).enumerate() {
        let (entity, _) = piece.split_once("</md:EntityDescriptor>").unwrap_or((piece, ""));
        let text = format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\" \
             {entity}</md:EntityDescriptor>"
        );
        if text.len() < 6_000 {
            seed("saml_metadata", &format!("entity-{number}"), 0, text.as_bytes())?;
        }
    }
    seed("saml_metadata", "moment", 2, b"2026-10-01T10:00:00.5+02:00")?;
    seed("saml_metadata", "duration", 2, b"P1DT2H3M4.5S")?;

    for (number, address) in ADDRESSES.iter().enumerate() {
        seed("cas", &format!("address-{number}"), 0, address.as_bytes())?;
        let below = address.strip_prefix("https://ent.example").unwrap_or("/x");
        seed("cas", &format!("below-{number}"), 1, below.as_bytes())?;
        if number % 3 != 0 {
            continue;
        }
        let asked = query([
            ("service", *address),
            ("renew", "true"),
            ("selection", "EDU_parent_eleve"),
        ]);
        seed("cas", &format!("asked-{number}"), 2, asked.as_bytes())?;
        let shown = query([
            ("service", *address),
            ("ticket", "ST-1-aA5Yuvrxzpv8Tau1cYQ7"),
            ("format", "JSON"),
        ]);
        let shown = [&[number as u8], shown.as_bytes(), b"\xff", address.as_bytes()].concat();
        seed("cas", &format!("shown-{number}"), 3, &shown)?;
    }
    let proxied = query([("targetService", ADDRESSES[0]), ("pgt", "PGT-1-x")]);
    seed("cas", "proxied", 2, proxied.as_bytes())?;
    seed("cas", "envelope", 4, ENVELOPE.as_bytes())?;
    seed(
        "cas",
        "answered",
        5,
        b"lina\xffsn\xffPe<ti>&]]>t \r\n\xffENTPersonProfils\xffNational_ELV",
    )?;
    seed("cas", "told", 6, b"ST-1-<a>&\"")?;

    let documents = [
        ("both", sample!("saml/xmlsec1-both.xml")),
        ("request", sample!("saml/pysaml2-authn-request.xml")),
        ("response", sample!("saml/signxml-response-ec.xml")),
        ("aggregate", sample!("saml/xmlsec1-aggregate.xml")),
    ];
    for (name, text) in documents {
        seed("xml_signature", name, 0, text.as_bytes())?;
    }
    for document in 0..18 {
        // Each document as it is, and after some of the programs.
        for index in [0, 1 + document % 4, 5 + document % 4] {
            let program = [&[document as u8], PROGRAMS[index]].concat();
            seed(
                "xml_signature",
                &format!("program-{document}-{index}"),
                1,
                &program,
            )?;
        }
    }

    seed(
        "roster",
        "onde-a",
        0,
        include_bytes!("../../tests/samples/onde-generation-a.csv"),
    )?;
    seed(
        "roster",
        "onde-b",
        0,
        include_bytes!("../../tests/samples/onde-generation-b.csv"),
    )?;
    seed(
        "roster",
        "onde-adults",
        0,
        include_bytes!("../../tests/samples/onde-responsables.csv"),
    )?;
    seed(
        "roster",
        "aaf-pupils",
        3,
        include_bytes!("../../tests/samples/aaf-2d-eleve.xml"),
    )?;
    seed(
        "roster",
        "aaf-schools",
        5,
        include_bytes!("../../tests/samples/aaf-2d-etab.xml"),
    )?;
    seed(
        "roster",
        "aaf-hostile",
        1,
        include_bytes!("../../tests/samples/aaf-hostile-entities.xml"),
    )?;
    let registers: [(&str, u8, &[u8]); 8] = [
        (
            "onde-adults",
            0,
            include_bytes!("../../tests/samples/onde-responsables.csv"),
        ),
        (
            "onde-pupils",
            9,
            include_bytes!("../../tests/samples/onde-generation-b.csv"),
        ),
        (
            "siecle-pupils",
            20,
            include_bytes!("../../tests/samples/siecle-eleves.xml"),
        ),
        (
            "siecle-adults",
            30,
            include_bytes!("../../tests/samples/siecle-responsables.xml"),
        ),
        (
            "siecle-courses",
            4,
            include_bytes!("../../tests/samples/siecle-nomenclature.xml"),
        ),
        ("sts", 14, include_bytes!("../../tests/samples/sts-emp.xml")),
        (
            "changes",
            16,
            include_bytes!("../../tests/samples/aaf-1d-delta.xml"),
        ),
        (
            "first-degree",
            7,
            include_bytes!("../../tests/samples/aaf-1d-eleve.xml"),
        ),
    ];
    for (name, how, content) in registers {
        seed("registers", name, how, content)?;
    }
    seed("registers", "csv", 10, CSV.as_bytes())?;
    seed("registers", "oneroster", 15, ONEROSTER.as_bytes())?;
    seed(
        "registers",
        "mapping",
        8,
        include_bytes!("../../src/roster/mapping/onde.toml"),
    )
}
