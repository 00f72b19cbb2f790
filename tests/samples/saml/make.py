"""Makes the signed and encrypted documents of this folder with programs that we did not write.

    python3 -m venv /somewhere && /somewhere/bin/pip install pysaml2==7.5.5 signxml==5.2.0
    /somewhere/bin/python make.py        # needs xmlsec1 and openssl beside

Keys are made where they are missing and kept otherwise. All people are invented, and the keys are known to everyone.
"""

import base64
import pathlib
import subprocess
import sys
import tempfile

from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner
from signxml.algorithms import CanonicalizationMethod

HERE = pathlib.Path(__file__).parent
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
DIGESTS = {
    "sha1": "http://www.w3.org/2000/09/xmldsig#sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": MORE + "sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, **options)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr.decode()}")
    return done.stdout


def make_keys():
    for name, kind in [
        ("rsa", ["rsa:2048"]),
        ("foreign", ["rsa:2048"]),
        ("weak", ["rsa:1024"]),
        ("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("ec384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ec521", ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ]:
        key, certificate = HERE / f"{name}.key", HERE / f"{name}.crt"
        if not key.exists():
            run("openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "36500", "-sha256",
                "-subj", f"/CN={name}.example", "-keyout", key, "-out", certificate)


def signature(uri, algorithm, digest, prefixes="", method=EXCLUSIVE):
    listed = (f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{prefixes}"/>' if prefixes else "")
    return f"""<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="{method}"/>
    <ds:SignatureMethod Algorithm="{algorithm}"/>
    <ds:Reference URI="#{uri}"><ds:Transforms><ds:Transform
      Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform
      Algorithm="{method}">{listed}</ds:Transform></ds:Transforms>
      <ds:DigestMethod Algorithm="{DIGESTS[digest]}"/><ds:DigestValue/></ds:Reference>
  </ds:SignedInfo>
  <ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"""


# What makes canonical forms differ: a default namespace, prefixes that only values use, one that is declared anew, CDATA,
# references, line ends, attributes out of order and with tabulations.
ASSERTION = """<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="_assertion"
    IssueInstant="2026-11-27T10:00:00Z"><Issuer>https://idp.example/m</Issuer>{signature}
  <Subject><NameID SPNameQualifier="https://sp.example"
     Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">lina&#46;petit</NameID></Subject>
  <AttributeStatement xmlns:xs="http://www.w3.org/2001/XMLSchema">
    <Attribute Name="sn" FriendlyName="a&#9;b&#10;c	d"><AttributeValue
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">Pe<![CDATA[<ti>&]]>t &gt; &#13; é</AttributeValue></Attribute>
    <p:Note xmlns:p="urn:one" p:z="1" a="2" p:a="3"><p:Note xmlns:p="urn:two" xml:lang="fr"/><q xmlns=""/></p:Note>
  </AttributeStatement></Assertion>"""
RESPONSE = """<?xml version="1.0" encoding="UTF-8"?>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
    xmlns:unused="urn:unused" Version="2.0" ID="_response" IssueInstant="2026-11-27T10:00:00Z">\r
  <saml:Issuer>https://idp.example/m</saml:Issuer>{signature}
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
  {assertion}
</samlp:Response>
"""
AGGREGATE = """<?xml version="1.0"?>
<!-- A federation, in small -->
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_aggregate" Name="https://federation.example"
    validUntil="2126-01-01T00:00:00Z">{signature}
  <!-- members -->
  <md:EntityDescriptor entityID="https://one.example"><md:SPSSODescriptor
    protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService index="0"
    Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://one.example/acs"/></md:SPSSODescriptor>
    <md:Organization><md:OrganizationName xml:lang="fr">Un <!-- vraiment -->deux</md:OrganizationName></md:Organization>
  </md:EntityDescriptor>
</md:EntitiesDescriptor>
"""


def xmlsec1(template, node, key, name):
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(template.encode())
        file.flush()
        signed = run("xmlsec1", "--sign", "--privkey-pem", f"{HERE / key}.key,{HERE / key}.crt",
                     *[word for id in node for word in ("--id-attr:ID", id)], file.name)
    (HERE / name).write_bytes(signed)
    return signed.decode()


def by_xmlsec1():
    for key, digest, algorithm in [
        ("rsa", "sha256", MORE + "rsa-sha256"),
        ("rsa", "sha384", MORE + "rsa-sha384"),
        ("rsa", "sha512", MORE + "rsa-sha512"),
        ("rsa", "sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        ("ec", "sha256", MORE + "ecdsa-sha256"),
        ("ec384", "sha384", MORE + "ecdsa-sha384"),
        ("ec521", "sha512", MORE + "ecdsa-sha512"),
    ]:
        document = RESPONSE.format(signature=signature("_response", algorithm, digest),
                                   assertion=ASSERTION.format(signature=""))
        xmlsec1(document, ["Response"], key, f"xmlsec1-response-{key}-{digest}.xml")
    sha256 = MORE + "rsa-sha256"
    inner = ASSERTION.format(signature=signature("_assertion", sha256, "sha256", "xs #default"))
    signed = xmlsec1(RESPONSE.format(signature="", assertion=inner), ["Assertion"], "rsa", "xmlsec1-assertion.xml")
    outer = signature("_response", sha256, "sha256", "xs unused absent")
    issuer = "<saml:Issuer>https://idp.example/m</saml:Issuer>"
    xmlsec1(signed.replace(issuer, issuer + outer, 1), ["Response", "Assertion"], "rsa", "xmlsec1-both.xml")
    xmlsec1(AGGREGATE.format(signature=signature("_aggregate", sha256, "sha256", method=EXCLUSIVE + "WithComments")),
            ["EntitiesDescriptor"], "rsa", "xmlsec1-aggregate.xml")


def encrypted_by_xmlsec1():
    plain = RESPONSE.format(signature="", assertion=(HERE / "xmlsec1-assertion.xml").read_text()
                            .split("</samlp:Status>")[1].split("</samlp:Response>")[0])
    plain = plain.replace("<Assertion ", "<saml:EncryptedAssertion><Assertion ", 1)
    plain = plain.replace("</Assertion>", "</Assertion></saml:EncryptedAssertion>", 1)
    for cipher, uri in [
        ("aes-128", "http://www.w3.org/2009/xmlenc11#aes128-gcm"),
        ("aes-256", "http://www.w3.org/2009/xmlenc11#aes256-gcm"),
        ("aes-128", "http://www.w3.org/2001/04/xmlenc#aes128-cbc"),
        ("aes-256", "http://www.w3.org/2001/04/xmlenc#aes256-cbc"),
    ]:
        for transport in ["rsa-oaep-mgf1p", "rsa-1_5"]:
            if transport == "rsa-1_5" and "aes128-gcm" not in uri:
                continue
            template = f"""<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"
              Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="{uri}"/>
              <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod
              Algorithm="http://www.w3.org/2001/04/xmlenc#{transport}"/><xenc:CipherData><xenc:CipherValue/>
              </xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData>
              </xenc:EncryptedData>"""
            with tempfile.NamedTemporaryFile(suffix=".xml") as document, tempfile.NamedTemporaryFile(suffix=".xml") as how:
                document.write(plain.encode())
                how.write(template.encode())
                document.flush()
                how.flush()
                made = run("xmlsec1", "--encrypt", "--pubkey-cert-pem", HERE / "rsa.crt", "--session-key", cipher,
                           "--xml-data", document.name, "--node-xpath", "//*[local-name()='Assertion']", how.name)
            (HERE / f"xmlsec1-encrypted-{uri.split('#')[1]}-{transport}.xml").write_bytes(made)


def by_signxml():
    for key, method in [("rsa", SignatureMethod.RSA_SHA256), ("ec", SignatureMethod.ECDSA_SHA256)]:
        text = RESPONSE.format(signature='<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>',
                               assertion=ASSERTION.format(signature="")).encode()
        signer = XMLSigner(signature_algorithm=method, digest_algorithm=DigestAlgorithm.SHA256,
                           c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
        signed = signer.sign(etree.fromstring(text), key=(HERE / f"{key}.key").read_bytes(),
                             cert=(HERE / f"{key}.crt").read_text(), reference_uri="_response")
        (HERE / f"signxml-response-{key}.xml").write_bytes(etree.tostring(signed))


def by_pysaml2():
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.client import Saml2Client
    from saml2.config import IdPConfig, SPConfig
    from saml2.metadata import entities_descriptor, entity_descriptor
    from saml2.server import Server
    from saml2.sigver import security_context

    files = {"key_file": str(HERE / "rsa.key"), "cert_file": str(HERE / "rsa.crt"), "xmlsec_binary": "/usr/bin/xmlsec1",
             "signing_algorithm": MORE + "rsa-sha256", "digest_algorithm": DIGESTS["sha256"],
             "encryption_keypairs": [{"key_file": str(HERE / "rsa.key"), "cert_file": str(HERE / "rsa.crt")}]}
    idp_settings = files | {
        "entityid": "https://idp.example/m",
        "service": {"idp": {"endpoints": {"single_sign_on_service": [("https://idp.example/sso", BINDING_HTTP_REDIRECT)]},
                            "policy": {"default": {"lifetime": {"minutes": 15}, "attribute_restrictions": None,
                                                   "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"}}}},
    }
    sp_settings = files | {
        "entityid": "https://sp.example/m",
        "service": {"sp": {"endpoints": {"assertion_consumer_service": [("https://sp.example/acs", BINDING_HTTP_POST)]},
                           "authn_requests_signed": True, "allow_unsolicited": True}},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, settings, config in [("idp", idp_settings, IdPConfig), ("sp", sp_settings, SPConfig)]:
            (pathlib.Path(folder) / f"{name}.xml").write_text(str(entity_descriptor(config().load(dict(settings)))))
        idp_settings["metadata"] = {"local": [f"{folder}/sp.xml"]}
        sp_settings["metadata"] = {"local": [f"{folder}/idp.xml"]}
        server, client = Server(config=IdPConfig().load(idp_settings)), Saml2Client(config=SPConfig().load(sp_settings))

        options = {"sign_alg": MORE + "rsa-sha256", "digest_alg": DIGESTS["sha256"]}
        _, request = client.create_authn_request("https://idp.example/sso", sign=True, **options)
        (HERE / "pysaml2-authn-request.xml").write_text(str(request))
        _, request = client.create_authn_request("https://idp.example/sso", sign=False)
        sent = client.apply_binding(BINDING_HTTP_REDIRECT, str(request), "https://idp.example/sso",
                                    relay_state="/cours?a=1&b=é à", sign=True, sigalg=MORE + "rsa-sha256")
        query = dict(sent["headers"])["Location"].split("?", 1)[1]
        (HERE / "pysaml2-redirect.txt").write_text(query)

        person = {"sn": ["Petit"], "givenName": ["Lina & <Léo>"]}
        for name, sign in [("response", (True, False)), ("assertion", (False, True)), ("both", (True, True))]:
            response = server.create_authn_response(
                person, "_request", "https://sp.example/acs", "https://sp.example/m", userid="lina",
                sign_response=sign[0], sign_assertion=sign[1], **options)
            (HERE / f"pysaml2-{name}.xml").write_text(str(response))

        described, signed = entities_descriptor([entity_descriptor(IdPConfig().load(dict(idp_settings)))], 24 * 36500,
                                                "https://federation.example", None, True, security_context(server.config))
        (HERE / "pysaml2-aggregate.xml").write_text(signed)


make_keys()
by_xmlsec1()
encrypted_by_xmlsec1()
by_signxml()
by_pysaml2()
