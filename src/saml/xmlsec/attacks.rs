//! The attacks on signatures, each made from a good message by one change, numbered as in the project's list.

use data_encoding::BASE64;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;

use super::testing::{assertion, private, public, response, sample, signer};
use super::{Policy, PublicKey, Refused, Wanted, sign, verify};
use crate::saml::xml::{Element, Flaw, Namespace};

const RESPONSE: Wanted = Wanted::root(Namespace::Samlp, "Response");
const ASSERTION: Wanted = Wanted::only_child(Namespace::Saml, "Assertion");

fn keys() -> [PublicKey; 1] {
    [public("rsa")]
}

/// The response signed, the assertion not.
fn response_signed() -> String {
    sign(response(assertion("lina")), &signer("rsa")).unwrap().write()
}

/// The assertion signed, the response not.
fn assertion_signed() -> String {
    response(sign(assertion("lina"), &signer("rsa")).unwrap()).write()
}

/// The name of the person that is believed.
fn person(text: &str, wanted: Wanted) -> Result<String, Refused> {
    person_by(text, wanted, &keys(), &Policy::MESSAGE)
}

fn person_by(text: &str, wanted: Wanted, keys: &[PublicKey], policy: &Policy) -> Result<String, Refused> {
    let signed = verify(text.as_bytes(), wanted, keys, policy)?;
    let names: Vec<_> = signed
        .root()
        .descendants()
        .filter(|node| node.is(Namespace::Saml, "NameID"))
        .map(|node| node.text().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 1, "one name in: {text}");
    Ok(names.concat())
}

/// The first piece of `text` from `open` to the end of `close`, and what stands before and behind.
fn cut<'t>(text: &'t str, open: &str, close: &str) -> (&'t str, &'t str, &'t str) {
    let start = text.find(open).unwrap();
    let end = start + text[start..].find(close).unwrap() + close.len();
    (&text[..start], &text[start..end], &text[end..])
}

const SIGNATURE: (&str, &str) = ("<ds:Signature ", "</ds:Signature>");

/// The same message about somebody else, under another identifier, without a signature.
fn evil(original: &str) -> String {
    let (before, _, after) = cut(original, SIGNATURE.0, SIGNATURE.1);
    format!("{before}{after}")
        .replace("lina", "evil")
        .replace("ID=\"_", "ID=\"_evil_")
}

fn with_signature(message: &str, signature: &str) -> String {
    message.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1)
}

#[test]
fn what_the_attacks_are_made_from_is_accepted() {
    assert_eq!(person(&response_signed(), RESPONSE).unwrap(), "lina");
    assert_eq!(person(&assertion_signed(), ASSERTION).unwrap(), "lina");
}

#[test]
fn attacks_1_and_2_a_signed_response_in_or_beside_the_signature_of_another() {
    let original = response_signed();
    let (before, signature, after) = cut(&original, SIGNATURE.0, SIGNATURE.1);
    let unsigned = format!("{before}{after}");
    let object = signature.replace(
        "</ds:Signature>",
        &format!("<ds:Object>{unsigned}</ds:Object></ds:Signature>"),
    );
    let evil = evil(&original);
    // XSW1: the signature holds what it signs. XSW2: it stands beside.
    assert_eq!(
        person(&with_signature(&evil, &object), RESPONSE),
        Err(Refused::Form("Signature"))
    );
    let beside = with_signature(&evil, &format!("{unsigned}{signature}"));
    assert_eq!(person(&beside, RESPONSE), Err(Refused::Reference));
    let in_extensions = evil.replacen(
        "</saml:Issuer>",
        &format!("</saml:Issuer><samlp:Extensions>{original}</samlp:Extensions>"),
        1,
    );
    assert_eq!(person(&in_extensions, RESPONSE), Err(Refused::Unsigned));
}

#[test]
fn attacks_3_to_8_a_signed_assertion_beside_in_or_around_another() {
    let original = assertion_signed();
    let (head, genuine, tail) = cut(&original, "<saml:Assertion ", "</saml:Assertion>");
    let (before, signature, after) = cut(genuine, SIGNATURE.0, SIGNATURE.1);
    let unsigned = format!("{before}{after}");
    let evil = evil(genuine);
    let into =
        |outer: &str, inner: &str| outer.replace("</saml:Assertion>", &format!("{inner}</saml:Assertion>"));
    let holding = |inner: &str| signature.replace("</ds:Signature>", &format!("{inner}</ds:Signature>"));
    let object = |inner: &str| holding(&format!("<ds:Object>{inner}</ds:Object>"));
    let same_id = evil.replace("_evil_assertion", "_assertion");
    let inside = [
        ("XSW3", format!("{evil}{genuine}")),
        ("XSW4", into(&evil, genuine)),
        ("XSW5", format!("{}{unsigned}", with_signature(&evil, signature))),
        ("XSW6", with_signature(&evil, &holding(&unsigned))),
        (
            "XSW7",
            format!("<samlp:Extensions>{same_id}</samlp:Extensions>{genuine}"),
        ),
        ("XSW8", with_signature(&same_id, &object(&unsigned))),
        ("9", format!("{genuine}{evil}")),
        (
            "10 Advice",
            into(&evil, &format!("<saml:Advice>{genuine}</saml:Advice>")),
        ),
        (
            "10 wrapper",
            format!("<samlp:Extensions>{genuine}</samlp:Extensions>"),
        ),
    ];
    for (name, inside) in inside {
        let text = format!("{head}{inside}{tail}");
        assert_eq!(person(&text, ASSERTION), Err(Refused::Element), "{name}");
        assert!(person(&text, RESPONSE).is_err(), "{name}");
    }
}

#[test]
fn attack_11_no_signature_or_one_on_another_element() {
    let (text, unsigned) = (assertion_signed(), evil(&response_signed()));
    assert_eq!(person(&text, RESPONSE), Err(Refused::Unsigned));
    assert_eq!(person(&response_signed(), ASSERTION), Err(Refused::Unsigned));
    assert_eq!(person(&unsigned, RESPONSE), Err(Refused::Unsigned));
    assert_eq!(
        person_by(&text, ASSERTION, &[], &Policy::MESSAGE),
        Err(Refused::NoKey)
    );
    let elsewhere = Wanted::root(Namespace::Samlp, "LogoutResponse");
    assert_eq!(person(&response_signed(), elsewhere), Err(Refused::Element));
}

#[test]
fn attack_12_the_key_of_the_message_is_nobodys() {
    let foreign = sign(response(assertion("evil")), &signer("foreign"))
        .unwrap()
        .write();
    assert_eq!(person(&foreign, RESPONSE), Err(Refused::Signature));
    let (before, _, after) = cut(&foreign, "<ds:KeyInfo>", "</ds:KeyInfo>");
    let elsewhere = format!(
        "{before}<ds:KeyInfo><ds:RetrievalMethod URI=\"https://evil.example/key\"/></ds:KeyInfo>{after}"
    );
    assert_eq!(person(&elsewhere, RESPONSE), Err(Refused::Signature));
    // And what it says of a genuine one does not matter.
    let genuine = response_signed();
    let (before, _, after) = cut(&genuine, "<ds:KeyInfo>", "</ds:KeyInfo>");
    let without = format!("{before}{after}");
    assert_eq!(person(&without, RESPONSE).unwrap(), "lina");
}

fn flaw(text: &str) -> Option<Flaw> {
    match person(text, RESPONSE) {
        Err(Refused::Document(fault)) => Some(fault.flaw),
        _ => None,
    }
}

#[test]
fn attacks_13_to_16_comments_instructions_and_entities_in_signed_text() {
    let genuine = response_signed();
    let comment = genuine.replace(">lina<", ">li<!-- x -->na<");
    assert_eq!(flaw(&comment), Some(Flaw::Comment));
    // Where comments are dropped, the name is still whole.
    let whole = person_by(&comment, RESPONSE, &keys(), &Policy::METADATA);
    assert_eq!(whole.unwrap(), "lina");
    let digest = genuine.replace("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->");
    assert_eq!(flaw(&digest), Some(Flaw::Comment));
    assert_eq!(
        flaw(&genuine.replace(">lina<", ">li<?x y?>na<")),
        Some(Flaw::ProcessingInstruction)
    );
    let cdata = genuine.replace(">lina<", "><![CDATA[li]]>&#110;<![CDATA[a]]><");
    assert_eq!(person(&cdata, RESPONSE).unwrap(), "lina");
    let doctype = format!("<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{genuine}");
    assert_eq!(flaw(&doctype), Some(Flaw::DocumentType));
    assert_eq!(flaw(&genuine.replace(">lina<", ">&e;<")), Some(Flaw::Entity));
    // libxml2 in its lenient mode takes these.
    assert_eq!(flaw(&genuine[..genuine.len() - 8]), Some(Flaw::IllFormed));
    assert_eq!(
        flaw(&genuine.replace(">lina<", ">Tom & lina<")),
        Some(Flaw::IllFormed)
    );
}

#[test]
fn attack_17_identifiers_are_unique_however_they_are_written() {
    let genuine = response_signed();
    for pollution in [
        "ID=\"_response\"",
        "Id=\"_response\"",
        "xml:id=\"_response\"",
        "id=\"_response\"",
    ] {
        let text = genuine.replacen("<samlp:Status>", &format!("<samlp:Status {pollution}>"), 1);
        assert_eq!(person(&text, RESPONSE), Err(Refused::RepeatedId), "{pollution}");
    }
    let two = genuine.replacen(" ID=\"_response\"", " ID=\"_response\" Id=\"_other\"", 1);
    assert_eq!(person(&two, RESPONSE), Err(Refused::RepeatedId));
    let undeclared = genuine.replacen("<samlp:Status>", "<samlp:Status p:ID=\"_response\">", 1);
    assert_eq!(flaw(&undeclared), Some(Flaw::UndeclaredPrefix));
    let relative = genuine.replacen("<samlp:Status>", "<samlp:Status xmlns:p=\"x\">", 1);
    assert_eq!(flaw(&relative), Some(Flaw::NamespaceDeclaration));
    let redefined = genuine.replacen("<samlp:Status>", "<samlp:Status xmlns:samlp=\"urn:evil\">", 1);
    assert!(matches!(person(&redefined, RESPONSE), Err(Refused::Signature)));
}

/// A response with a signature that the trusted key did make, over a `SignedInfo` of the attacker's choice.
fn signed_as(change: impl Fn(&str) -> String) -> String {
    let plain = response(assertion("evil"));
    let honest = sign(plain.clone(), &signer("rsa")).unwrap().write();
    let (_, signature, _) = cut(&honest, SIGNATURE.0, SIGNATURE.1);
    let info = change(cut(signature, "<ds:SignedInfo>", "</ds:SignedInfo>").1);
    let canonical = info.replacen(
        "<ds:SignedInfo>",
        &format!("<ds:SignedInfo xmlns:ds=\"{}\">", Namespace::Ds.uri()),
        1,
    );
    let value = BASE64.encode(&private("rsa").sign(canonical.as_bytes()).unwrap());
    let signature = format!(
        "<ds:Signature xmlns:ds=\"{}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>",
        Namespace::Ds.uri()
    );
    with_signature(&plain.write(), &signature)
}

#[test]
fn attack_18_references_and_transforms_have_one_form_even_where_the_key_is_trusted() {
    assert_eq!(person(&signed_as(str::to_owned), RESPONSE).unwrap(), "evil");
    let uris = [
        "",
        "#",
        "#xpointer(/)",
        "#_assertion",
        "_response",
        "#_response ",
        "https://evil.example/x",
    ];
    for uri in uris {
        let text = signed_as(|info| info.replace("URI=\"#_response\"", &format!("URI=\"{uri}\"")));
        assert_eq!(person(&text, RESPONSE), Err(Refused::Reference), "{uri}");
    }
    let missing = signed_as(|info| info.replace(" URI=\"#_response\"", ""));
    assert_eq!(person(&missing, RESPONSE), Err(Refused::Reference));

    let two = signed_as(|info| {
        let (before, reference, after) = cut(info, "<ds:Reference ", "</ds:Reference>");
        format!("{before}{reference}{reference}{after}")
    });
    assert!(matches!(person(&two, RESPONSE), Err(Refused::Form(_))));
    let none = signed_as(|info| {
        let (before, _, after) = cut(info, "<ds:Reference ", "</ds:Reference>");
        format!("{before}{after}")
    });
    assert!(matches!(person(&none, RESPONSE), Err(Refused::Form(_))));

    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    for transform in [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "urn:unknown",
    ] {
        let text = signed_as(|info| info.replace(enveloped, transform));
        assert!(
            matches!(person(&text, RESPONSE), Err(Refused::Form(_))),
            "{transform}"
        );
        let exclusive = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">";
        let text =
            signed_as(|info| info.replace(exclusive, &format!("<ds:Transform Algorithm=\"{transform}\">")));
        assert_eq!(person(&text, RESPONSE), Err(Refused::Algorithm), "{transform}");
    }
    let three = signed_as(|info| {
        info.replace(
            "</ds:Transforms>",
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>",
        )
    });
    assert!(matches!(person(&three, RESPONSE), Err(Refused::Form(_))));
}

#[test]
fn attack_18_a_second_signed_info_or_signature_is_refused() {
    let genuine = response_signed();
    let (before, info, after) = cut(&genuine, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let forged = format!("{before}{info}{info}{after}");
    assert_eq!(person(&forged, RESPONSE), Err(Refused::Form("Signature")));
    let (before, signature, after) = cut(&genuine, SIGNATURE.0, SIGNATURE.1);
    let twice = format!("{before}{signature}{signature}{after}");
    assert_eq!(
        person(&twice, RESPONSE),
        Err(Refused::Form("more than one signature"))
    );
}

#[test]
fn attack_19_hmac_with_the_public_key_and_digests_of_no_use() {
    let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let genuine = response_signed();
    let (before, info, after) = cut(&genuine, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let info = info.replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", hmac);
    let key = PKey::hmac(sample("rsa.crt").as_bytes()).unwrap();
    let mut mac = openssl::sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
    let value = BASE64.encode(&mac.sign_oneshot_to_vec(info.as_bytes()).unwrap());
    let (head, _, tail) = cut(after, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let forged = format!("{before}{info}{head}<ds:SignatureValue>{value}</ds:SignatureValue>{tail}");
    assert_eq!(person(&forged, RESPONSE), Err(Refused::Algorithm));

    let md5 = signed_as(|info| {
        info.replace(
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2001/04/xmldsig-more#md5",
        )
    });
    assert_eq!(person(&md5, RESPONSE), Err(Refused::Algorithm));
    let sha1 = signed_as(|info| {
        info.replace(
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2000/09/xmldsig#sha1",
        )
    });
    assert_eq!(person(&sha1, RESPONSE), Err(Refused::Algorithm));
    // ECDSA's name over an RSA signature, and a digest cut short.
    let ecdsa = signed_as(|info| info.replace("#rsa-sha256", "#ecdsa-sha256"));
    assert_eq!(person(&ecdsa, RESPONSE), Err(Refused::Signature));
    let short = signed_as(|info| {
        let digest = hash(
            MessageDigest::sha256(),
            response(assertion("evil")).write().as_bytes(),
        )
        .unwrap();
        let (before, _, after) = cut(info, "<ds:DigestValue>", "</ds:DigestValue>");
        let cut_short = BASE64.encode(&digest[..4]);
        format!("{before}<ds:DigestValue>{cut_short}</ds:DigestValue>{after}")
    });
    assert_eq!(person(&short, RESPONSE), Err(Refused::Signature));
}

#[test]
fn attack_30_a_weak_key_is_no_key() {
    use super::KeyError;
    let weak = super::testing::certificate("weak").public_key();
    assert!(matches!(weak, Err(KeyError::Size)));
}

#[test]
fn an_element_that_cannot_be_referred_to_is_not_signed() {
    assert!(sign(Element::new(Namespace::Saml, "Assertion"), &signer("rsa")).is_err());
}
