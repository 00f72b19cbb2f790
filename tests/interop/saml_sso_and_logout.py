"""Signs a person in and out by SAML, by a service provider that we did not write (pysaml2, which has xmlsec1 verify and
decrypt).

The same person as oidc_code_flow.py; besides, from the environment

    SAML_FOLDER   a folder with key.pem and certificate.pem, to sign with and to be encrypted for
    SAML_PARTIES  the declared parties and how each wants its answers, `id=how`: `both`, `response`, `assertion`, `encrypted`.
                  The entityID of one is http://127.0.0.1:9/<id>, its assertion consumer that with /acs, its logout with /slo

With the argument `prepare`, it makes key, certificate and the metadata of each party, `<id>.xml`, in that folder instead.

Everything about Marelle is learnt from its metadata. Prints a line for each thing seen and ends with code 0, or says what
was wrong. Messages are not printed.
"""

import base64
import datetime
import logging
import os
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.metadata import entity_descriptor
from saml2.response import StatusError, StatusNoPassive
from saml2.s_utils import SamlException
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT, AuthnContextClassRef
from saml2.samlp import RequestedAuthnContext
from saml2.sigver import SignatureError

from oidc_code_flow import TIMEOUT_SECONDS, Forms, Person, Wrong, check

PROTECTED_TRANSPORT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
HOST = "http://127.0.0.1:9"


def configuration(party, folder, metadata=None):
    """A service provider as an integrator sets pysaml2 up."""
    how = party["how"]
    base = f"{HOST}/{party['id']}"
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    config = SPConfig()
    config.load(
        {
            "entityid": base,
            "key_file": key,
            "cert_file": certificate,
            "encryption_keypairs": [{"key_file": key, "cert_file": certificate}],
            "xmlsec_binary": shutil.which("xmlsec1"),
            "metadata": {"inline": [metadata]} if metadata else {},
            "allow_unknown_attributes": True,
            "service": {
                "sp": {
                    "endpoints": {
                        "assertion_consumer_service": [(f"{base}/acs", BINDING_HTTP_POST)],
                        "single_logout_service": [
                            (f"{base}/slo", BINDING_HTTP_REDIRECT),
                            (f"{base}/slo", BINDING_HTTP_POST),
                        ],
                    },
                    "authn_requests_signed": True,
                    "logout_requests_signed": True,
                    "want_response_signed": how in ("both", "response", "encrypted"),
                    "want_assertions_signed": how in ("both", "assertion", "encrypted"),
                    "allow_unsolicited": True,
                    "name_id_policy_format": NAMEID_FORMAT_TRANSIENT,
                }
            },
            "signing_algorithm": RSA_SHA256,
            "digest_algorithm": SHA256,
        }
    )
    return config


def make_key(key_file, certificate_file):
    """A key, and a certificate of its own that is good for two days."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ent.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain))
    certificate_file.write_bytes(certificate.public_bytes(pem))


def prepare(folder, parties):
    """What the operator is handed: the metadata of each party."""
    make_key(folder / "key.pem", folder / "certificate.pem")
    for party in parties:
        (folder / f"{party['id']}.xml").write_text(str(entity_descriptor(configuration(party, folder))))


class Posted:
    """A page that posts a message on, as a browser with scripts would."""

    def __init__(self, page):
        form = next((form for form in Forms(page.text).forms if form["action"].startswith(HOST)), None)
        if form is None:
            raise Wrong(f"no form leads to the service: {page.url.split('?')[0]}")
        self.action = form["action"]
        self.fields = {field["name"]: field["value"] for field in form["fields"] if field["name"]}


def arrive(person, url, credentials):
    """From an address of Marelle's to the form that leads back, through the login page and the page that tells or asks."""
    _, page = person.go(url)
    form = Forms(page.text).with_ids("username", "password", "sign-in")
    if form:
        username, password = credentials
        _, page = person.submit(page, form, "sign-in", {"username": username, "password": password})
    return Posted(page)


def sign_on(client, person, credentials, binding, name_id_format, relay_state):
    request_id, info = client.prepare_for_authenticate(
        relay_state=relay_state,
        binding=binding,
        response_binding=BINDING_HTTP_POST,
        sign=True,
        sigalg=RSA_SHA256,
        digest_alg=SHA256,
        nameid_format=name_id_format,
        requested_authn_context=RequestedAuthnContext(
            authn_context_class_ref=AuthnContextClassRef(PROTECTED_TRANSPORT), comparison="exact"
        ),
    )
    if binding == BINDING_HTTP_REDIRECT:
        posted = arrive(person, dict(info["headers"])["Location"], credentials)
    else:
        form = Forms(info["data"]).forms[0]
        data = {field["name"]: field["value"] for field in form["fields"] if field["name"]}
        # A browser leaves its cookie at home with a form of another site.
        round_trip = requests.post(form["action"], data=data, allow_redirects=False, timeout=TIMEOUT_SECONDS)
        check(round_trip.is_redirect, "a form of another site is sent round")
        posted = arrive(person, urljoin(form["action"], round_trip.headers["location"]), credentials)
    check(posted.fields.get("RelayState") == relay_state, "RelayState comes back byte for byte")
    message = posted.fields["SAMLResponse"]
    response = client.parse_authn_request_response(message, BINDING_HTTP_POST, outstanding={request_id: "/"})
    check(response is not None, "pysaml2 and xmlsec1 accept the response")
    response.was_encrypted = b"EncryptedAssertion" in base64.b64decode(message)
    return response


def check_sign_on(party, client, person, credentials):
    response = sign_on(client, person, credentials, BINDING_HTTP_REDIRECT, NAMEID_FORMAT_TRANSIENT, "é & <état>")
    check(response.was_encrypted == (party["how"] == "encrypted"), "its assertion is encrypted, or not, as declared")
    classes = [entry[0] for entry in response.authn_info()]
    check(classes == [PROTECTED_TRANSPORT], "the login is called what was asked")
    check("givenName" in response.ava, f"it carries attributes: {', '.join(sorted(response.ava))}")
    check(response.session_info()["session_index"] != "", "and SessionIndex")
    first = sign_on(client, person, credentials, BINDING_HTTP_POST, NAMEID_FORMAT_PERSISTENT, "x").name_id.text
    again = sign_on(client, person, credentials, BINDING_HTTP_REDIRECT, NAMEID_FORMAT_PERSISTENT, "y").name_id.text
    check(first == again, "the persistent name is the same each time")


def check_unsolicited(client, person, issuer, credentials):
    query = urlencode({"sp": client.config.entityid, "target": "/cours?a=1&b"})
    posted = arrive(person, f"{issuer}/saml/sso/init?{query}", credentials)
    response = client.parse_authn_request_response(posted.fields["SAMLResponse"], BINDING_HTTP_POST, outstanding={})
    check(response is not None and response.in_response_to is None, "people may be sent without a request")
    check(posted.fields["RelayState"] == "/cours?a=1&b", "to where they were sent")


def check_refusal(client, person):
    request_id, info = client.prepare_for_authenticate(
        binding=BINDING_HTTP_REDIRECT, response_binding=BINDING_HTTP_POST, sign=True, sigalg=RSA_SHA256, is_passive="true"
    )
    _, page = person.go(dict(info["headers"])["Location"])
    try:
        client.parse_authn_request_response(
            Posted(page).fields["SAMLResponse"], BINDING_HTTP_POST, outstanding={request_id: "/"}
        )
    except StatusError as refusal:
        told = str(refusal).splitlines()[-1]
        check(isinstance(refusal, StatusNoPassive), f"a passive request of nobody is answered, signed: {told}")
        return
    raise Wrong("a passive request of nobody was granted")


def location_of(client, binding):
    entity = client.metadata.identity_providers()[0]
    services = client.metadata.single_logout_service(entity, binding, "idpsso")
    return entity, services[0]["location"]


def ask_to_log_out(client, response, binding, person):
    """The service asks; answers the message that comes back, and the page in between where there is one."""
    entity, location = location_of(client, binding)
    request_id, request = client.create_logout_request(
        location,
        entity,
        name_id=response.name_id,
        session_indexes=[response.session_info()["session_index"]],
        sign=binding == BINDING_HTTP_POST,
        sign_alg=RSA_SHA256,
        digest_alg=SHA256,
    )
    info = client.apply_binding(binding, str(request), location, "back", sign=True, sigalg=RSA_SHA256)
    if binding == BINDING_HTTP_REDIRECT:
        return request_id, person.go(dict(info["headers"])["Location"])
    form = Forms(info["data"]).forms[0]
    data = {field["name"]: field["value"] for field in form["fields"] if field["name"]}
    round_trip = requests.post(form["action"], data=data, allow_redirects=False, timeout=TIMEOUT_SECONDS)
    return request_id, person.go(urljoin(form["action"], round_trip.headers["location"]))


def frames(page):
    """The addresses of the frames in which others are asked."""
    for part in page.text.split('<iframe id="asked-')[1:]:
        yield urljoin(page.url, part.split('src="')[1].split('"')[0].replace("&#38;", "&"))


def participate(client, person, frame):
    """A frame: the participant is asked by Marelle, believes it, and answers."""
    url, _ = person.go(frame)
    message = parse_qs(urlsplit(url).query)
    request = client.parse_logout_request(
        message["SAMLRequest"][0],
        BINDING_HTTP_REDIRECT,
        sigalg=message["SigAlg"][0],
        signature=message["Signature"][0],
    )
    check(request is not None and request.message.session_index != [], "a participant reads the request of Marelle's")
    entity, location = location_of(client, BINDING_HTTP_REDIRECT)
    answer = client.create_logout_response(request.message, [BINDING_HTTP_REDIRECT])
    info = client.apply_binding(BINDING_HTTP_REDIRECT, str(answer), location, "", response=True, sign=True, sigalg=RSA_SHA256)
    verdict = requests.get(dict(info["headers"])["Location"], timeout=TIMEOUT_SECONDS)
    check('data-verdict="over"' in verdict.text, "and its answer is shown")


def check_logout(one, other, person, credentials):
    """Two services, one login: one asks, the other is asked."""
    sign_on(other, person, credentials, BINDING_HTTP_REDIRECT, NAMEID_FORMAT_TRANSIENT, "x")
    response = sign_on(one, person, credentials, BINDING_HTTP_REDIRECT, NAMEID_FORMAT_TRANSIENT, "x")
    request_id, (back, page) = ask_to_log_out(one, response, BINDING_HTTP_REDIRECT, person)
    check(back is None, "a page tells the others")
    for frame in frames(page):
        participate(other, person, frame)
    finish = page.text.split('href="/saml/slo/finish')[1].split('"')[0].replace("&#38;", "&")
    back, _ = person.go(urljoin(page.url, "/saml/slo/finish" + finish))
    message = parse_qs(urlsplit(back).query)
    answer = one.parse_logout_request_response(message["SAMLResponse"][0], BINDING_HTTP_REDIRECT)
    check(answer is not None and answer.in_response_to == request_id, "and the one that asked reads that all is over")
    check(message["RelayState"] == ["back"], "with its RelayState")
    response = sign_on(one, person, credentials, BINDING_HTTP_POST, NAMEID_FORMAT_PERSISTENT, "x")
    request_id, (back, page) = ask_to_log_out(one, response, BINDING_HTTP_POST, person)
    posted = Posted(page)
    answer = one.parse_logout_request_response(posted.fields["SAMLResponse"], BINDING_HTTP_POST)
    check(answer.in_response_to == request_id, "by form as well")
    check_refusal(one, person)


def run(folder, parties):
    issuer, credentials = os.environ["ISSUER"], (os.environ["USERNAME"], os.environ["PASSWORD"])
    metadata = requests.get(f"{issuer}/saml/metadata", timeout=TIMEOUT_SECONDS)
    metadata.raise_for_status()
    person = Person(*(f"{HOST}/{party['id']}/slo" for party in parties))
    clients = [Saml2Client(configuration(party, folder, metadata.text)) for party in parties]
    check_refusal(clients[0], person)
    for party, client in zip(parties, clients):
        print(f"     {party['id']}: {party['how']}")
        check_sign_on(party, client, person, credentials)
    check_unsolicited(clients[0], person, issuer, credentials)
    check_logout(clients[0], clients[1], Person(*person.services), credentials)


def main():
    names = ["SAML_FOLDER", "SAML_PARTIES"]
    if sys.argv[1:] != ["prepare"]:
        names += ["ISSUER", "USERNAME", "PASSWORD"]
    if any(not os.environ.get(name) for name in names):
        sys.exit(f"not set: {', '.join(names)}\n\n{__doc__}")
    folder = Path(os.environ["SAML_FOLDER"])
    parties = [dict(zip(("id", "how"), one.split("="))) for one in os.environ["SAML_PARTIES"].split()]
    logging.getLogger("saml2").setLevel(logging.CRITICAL)
    if sys.argv[1:] == ["prepare"]:
        prepare(folder, parties)
        return
    try:
        run(folder, parties)
    except (
        Wrong,
        SamlException,
        StatusError,
        SignatureError,
        ValueError,
        KeyError,
        IndexError,
        requests.RequestException,
    ) as error:
        sys.exit(f"FAIL {type(error).__name__}: {error}")
    print("single sign-on and single logout are complete")


if __name__ == "__main__":
    main()
