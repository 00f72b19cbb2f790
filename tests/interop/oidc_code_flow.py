"""Completes the OpenID Connect code flow against Marelle with a client that we did not write (Authlib).

Everything but the client's own registration is learnt from the discovery document. The person is played by plain HTTP:
no browser, no JavaScript. From the environment:

    ISSUER                    such as http://127.0.0.1:8080
    CLIENT_ID, CLIENT_SECRET  of a confidential client that authenticates by client_secret_basic
    REDIRECT_URI              registered for it; nothing needs to listen there
    USERNAME, PASSWORD        of a person who signs in by password and may use that client
    SCOPE                     optional, `openid profile` if not given
    POST_LOGOUT_REDIRECT_URI  optional: registered for it; the logout must then end there

Prints a line for each thing seen and ends with code 0, or says what was wrong and ends with code 1. Tokens, codes and
passwords are not printed.
"""

import os
import secrets
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc import discovery, rpinitiated
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

TIMEOUT_SECONDS = 20
MOST_REDIRECTS = 12


class Wrong(Exception):
    """Something that Marelle did is not what a client may rely on."""


def check(condition, message):
    if not condition:
        raise Wrong(message)
    print(f"ok   {message}")


class Forms(HTMLParser):
    """The forms of a page: where each goes, and its fields by id and by name."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attribute = dict(attributes)
        if tag == "form":
            self._inside = True
            self.forms.append(
                {"action": attribute.get("action", ""), "method": attribute.get("method", "get").lower(), "fields": []}
            )
        elif tag in ("input", "button") and self._inside:
            self.forms[-1]["fields"].append(
                {
                    "id": attribute.get("id"),
                    "name": attribute.get("name"),
                    "type": attribute.get("type", "submit" if tag == "button" else "text"),
                    "value": attribute.get("value") or "",
                }
            )

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False

    def with_ids(self, *ids):
        for form in self.forms:
            if set(ids) <= {field["id"] for field in form["fields"]}:
                return form
        return None


class Person:
    """Someone at a browser: keeps cookies, follows redirects, fills in forms; stops where a service would take over."""

    def __init__(self, *service_addresses):
        self.http = requests.Session()
        self.services = [address for address in service_addresses if address]

    def go(self, url):
        return self._follow(self._request("GET", url))

    def submit(self, page, form, button, values):
        """Sends a form as a click on the button with that id would: hidden fields and the button included."""
        data = {}
        for field in form["fields"]:
            if not field["name"]:
                continue
            if field["id"] in values:
                data[field["name"]] = values[field["id"]]
            elif field["type"] == "hidden" or field["id"] == button:
                data[field["name"]] = field["value"]
        url = urljoin(page.url, form["action"])
        how = {"data": data} if form["method"] == "post" else {"params": data}
        return self._follow(self._request(form["method"].upper(), url, **how))

    def _request(self, method, url, **more):
        return self.http.request(method, url, allow_redirects=False, timeout=TIMEOUT_SECONDS, **more)

    def _follow(self, response):
        """The address at a service that the browser is sent to, or else the page that it ends on."""
        for _ in range(MOST_REDIRECTS):
            if not response.is_redirect:
                if response.status_code != 200:
                    raise Wrong(f"{response.status_code} at {response.url.split('?')[0]}")
                return None, response
            url = urljoin(response.url, response.headers["location"])
            if any(url.split("?")[0] == service for service in self.services):
                return url, None
            response = self._request("GET", url)
        raise Wrong("redirects without end")


def discover(issuer):
    response = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    check(response.headers["content-type"].startswith("application/json"), "discovery document is JSON")
    document = response.json()
    metadata = discovery.OpenIDProviderMetadata(document)
    metadata.validate(metadata_classes=[rpinitiated.OpenIDProviderMetadata])
    check(metadata["issuer"] == issuer, "discovery document is valid and names this issuer")
    check("S256" in metadata["code_challenge_methods_supported"], "PKCE by S256 is offered")
    check(
        "client_secret_basic" in metadata["token_endpoint_auth_methods_supported"], "client_secret_basic is offered"
    )
    return metadata


def sign_in(person, authorization_url, username, password):
    """From the authorization request to the redirect back to the service."""
    back, page = person.go(authorization_url)
    check(back is None, "a stranger is shown a page")
    form = Forms(page.text).with_ids("username", "password", "sign-in")
    check(form is not None, "the page has the password form, by the ids that are an interface")
    check(form["method"] == "post", "the form is sent by POST")
    back, _ = person.submit(page, form, "sign-in", {"username": username, "password": password})
    check(back is not None, "after the password the browser is sent back to the service")
    return back


def check_answer(url, issuer, state):
    """The parameters of an authorization response, each given once."""
    answer = {name: values for name, values in parse_qs(urlsplit(url).query).items()}
    check(all(len(values) == 1 for values in answer.values()), "the answer repeats no parameter")
    answer = {name: values[0] for name, values in answer.items()}
    check(answer.get("state") == state, "the answer carries the state")
    check(answer.get("iss") == issuer, "the answer carries the issuer (RFC 9207)")
    return answer


def verify_id_token(metadata, token, client_id, nonce):
    keys = requests.get(metadata["jwks_uri"], timeout=TIMEOUT_SECONDS).json()
    check(all("d" not in key for key in keys["keys"]), "the key set is public")
    algorithms = metadata["id_token_signing_alg_values_supported"]
    check("none" not in algorithms, "unsigned ID tokens are not offered")
    decoded = jwt.decode(
        token["id_token"],
        key=KeySet.import_key_set(keys),
        registry=JWSRegistry(algorithms=algorithms, strict_check_header=False),
    )
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": client_id},
            "nonce": {"essential": True, "value": nonce},
        },
        {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate(leeway=0)
    check(bool(claims["sub"]), "ID token: signature, issuer, audience, nonce, expiry and hash of the access token")
    return claims


def log_out(person, metadata, token, settings):
    state = secrets.token_urlsafe(16)
    wanted = settings["POST_LOGOUT_REDIRECT_URI"]
    parameters = {"id_token_hint": token["id_token"]}
    if wanted:
        parameters |= {"post_logout_redirect_uri": wanted, "state": state}
    request = requests.Request("GET", metadata["end_session_endpoint"], params=parameters).prepare()
    back, page = person.go(request.url)
    form = page is not None and Forms(page.text).with_ids("sign-out")
    if form:
        back, page = person.submit(page, form, "sign-out", {})
    if wanted:
        check(back is not None and back.split("?")[0] == wanted, "the logout ends where the service asked")
        check(parse_qs(urlsplit(back).query).get("state") == [state], "and carries its state")
    else:
        check(page is not None, "the logout ends on a page")


def run(settings):
    issuer, client_id, redirect_uri = settings["ISSUER"], settings["CLIENT_ID"], settings["REDIRECT_URI"]
    metadata = discover(issuer)
    person = Person(redirect_uri, settings["POST_LOGOUT_REDIRECT_URI"])
    client = OAuth2Session(
        client_id,
        settings["CLIENT_SECRET"],
        token_endpoint_auth_method="client_secret_basic",
        scope=settings["SCOPE"],
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        default_timeout=TIMEOUT_SECONDS,
    )
    endpoint = metadata["authorization_endpoint"]
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    url, state = client.create_authorization_url(endpoint, nonce=nonce, code_verifier=verifier)

    back = sign_in(person, url, settings["USERNAME"], settings["PASSWORD"])
    answer = check_answer(back, issuer, state)
    check("code" in answer and "error" not in answer, "the answer carries a code")

    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    check(token["token_type"].lower() == "bearer", "the code is exchanged for a bearer token")
    claims = verify_id_token(metadata, token, client_id, nonce)

    response = client.get(metadata["userinfo_endpoint"])
    response.raise_for_status()
    check(response.json()["sub"] == claims["sub"], "userinfo speaks of the same person")
    stranger = requests.get(metadata["userinfo_endpoint"], timeout=TIMEOUT_SECONDS)
    check(stranger.status_code == 401, "userinfo is refused without a token")

    # With the session alive no page is needed, and the person keeps the subject; without it there is no silent way.
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    url, state = client.create_authorization_url(endpoint, nonce=nonce, code_verifier=verifier, prompt="none")
    back, _ = person.go(url)
    check(back is not None, "prompt=none is answered to the service")
    check("code" in check_answer(back, issuer, state), "and brings a code while the session lives")
    second = client.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    check(verify_id_token(metadata, second, client_id, nonce)["sub"] == claims["sub"], "the subject is the same")

    try:
        client.fetch_token(
            metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
        )
        raise Wrong("a code was exchanged twice")
    except AuthlibBaseError as refusal:
        check(refusal.error == "invalid_grant", "a code is exchanged once")

    log_out(person, metadata, token, settings)
    url, state = client.create_authorization_url(
        endpoint, nonce=secrets.token_urlsafe(24), code_verifier=verifier, prompt="none"
    )
    back, _ = person.go(url)
    check(back is not None, "prompt=none is answered to the service after the logout too")
    check(check_answer(back, issuer, state).get("error") == "login_required", "and says that nobody is signed in")


def read_settings(doc, *more):
    """The settings of the environment; ends the program where one is missing."""
    names = ["ISSUER", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI", "USERNAME", "PASSWORD"]
    missing = [name for name in [*names, *more] if not os.environ.get(name)]
    if missing:
        sys.exit(f"not set: {', '.join(missing)}\n\n{doc}")
    settings = {name: os.environ[name] for name in names}
    settings["SCOPE"] = os.environ.get("SCOPE") or "openid profile"
    settings["POST_LOGOUT_REDIRECT_URI"] = os.environ.get("POST_LOGOUT_REDIRECT_URI")
    # Authlib refuses plain HTTP unless told; on one machine there is nobody to listen.
    if urlsplit(settings["ISSUER"]).hostname in ("127.0.0.1", "localhost"):
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    return settings


def main():
    settings = read_settings(__doc__)
    try:
        run(settings)
    except (Wrong, AuthlibBaseError, JoseError, ValueError, KeyError, requests.RequestException) as error:
        sys.exit(f"FAIL {type(error).__name__}: {error}")
    print("the code flow is complete")


if __name__ == "__main__":
    main()
