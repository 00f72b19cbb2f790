"""Signs somebody in to services behind CAS clients that we did not write (mod_auth_cas, phpCAS), and out of all of them.

The person is played by plain HTTP: no browser, no JavaScript. tests/interop/cas starts what is needed and sets:

    ISSUER, CA_FILE           Marelle over TLS, and the certificate it shows
    APACHE, APACHE_SAML, PHP  the services: CAS 2.0, SAML 1.1, CAS 3.0
    USERNAME, PASSWORD        of a person who signs in by password

Prints a line for each thing seen and ends with code 0, or says what was wrong and ends with code 1.
"""

import os
import sys
import time

import requests

from oidc_code_flow import Forms, Person, Wrong, check

ISSUER, APACHE, APACHE_SAML, PHP = (os.environ[name] for name in ("ISSUER", "APACHE", "APACHE_SAML", "PHP"))


def wait_for(*addresses):
    for address in addresses:
        for _ in range(100):
            try:
                requests.get(address, timeout=2, allow_redirects=False, verify=os.environ["CA_FILE"])
                break
            except requests.RequestException:
                time.sleep(0.2)
        else:
            raise Wrong(f"nothing answers at {address}")


def at(person, address):
    """Where a browser ends that goes to an address: it says yes to every page that tells what a service will know."""
    _, page = person.go(address)
    while form := Forms(page.text).with_ids("go-on"):
        _, page = person.submit(page, form, "go-on", {})
    return page


def sign_in(person, address):
    page = at(person, address)
    form = Forms(page.text).with_ids("username", "password", "sign-in")
    check(form is not None, "the service sends a stranger to the login page")
    values = {"username": os.environ["USERNAME"], "password": os.environ["PASSWORD"]}
    _, page = person.submit(page, form, "sign-in", values)
    while form := Forms(page.text).with_ids("go-on"):
        _, page = person.submit(page, form, "go-on", {})
    return page


def is_asked_to_sign_in(person, address):
    return Forms(at(person, address).text).with_ids("username", "password") is not None


def run():
    wait_for(f"{ISSUER}/health/live", f"{APACHE}/", f"{APACHE_SAML}/", f"{PHP}/gateway")
    person = Person()
    person.http.verify = os.environ["CA_FILE"]
    # The machine may have authorities of its own in its environment; they know nothing of this certificate.
    person.http.trust_env = False

    page = at(person, f"{PHP}/gateway")
    check(page.json()["user"] is None, "phpCAS: the gateway leads back without a ticket while nobody is signed in")

    page = sign_in(person, f"{APACHE}/secured/?tab=1")
    check(page.text.strip() == "behind the door", "mod_auth_cas: CAS 2.0 leads back behind the door")
    user = page.headers["x-user"]
    check(len(user) == 52, "mod_auth_cas: REMOTE_USER is the subject")
    check(page.url == f"{APACHE}/secured/?tab=1", "mod_auth_cas: the ticket is gone from the address")

    page = at(person, f"{APACHE_SAML}/saml/")
    check(page.text.strip() == "behind the door", "mod_auth_cas: SAML 1.1 does too, without a second login")
    check(page.headers["x-user"] == user, "mod_auth_cas: the subject is the same")
    name = page.headers["x-name"].encode("latin-1").decode()
    check(name == "Camille L'Hôte & Fils", "mod_auth_cas: the attribute displayName is the name")
    check(page.headers["x-school"] == "9990001X", "mod_auth_cas: and the school is there")

    page = at(person, f"{PHP}/?page=1")
    told = page.json()
    check(told["user"] == user, "phpCAS: CAS 3.0, another party of the sector, the same subject")
    attributes = {name: told["attributes"].get(name) for name in ("nom", "prenom", "categories", "etablissement")}
    check(
        attributes == {"nom": "L'Hôte & Fils", "prenom": None, "categories": "National_3", "etablissement": None},
        "phpCAS: the preset's attributes, and of them only what the policy lists",
    )
    check(at(person, f"{PHP}/gateway").json()["user"] == user, "phpCAS: the gateway sees who is signed in")

    page = at(person, f"{ISSUER}/cas/logout")
    check("Pages derrière Apache" in page.text and "Application en PHP" in page.text, "the logout names the services")
    deadline = time.monotonic() + 20
    for name, address in (
        ("mod_auth_cas, CAS 2.0", f"{APACHE}/secured/"),
        ("mod_auth_cas, SAML 1.1", f"{APACHE_SAML}/saml/"),
        ("phpCAS", f"{PHP}/"),
    ):
        while not (gone := is_asked_to_sign_in(person, address)) and time.monotonic() < deadline:
            time.sleep(0.5)
        check(gone, f"{name}: one logout closed it")


def main():
    try:
        run()
    except (Wrong, ValueError, KeyError, requests.RequestException) as error:
        sys.exit(f"FAIL {type(error).__name__}: {error}")
    print("the CAS clients are content")


if __name__ == "__main__":
    main()
