"""Reads Marelle's SAML metadata with software that we did not write: pysaml2 loads them, the program xmlsec1 verifies them.

From the environment:

    ISSUER    such as http://127.0.0.1:8080

Prints a line for each thing seen and ends with code 0, or says what was wrong and ends with code 1.
"""

import os
import subprocess
import sys
import tempfile
import textwrap

import requests
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.attribute_converter import ac_factory
from saml2.config import SPConfig
from saml2.mdstore import MetadataStore

NODE = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"


def check(condition, words):
    if not condition:
        sys.exit(f"not so: {words}")
    print(f"ok: {words}")


def verified(text, certificate):
    """Whether xmlsec1 finds the signature good, by the key of a certificate and no other."""
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *textwrap.wrap(certificate, 64), "-----END CERTIFICATE-----", ""])
    with tempfile.TemporaryDirectory() as folder:
        document, key = os.path.join(folder, "metadata.xml"), os.path.join(folder, "key.pem")
        for path, content in ((document, text), (key, pem)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        command = ["xmlsec1", "--verify", "--enabled-key-data", "rsa,ec", "--pubkey-cert-pem", key, "--id-attr:ID", NODE, document]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main():
    issuer = os.environ["ISSUER"]
    address = f"{issuer}/saml/metadata"
    answer = requests.get(address, timeout=10)
    check(answer.status_code == 200, "the metadata are served")
    check(answer.headers["Content-Type"] == "application/samlmetadata+xml", "with their media type")
    again = requests.get(address, headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
    check(again.status_code == 304, "and compared by their tag")
    text = answer.text

    store = MetadataStore(ac_factory(), SPConfig())
    store.load("inline", text)
    check(address in store.keys(), "pysaml2 finds our entityID")
    for binding in (BINDING_HTTP_REDIRECT, BINDING_HTTP_POST):
        found = store.single_sign_on_service(address, binding)
        check([one["location"] for one in found] == [f"{issuer}/saml/sso"], f"sign-on by {binding.split(':')[-1]}")
        found = store.single_logout_service(address, binding, "idpsso")
        check([one["location"] for one in found] == [f"{issuer}/saml/slo"], f"logout by {binding.split(':')[-1]}")
    certificates = ["".join(one.split()) for _, one in store.certs(address, "idpsso", use="signing")]
    check(len(certificates) == 4, "the current and next keys, RSA and EC")
    check(verified(text, certificates[0]), "xmlsec1 verifies the signature by the current key")
    check(not verified(text, certificates[2]), "and not by the next one")
    check(not verified(text.replace("/saml/sso", "/saml/oss"), certificates[0]), "nor when something is changed")


main()
