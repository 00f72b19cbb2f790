"""Has a pupil come to Marelle from identity providers that we did not write, and leave again; a relying party (Authlib) looks
whether she is the same person each time. The person is played by plain HTTP: no browser, no JavaScript.

tests/interop/upstream starts what is needed and sets:

    ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI    Marelle, and the relying party
    CARDS                the cards of Lina's class: the address of its page, and her four pictures
    OPENID_PROVIDERS     providers of upstream_openid.mjs: `ent`, `ent-signed`, and `ent-secret` where our secret is a wrong one
    SAML_PORT            where those of upstream_saml.py listen: `educonnect`, `educonnect-oid`, and, which are not believed,
                         `educonnect-forged`, `educonnect-des`, `educonnect-sha1`

Prints a line for each thing seen, then how many there were; the exit code is 1 where one was not as it should be.
"""

import html
import os
import re
import secrets
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from oidc_code_flow import TIMEOUT_SECONDS, Forms, Person, Wrong

ISSUER, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI = (
    os.environ[name] for name in ("ISSUER", "REDIRECT_URI", "POST_LOGOUT_REDIRECT_URI")
)
SAML = f"http://127.0.0.1:{os.environ['SAML_PORT']}"
OPENID = {
    id: f"http://127.0.0.1:{port}" for id, port in (one.split("=") for one in os.environ["OPENID_PROVIDERS"].split())
}
MOST_PAGES = 12
PATIENCE_SECONDS = 10


class Tally:
    passed = failed = 0


def check(condition, message):
    if not condition:
        raise Wrong(message)
    Tally.passed += 1
    print(f"ok   {message}")


class Traveller(Person):
    """Someone who goes from one provider to the other, and does what each page asks for."""

    def __init__(self):
        super().__init__(REDIRECT_URI, POST_LOGOUT_REDIRECT_URI)
        self.entered = 0  # how often a provider had her sign in
        self.brought = None  # the last answer of a provider of SAML: the address and the fields

    def _follow(self, response):
        """As anybody does, but a refusal is a page as well."""
        for _ in range(MOST_PAGES):
            if not response.is_redirect:
                return None, response
            url = urljoin(response.url, response.headers["location"])
            if any(url.split("?")[0] == service for service in self.services):
                return url, None
            response = self._request("GET", url)
        raise Wrong("redirects without end")

    def travel(self, url):
        return self.onward(self.go(url))

    def onward(self, where):
        """On, until somebody has to choose: the address at a service that she is sent to, or else the page."""
        for _ in range(MOST_PAGES):
            back, page = where
            if back is not None:
                return where
            forms = Forms(page.text)
            carries = [form for form in forms.forms if any(field["name"] == "SAMLResponse" for field in form["fields"])]
            button = next((one for one in ("enter", "leave", "go-on") if forms.with_ids(one)), None)
            if carries:
                data = {field["name"]: field["value"] for field in carries[0]["fields"] if field["name"]}
                self.brought = (carries[0]["action"], data)
                where = self.bring(*self.brought)
            elif button:
                self.entered += button == "enter"
                where = self.submit(page, forms.with_ids(button), button, {})
            else:
                return where
        raise Wrong("pages without end")

    def bring(self, action, data):
        """A form of another site: the browser leaves its cookies at home, and has them when it is sent round."""
        answer = requests.post(action, data=data, allow_redirects=False, timeout=TIMEOUT_SECONDS)
        return self._follow(answer)

    def forget_marelle(self):
        for cookie in [one for one in self.http.cookies if "marelle" in one.name]:
            self.http.cookies.clear(cookie.domain, cookie.path, cookie.name)


class Service:
    """The relying party."""

    def __init__(self):
        answer = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS)
        self.metadata = answer.json()
        self.keys = KeySet.import_key_set(requests.get(self.metadata["jwks_uri"], timeout=TIMEOUT_SECONDS).json())
        self.client = OAuth2Session(
            os.environ["CLIENT_ID"],
            os.environ["CLIENT_SECRET"],
            token_endpoint_auth_method="client_secret_basic",
            scope="openid",
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_SECONDS,
        )

    def ask(self, **more):
        """A request for somebody to sign in: its address, and what their answer is read with."""
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        endpoint = self.metadata["authorization_endpoint"]
        url, state = self.client.create_authorization_url(endpoint, nonce=nonce, code_verifier=verifier, **more)
        return url, (state, nonce, verifier)

    def redeem(self, back, request):
        """The ID Token of somebody who was sent back, as text and as claims."""
        if back is None:
            raise Wrong("she was not sent back to the service")
        state, nonce, verifier = request
        token = self.client.fetch_token(
            self.metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
        )
        claims = jwt.decode(token["id_token"], key=self.keys, algorithms=["RS256", "ES256"]).claims
        if (claims["iss"], claims["nonce"]) != (ISSUER, nonce):
            raise Wrong("the ID Token is of another request")
        return token["id_token"], claims

    def is_signed_in(self, person):
        """Whether somebody is signed in at Marelle in that browser."""
        url, _ = self.ask(prompt="none")
        back, _ = person.go(url)
        answer = parse_qs(urlsplit(back).query)
        if "error" in answer and answer["error"] != ["login_required"]:
            raise Wrong(f"prompt=none was answered {answer['error']}")
        return "code" in answer

    def sign_out(self, person, id_token):
        parameters = {"id_token_hint": id_token, "post_logout_redirect_uri": POST_LOGOUT_REDIRECT_URI, "state": "left"}
        return person.travel(f"{self.metadata['end_session_endpoint']}?{urlencode(parameters)}")


def way(page, provider):
    """The address of a way in that the page offers."""
    found = re.search(rf'href="(/login/with/{provider}(?:\?[^"]*)?)"', page.text)
    if not found:
        raise Wrong(f"the page at {page.url.split('?')[0]} does not offer {provider}")
    return urljoin(page.url, html.unescape(found[1]))


def come(service, person, provider):
    """From the service to the provider that she chooses, and as far as that leads."""
    url, request = service.ask()
    _, page = person.travel(url)
    return person.travel(way(page, provider)), request


def by_pictures(person, page):
    """Signs in on the class page, as before there was any provider; `page` is the login page."""
    cards = Path(os.environ["CARDS"]).read_text()
    card = next(card for card in cards.split('<li class="card">') if "<span>Lina</span>" in card or ">Lina<" in card)
    words = re.findall(r"<span>([^<]*)</span>", card.split("<ol")[1].split("</ol>")[0])
    code = re.search(r'class="card-way">[^<]*<span>([^<]*)</span>', card)[1]
    sealed = parse_qs(urlsplit(page.url).query)["continue"][0]
    _, page = person.go(f"{ISSUER}/class/{code}?{urlencode({'continue': sealed})}")
    pupil = re.search(r'class="pupil" href="([^"]*)">(?:(?!</a>).)*<span>Lina</span>', page.text)[1]
    where = person.go(urljoin(page.url, html.unescape(pupil)))
    for word in words:
        _, page = where
        form = page.text.split('id="pictures"')[1].split("</form>")[0]
        pick = re.search(rf'value="([^"]*)"><img[^>]*><span>{word}</span>', form)[1]
        data = {field["name"]: field["value"] for field in Forms(page.text).forms[-1]["fields"] if field["type"] == "hidden"}
        where = person._follow(person._request("POST", page.url, data=data | {"pick": pick}))
    return person.onward(where)


def nobody_is_let_in(service, person, where, what):
    back, page = where
    check(back is None and page.status_code == 400, f"{what}: a page says that it was not believed")
    check(not service.is_signed_in(person), f"{what}: nobody is signed in")


def by_saml(service, lina):
    person = Traveller()
    (back, _), request = come(service, person, "educonnect")
    id_token, claims = service.redeem(back, request)
    check(claims["sub"] == lina, "SAML: encrypted assertion, short names, FrEduCtRefId: the service knows her")
    check(claims["amr"] == ["fed"] and person.entered == 1, "SAML: she signed in there, once, and nowhere else")
    for browser, what in ((person, "her own browser"), (Traveller(), "another one")):
        browser.forget_marelle()
        where = browser.bring(*person.brought)
        nobody_is_let_in(service, browser, where, f"SAML: the answer once more, by {what}")

    person.forget_marelle()
    (back, _), request = come(service, person, "educonnect")
    id_token, claims = service.redeem(back, request)
    check(claims["sub"] == lina and person.entered == 1, "SAML: while her login there lives, she is not asked again")
    back, page = service.sign_out(person, id_token)
    check(back is not None and "state=left" in back, "SAML: the logout goes by the provider and ends where the service asked")
    check(not service.is_signed_in(person), "SAML: it is over here")
    (back, _), request = come(service, person, "educonnect")
    check(service.redeem(back, request)[1]["sub"] == lina, "SAML: she signs in again")
    check(person.entered == 2, "SAML: and is asked there: the logout had ended her login at the provider")


def by_saml_with_oids(service, lina):
    person = Traveller()
    (back, _), request = come(service, person, "educonnect-oid")
    check(service.redeem(back, request)[1]["sub"] == lina, "SAML: signed assertion, names by OID: the same person")


def by_saml_unasked(service, lina):
    person = Traveller()
    back, page = person.travel(f"{SAML}/educonnect/start")
    check(back is None and page.url == f"{ISSUER}/", "SAML: whoever comes unasked is at home")
    url, request = service.ask()
    back, _ = person.travel(url)
    check(service.redeem(back, request)[1]["sub"] == lina, "SAML: and is the same person for the service")
    stranger = Traveller()
    nobody_is_let_in(service, stranger, stranger.bring(*person.brought), "SAML: an unasked answer once more")
    _, page = person.travel(f"{SAML}/educonnect/leave")
    told = re.search(r'id="left">([^<]*)<', page.text)
    check(told and told[1].endswith(":Success"), "SAML: a logout that begins at the provider is answered there")
    check(not service.is_signed_in(person), "SAML: and ends her login here")


def by_saml_not_as_it_should_be(service, _):
    for provider, what in (
        ("educonnect-forged", "SAML, another key"),
        ("educonnect-des", "SAML, Triple DES"),
        ("educonnect-sha1", "SAML, SHA-1"),
    ):
        person = Traveller()
        where, _ = come(service, person, provider)
        check(person.entered == 1, f"{what}: the provider signs her in")
        nobody_is_let_in(service, person, where, what)


def proved_once(service, lina, provider, what):
    """The first login at an OpenID provider that states no key of the ministry's, and the second."""
    first = Traveller()
    (back, page), request = come(service, first, provider)
    check(back is None and 'id="first-by"' in page.text, f"{what}: whom nothing leads to is asked to sign in as before")
    check(not service.is_signed_in(first), f"{what}: until then nobody is signed in")
    back, _ = by_pictures(first, page)
    check(service.redeem(back, request)[1]["sub"] == lina, f"{what}: after her pictures she is the person that she was")
    person = Traveller()
    (back, _), request = come(service, person, provider)
    id_token, claims = service.redeem(back, request)
    check(claims["sub"] == lina and person.entered == 1, f"{what}: in another browser the link is known")
    check(claims["amr"] == ["fed"], f"{what}: and nothing else was asked")
    return person, id_token


def by_openid(service, lina):
    what = "OpenID Connect"
    person, _ = proved_once(service, lina, "ent", what)
    person.forget_marelle()
    (back, _), request = come(service, person, "ent")
    id_token, claims = service.redeem(back, request)
    check(claims["sub"] == lina and person.entered == 1, f"{what}: while her login there lives, she is not asked again")
    back, _ = service.sign_out(person, id_token)
    check(back is not None and "state=left" in back, f"{what}: the logout goes by the provider, ends where the service asked")
    check(not service.is_signed_in(person), f"{what}: it is over here")
    (back, _), request = come(service, person, "ent")
    check(service.redeem(back, request)[1]["sub"] == lina, f"{what}: she signs in again")
    check(person.entered == 2, f"{what}: and is asked there: the logout had ended her login at the provider")
    _, page = person.travel(f"{OPENID['ent']}/session/end")
    check('id="left"' in page.text, f"{what}: she leaves at the provider")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (there := service.is_signed_in(person)) and time.monotonic() < deadline:
        time.sleep(0.1)
    check(not there, f"{what}: which tells Marelle behind the browser, and her login here is over")


def by_openid_signed(service, lina):
    proved_once(service, lina, "ent-signed", "OpenID Connect, signed userinfo, client_secret_basic")


def on_a_tablet(service, lina):
    """In a browser that has opened a class page, the login at the provider may be another child's."""
    for provider, what in (("educonnect", "SAML"), ("ent", "OpenID Connect")):
        person = Traveller()
        (back, _), request = come(service, person, provider)
        service.redeem(back, request)
        person.forget_marelle()
        url, request = service.ask()
        _, page = person.travel(url)
        by_pictures(person, page)
        session = next(cookie for cookie in person.http.cookies if cookie.name == "marelle")
        person.http.cookies.clear(session.domain, session.path, session.name)
        (back, _), request = come(service, person, provider)
        check(service.redeem(back, request)[1]["sub"] == lina, f"{what}, on a tablet of the class: she comes from the provider")
        check(person.entered == 2, f"{what}, on a tablet of the class: she is asked there, although her login there lives")


def by_openid_with_a_wrong_secret(service, _):
    person = Traveller()
    where, _ = come(service, person, "ent-secret")
    check(person.entered == 1, "OpenID Connect, our secret is a wrong one: the provider signs her in")
    nobody_is_let_in(service, person, where, "OpenID Connect, our secret is a wrong one")


def wait_for_metadata():
    """Until Marelle knows how people are sent to each provider."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    http = requests.Session()
    for provider in OPENID:
        http.get(f"{ISSUER}/login/with/{provider}", allow_redirects=False, timeout=5)  # the cookie
        while http.get(f"{ISSUER}/login/with/{provider}", allow_redirects=False, timeout=5).status_code != 303:
            if time.monotonic() > deadline:
                raise Wrong(f"Marelle knows nothing of {provider}")
            time.sleep(0.1)


def main():
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    wait_for_metadata()
    service = Service()
    person = Traveller()
    url, request = service.ask()
    _, page = person.travel(url)
    lina = service.redeem(by_pictures(person, page)[0], request)[1]["sub"]
    check(bool(lina), "Lina signs in by her pictures, and the service knows her")
    for ways in (
        by_saml,
        by_saml_with_oids,
        by_saml_unasked,
        by_saml_not_as_it_should_be,
        by_openid,
        by_openid_signed,
        on_a_tablet,
        by_openid_with_a_wrong_secret,
    ):
        try:
            ways(service, lina)
        except (Wrong, AuthlibBaseError, JoseError, ValueError, LookupError, TypeError, requests.RequestException) as error:
            Tally.failed += 1
            print(f"FAIL {ways.__name__}: {type(error).__name__}: {error}")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
