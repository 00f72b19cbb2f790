"""Identity providers of SAML that we did not write (pysaml2, with xmlsec1), for Marelle to be a service provider of.
tests/interop/upstream starts them. From the environment:

    ISSUER          Marelle's
    SAML_FOLDER     the folder of keys and metadata
    SAML_PORT       where they listen
    SAML_PROVIDERS  one or more `id=how`; the id is the one that Marelle declares it by, and how one of
                        short   names people by short names, in an assertion that is signed and then encrypted
                        oid     names them by OID, in an assertion that is signed and not encrypted
                        forged  as short, and signs with another key than its metadata have
                        des     as short, and encrypts by Triple DES, as pysaml2 does where nobody changes it
                        sha1    as short, and signs with SHA-1, as pysaml2 does where nobody asks for anything else

With the argument `prepare`, it makes keys and the metadata of each, `<id>.xml`, in that folder instead.

Each knows one person, whom one click signs in. Its addresses are below http://127.0.0.1:SAML_PORT/<id>: /sso and /slo, by
HTTP-Redirect; /start, which sends the person to Marelle unasked; /leave, which ends their login everywhere.
"""

import http.server
import logging
import os
import secrets
import shutil
import sys
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.attribute_converter import AttributeConverter
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_BASIC, NAME_FORMAT_URI, NAMEID_FORMAT_TRANSIENT, NameID
from saml2.server import Server
from saml2.sigver import CryptoBackendXmlSec1

from saml_sso_and_logout import PROTECTED_TRANSPORT, RSA_SHA256, SHA256, make_key

AES256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"

# As the academy's directory has her.
LINA = {
    "FrEduCtId": "c0ffee00-1111",
    "FrEduCtPersonAffiliation": "eleve2d",
    "FrEduCtDateNaissance": "2015-04-03",
    "FrEduCtRefId": "{AAF}20||7000101",
    "givenName": "Lina",
    "sn": "LE GOFF",
}
MINISTRY = "urn:oid:1.3.6.1.4.1.20326.10.999.1"
# What has no OID keeps its short name, as with EduConnect.
OIDS = {
    "FrEduCtId": f"{MINISTRY}.57",
    "FrEduCtPersonAffiliation": f"{MINISTRY}.7",
    "FrEduCtDateNaissance": f"{MINISTRY}.67",
    "givenName": "urn:oid:2.5.4.42",
    "sn": "urn:oid:2.5.4.4",
}


def configuration(provider, folder, is_signing, metadata=None):
    base = f"http://127.0.0.1:{os.environ['SAML_PORT']}/{provider['id']}"
    key = "other" if is_signing and provider["how"] == "forged" else "idp"
    return IdPConfig().load(
        {
            "entityid": f"{base}/metadata",
            "key_file": str(folder / f"{key}.key.pem"),
            "cert_file": str(folder / f"{key}.certificate.pem"),
            "xmlsec_binary": shutil.which("xmlsec1"),
            "metadata": {"inline": [metadata]} if metadata else {},
            "service": {
                "idp": {
                    "endpoints": {
                        "single_sign_on_service": [(f"{base}/sso", BINDING_HTTP_REDIRECT)],
                        "single_logout_service": [(f"{base}/slo", BINDING_HTTP_REDIRECT)],
                    },
                    "name_id_format": [NAMEID_FORMAT_TRANSIENT],
                    "want_authn_requests_signed": True,
                    "policy": {
                        "default": {
                            "lifetime": {"minutes": 5},
                            "name_form": NAME_FORMAT_URI if provider["how"] == "oid" else NAME_FORMAT_BASIC,
                        }
                    },
                }
            },
            "signing_algorithm": RSA_SHA256,
            "digest_algorithm": SHA256,
        }
    )


def prepare(folder, providers):
    """What the operator is handed: the metadata of each provider."""
    for name in ("idp", "other"):
        make_key(folder / f"{name}.key.pem", folder / f"{name}.certificate.pem")
    for provider in providers:
        config = configuration(provider, folder, is_signing=False)
        (folder / f"{provider['id']}.xml").write_text(str(entity_descriptor(config)))


class Aes(CryptoBackendXmlSec1):
    """pysaml2 encrypts by Triple DES, and has no setting for anything else."""

    def encrypt_assertion(self, statement, enc_key, template, key_type=None, node_xpath=None, node_id=None):
        template.encryption_method.algorithm = AES256_GCM
        return super().encrypt_assertion(statement, enc_key, template, "aes-256", node_xpath, node_id)


class IdentityProvider:
    """One of them, with its logins."""

    def __init__(self, provider, folder, metadata):
        self.provider = provider
        self.saml = Server(config=configuration(provider, folder, is_signing=True, metadata=metadata))
        if provider["how"] != "des":
            self.saml.sec.crypto.__class__ = Aes
        converters = []
        for name_format, names in ((NAME_FORMAT_BASIC, {name: name for name in LINA}), (NAME_FORMAT_URI, OIDS)):
            converter = AttributeConverter(name_format)
            converter.from_dict({"identifier": name_format, "to": names})
            converters.append(converter)
        self.saml.config.attribute_converters = converters
        self.marelle = next(iter(self.saml.metadata.service_providers()))
        self.logins = {}

    def open_login(self):
        """A login; Marelle is told of it by its NameID, and of each answer by a SessionIndex."""
        cookie = secrets.token_hex(16)
        self.logins[cookie] = NameID(
            format=NAMEID_FORMAT_TRANSIENT, text=secrets.token_hex(16), sp_name_qualifier=self.marelle
        )
        return cookie

    def indexes(self, name_id):
        return [one.session_index for of_one in self.saml.session_db.get_authn_statements(name_id) for one in of_one]

    def read_request(self, query):
        request = self.saml.parse_authn_request(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query["SigAlg"],
            signature=query["Signature"],
        )
        return request.message

    def answer(self, name_id, request, relay_state):
        """The page with the form that leads back to Marelle."""
        how = self.provider["how"]
        consumer = self.saml.metadata.assertion_consumer_service(self.marelle, BINDING_HTTP_POST)[0]["location"]
        response = self.saml.create_authn_response(
            dict(LINA),
            request.id if request else None,
            consumer,
            self.marelle,
            name_id=name_id,
            authn={"class_ref": PROTECTED_TRANSPORT},
            sign_assertion=True,
            sign_response=True,
            encrypt_assertion=how != "oid",
            sign_alg=RSA_SHA1 if how == "sha1" else RSA_SHA256,
            digest_alg=SHA1 if how == "sha1" else SHA256,
        )
        sent = self.saml.apply_binding(BINDING_HTTP_POST, str(response), consumer, relay_state or "", response=True)
        return sent["data"]

    def logout_address(self):
        return self.saml.metadata.single_logout_service(self.marelle, BINDING_HTTP_REDIRECT, "spsso")[0]["location"]

    def send(self, message, location, relay_state, is_response):
        sent = self.saml.apply_binding(
            BINDING_HTTP_REDIRECT, str(message), location, relay_state or "", response=is_response, sign=True, sigalg=RSA_SHA256
        )
        return dict(sent["headers"])["Location"]

    def end_as_asked(self, query):
        """Marelle asks to end a login; answers where the browser goes then."""
        request = self.saml.parse_logout_request(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query["SigAlg"],
            signature=query["Signature"],
        ).message
        name, index = request.name_id.text, request.session_index[0].text
        ended = [cookie for cookie, one in self.logins.items() if one.text == name and index in self.indexes(one)]
        for cookie in ended:
            del self.logins[cookie]
        answer = self.saml.create_logout_response(request, [BINDING_HTTP_REDIRECT])
        return self.send(answer, self.logout_address(), query.get("RelayState"), is_response=True)

    def ask_to_end(self, cookie):
        """The person leaves here: Marelle is asked to end what came of it."""
        name_id = self.logins.pop(cookie)
        location = self.logout_address()
        _, request = self.saml.create_logout_request(
            location, self.marelle, name_id=name_id, session_indexes=self.indexes(name_id), sign=False
        )
        return self.send(request, location, "back", is_response=False)


class Handler(http.server.BaseHTTPRequestHandler):
    providers = {}

    def do_GET(self):
        self.handle_any(is_form=False)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.handle_any(is_form=True)

    def handle_any(self, is_form):
        url = urlsplit(self.path)
        _, name, what = url.path.split("/")
        provider = self.providers[name]
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        cookies = SimpleCookie(self.headers.get("cookie") or "")
        cookie = cookies[f"{name}-session"].value if f"{name}-session" in cookies else None
        if what in ("sso", "start"):
            request = provider.read_request(query) if "SAMLRequest" in query else None
            is_known = cookie in provider.logins and not (request and request.force_authn == "true")
            if not is_known and not is_form:
                # Behind the click the same message comes again.
                self.reply(f'<form method="post" action="{self.path.replace("&", "&amp;")}"><button id="enter">Lina</button></form>')
                return
            if not is_known:
                cookie = provider.open_login()
            page = provider.answer(provider.logins[cookie], request, query.get("RelayState"))
            self.reply(page, cookie=f"{name}-session={cookie}; Path=/; HttpOnly")
        elif what == "slo" and "SAMLRequest" in query:
            self.reply("", location=provider.end_as_asked(query))
        elif what == "slo":
            answer = provider.saml.parse_logout_request_response(query["SAMLResponse"], BINDING_HTTP_REDIRECT)
            told = answer is not None and answer.response.status.status_code.value
            self.reply(f'<p id="left">{told}</p>')
        elif what == "leave":
            self.reply("", location=provider.ask_to_end(cookie))
        else:
            self.reply("alive")

    def reply(self, text, location=None, cookie=None):
        self.send_response(303 if location else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if location:
            self.send_header("Location", location)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        body = text.encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    folder = Path(os.environ["SAML_FOLDER"])
    providers = [dict(zip(("id", "how"), one.split("="))) for one in os.environ["SAML_PROVIDERS"].split()]
    logging.getLogger("saml2").setLevel(logging.CRITICAL)
    if sys.argv[1:] == ["prepare"]:
        prepare(folder, providers)
        return
    metadata = requests.get(f"{os.environ['ISSUER']}/saml/sp/metadata", timeout=20)
    metadata.raise_for_status()
    Handler.providers = {one["id"]: IdentityProvider(one, folder, metadata.text) for one in providers}
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAML_PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
