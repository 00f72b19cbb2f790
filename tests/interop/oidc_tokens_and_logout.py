"""Uses what comes after the first exchange of a code, by a client that we did not write (Authlib): refresh with rotation,
introspection, revocation, and the logout that Marelle sends from server to server.

The same environment as oidc_code_flow.py, whose person plays here too; besides

    BACKCHANNEL_PORT  the port of 127.0.0.1 where the client's backchannel_logout_uri, `/logout`, is

and a client that may refresh. Prints a line for each thing seen and ends with code 0, or says what was wrong.
"""

import http.server
import os
import queue
import secrets
import sys
import threading
import time
from urllib.parse import parse_qs

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from oidc_code_flow import (
    TIMEOUT_SECONDS,
    Person,
    Wrong,
    check,
    check_answer,
    discover,
    log_out,
    read_settings,
    sign_in,
    verify_id_token,
)

BACKCHANNEL_EVENT = "http://schemas.openid.net/event/backchannel-logout"
# Marelle sends at once; this long a slow machine may take.
DELIVERY_SECONDS = 20


class Receiver(http.server.BaseHTTPRequestHandler):
    """The back-channel logout address of the client: what arrives goes into a queue."""

    arrived: "queue.Queue[tuple[str, str, dict]]" = queue.Queue()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.arrived.put((self.path, self.headers.get("content-type", ""), parse_qs(body)))
        self.send_response(200)
        self.send_header("cache-control", "no-store")
        self.end_headers()

    def log_message(self, *_):
        pass


def open_session(client, metadata, person, settings, scope):
    """A login, or a silent one where the person is signed in; answers tokens and the claims of the ID Token."""
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier, scope=scope
    )
    back, page = person.go(url)
    if back is None:
        back = sign_in(person, url, settings["USERNAME"], settings["PASSWORD"])
    check("code" in check_answer(back, metadata["issuer"], state), "the answer carries a code")
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    return token, verify_id_token(metadata, token, settings["CLIENT_ID"], nonce)


def refuses(call, *errors):
    """The error of a call that must be refused."""
    try:
        call()
    except AuthlibBaseError as refusal:
        check(refusal.error in errors, f"it is refused: {refusal.error}")
        return
    raise Wrong(f"it should have been refused with one of {errors}")


def check_refresh(client, metadata, token, claims):
    # `iat` counts in seconds: the new ID Token must be of another one.
    time.sleep(1.1)
    fresh = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    check(fresh["access_token"] != token["access_token"], "a refresh brings another access token")
    check(fresh["refresh_token"] != token["refresh_token"], "and another refresh token")
    response = client.get(metadata["userinfo_endpoint"])
    response.raise_for_status()
    check(response.json()["sub"] == claims["sub"], "the new access token leads to the same person")
    narrowed = client.refresh_token(
        metadata["token_endpoint"], refresh_token=fresh["refresh_token"], scope="openid"
    )
    check(narrowed["scope"] == "openid", "a refresh may ask for less")
    return narrowed


def check_introspection(client, metadata, token, claims):
    answer = client.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    check(answer["active"] is True and answer["sub"] == claims["sub"], "introspection: the access token is active")
    check(answer["client_id"] == client.client_id, "and is this client's")
    stranger = client.introspect_token(metadata["introspection_endpoint"], token="mrla_unknown").json()
    check(stranger == {"active": False}, "an unknown token is not active, and nothing more is said")


def check_revocation(client, metadata, token):
    client.revoke_token(metadata["revocation_endpoint"], token=token["access_token"]).raise_for_status()
    answer = client.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    check(answer == {"active": False}, "a revoked access token is not active")
    refused = client.get(metadata["userinfo_endpoint"])
    check(refused.status_code == 401, "and leads to nobody")
    client.revoke_token(metadata["revocation_endpoint"], token=token["refresh_token"]).raise_for_status()
    refuses(
        lambda: client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"]),
        "invalid_grant",
    )


def check_logout_token(metadata, settings, claims):
    path, content_type, form = Receiver.arrived.get(timeout=DELIVERY_SECONDS)
    check(path == "/logout", "the logout arrives at the registered address")
    check(content_type.startswith("application/x-www-form-urlencoded"), "as a form")
    check(set(form) == {"logout_token"} and len(form["logout_token"]) == 1, "with a logout token and nothing else")
    keys = requests.get(metadata["jwks_uri"], timeout=TIMEOUT_SECONDS).json()
    algorithms = metadata["id_token_signing_alg_values_supported"]
    decoded = jwt.decode(
        form["logout_token"][0],
        key=KeySet.import_key_set(keys),
        registry=JWSRegistry(algorithms=algorithms, strict_check_header=False),
    )
    told = decoded.claims
    check(decoded.header["typ"] == "logout+jwt", "its type says what it is")
    check(told["iss"] == metadata["issuer"] and told["aud"] == settings["CLIENT_ID"], "issuer and audience are right")
    check(told["sub"] == claims["sub"] and told["sid"] == claims["sid"], "it names this person and this login")
    check(told["events"] == {BACKCHANNEL_EVENT: {}} and "nonce" not in told, "it is a logout and no login")
    check(abs(told["iat"] - time.time()) < 60 and told["exp"] > told["iat"] and bool(told["jti"]), "it is fresh")


def run(settings, port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    metadata = discover(settings["ISSUER"])
    check(metadata["backchannel_logout_supported"] is True, "back-channel logout is offered")
    person = Person(settings["REDIRECT_URI"], settings["POST_LOGOUT_REDIRECT_URI"])
    client = OAuth2Session(
        settings["CLIENT_ID"],
        settings["CLIENT_SECRET"],
        token_endpoint_auth_method="client_secret_basic",
        redirect_uri=settings["REDIRECT_URI"],
        code_challenge_method="S256",
        default_timeout=TIMEOUT_SECONDS,
    )
    token, claims = open_session(client, metadata, person, settings, settings["SCOPE"])
    token = check_refresh(client, metadata, token, claims)
    check_introspection(client, metadata, token, claims)
    check_revocation(client, metadata, token)

    # The same login again; this time the person leaves.
    token, claims = open_session(client, metadata, person, settings, settings["SCOPE"])
    log_out(person, metadata, token, settings)
    check_logout_token(metadata, settings, claims)
    refuses(
        lambda: client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"]),
        "invalid_grant",
    )
    check(client.get(metadata["userinfo_endpoint"]).status_code == 401, "after the logout its tokens lead to nobody")


def main():
    settings = read_settings(__doc__, "BACKCHANNEL_PORT")
    try:
        run(settings, int(os.environ["BACKCHANNEL_PORT"]))
    except queue.Empty:
        sys.exit("FAIL no logout token came")
    except (Wrong, AuthlibBaseError, JoseError, ValueError, KeyError, requests.RequestException) as error:
        sys.exit(f"FAIL {type(error).__name__}: {error}")
    print("refresh, introspection, revocation and back-channel logout are complete")


if __name__ == "__main__":
    main()
