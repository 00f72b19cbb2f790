"""Receives security events (RFC 8935) as a service does, and reads their tokens with a library that we did not write
(joserfc): one child, known twice, becomes one, and two again.

From the environment, as `events` sets it: ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI; RECEIVER_PORT and RECEIVER_TOKEN of
the receiver; MARELLE, the program, which finds the same installation; PASSWORD and PASSWORD_FILE, which both accounts get.
Prints a line for each thing seen and ends with code 0, or says what was wrong.
"""

import http.server
import json
import os
import queue
import subprocess
import sys
import threading
import time

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from oidc_code_flow import TIMEOUT_SECONDS, Forms, Person, Wrong, check, discover

RISC = "https://schemas.openid.net/secevent/risc/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
RESTORED = "urn:marelle:event-type:identifier-restored"
# Marelle looks every five seconds, and again ten seconds after a refusal; this long a slow machine may take.
DELIVERY_SECONDS = 40


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers the first request like a service whose keys are old (RFC 8935 §2.3), and takes what comes after it."""

    arrived: "queue.Queue[tuple[str, dict, str]]" = queue.Queue()
    refused = False

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.arrived.put((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        if Receiver.refused:
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        Receiver.refused = True
        answer = json.dumps({"err": "invalid_key", "description": "unknown key"}).encode()
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def marelle(*arguments):
    """A command of Marelle, its answer in JSON."""
    done = subprocess.run(
        [os.environ["MARELLE"], *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise Wrong(f"marelle {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def subject_of(metadata, username):
    """Signs somebody in and answers what the service is told they are."""
    person = Person(os.environ["REDIRECT_URI"])
    client = OAuth2Session(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        token_endpoint_auth_method="client_secret_basic",
        scope="openid",
        redirect_uri=os.environ["REDIRECT_URI"],
        code_challenge_method="S256",
        default_timeout=TIMEOUT_SECONDS,
    )
    verifier = "v" * 64
    url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    _, page = person.go(url)
    form = Forms(page.text).with_ids("username", "password", "sign-in")
    values = {"username": username, "password": os.environ["PASSWORD"]}
    back, page = person.submit(page, form, "sign-in", values)
    if back is None:
        # A pupil is told once what the service receives.
        form = Forms(page.text).with_ids("go-on")
        if form is None:
            raise Wrong("the password does not open the way to the service")
        back, _ = person.submit(page, form, "go-on", {})
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    answer = requests.get(
        metadata["userinfo_endpoint"],
        headers={"authorization": f"Bearer {token['access_token']}"},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    return answer.json()["sub"]


def next_event(metadata):
    """The claims of the next token, checked as RFC 8417 §4 and RFC 8935 §2.1 ask."""
    path, headers, body = Receiver.arrived.get(timeout=DELIVERY_SECONDS)
    wrong = [
        path != "/events",
        headers.get("content-type") != "application/secevent+jwt",
        headers.get("accept") != "application/json",
        headers.get("authorization") != f"Bearer {os.environ['RECEIVER_TOKEN']}",
    ]
    if any(wrong):
        raise Wrong(f"not sent as RFC 8935 §2.1 has it: {wrong}")
    keys = requests.get(metadata["jwks_uri"], timeout=TIMEOUT_SECONDS).json()
    decoded = jwt.decode(
        body,
        key=KeySet.import_key_set(keys),
        registry=JWSRegistry(
            algorithms=metadata["id_token_signing_alg_values_supported"], strict_check_header=False
        ),
    )
    told = decoded.claims
    wrong = [
        decoded.header.get("typ") != "secevent+jwt",
        told.get("iss") != metadata["issuer"],
        told.get("aud") != os.environ["CLIENT_ID"],
        abs(told.get("iat", 0) - time.time()) > 60,
        not told.get("jti"),
        "sub" in told,
        "exp" in told,
        len(told.get("events", {})) != 1,
    ]
    if any(wrong):
        raise Wrong(f"not a security event token of this issuer for this service: {wrong}")
    return told


def run():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["RECEIVER_PORT"])), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    metadata = discover(os.environ["ISSUER"])
    client_id = os.environ["CLIENT_ID"]

    marelle("client", "events", client_id, "--verify", "--json")
    first, again = next_event(metadata), next_event(metadata)
    check(list(again["events"]) == [f"{SSF}verification"], "an operator's test arrives")
    check(again["sub_id"] == {"format": "opaque", "id": client_id}, "and says for whom")
    check(again["jti"] == first["jti"], "what was refused comes again, under the same name")

    (case,) = marelle("match", "list", "--json")["cases"]
    names = []
    for number, side in enumerate(case["sides"]):
        name = f"lina{number}"
        marelle("user", "username", side["identity"], "--username", name, "--json")
        marelle("user", "password", name, "--password-file", os.environ["PASSWORD_FILE"], "--json")
        names.append(name)
    by_age = [name for _, name in sorted(zip([side["identity"] for side in case["sides"]], names))]
    older, newer = (subject_of(metadata, name) for name in by_age)
    check(older != newer, "the service knows the child twice")

    accepted = marelle("match", "accept", case["case"], "--by", "Maddi", "--json")
    told = next_event(metadata)
    check(told["events"] == {f"{RISC}identifier-changed": {"new-value": older}}, "it is told that they are one")
    sub_id = {"format": "iss_sub", "iss": metadata["issuer"], "sub": newer}
    check(told["sub_id"] == sub_id, "and which of the two is no more")
    check(subject_of(metadata, by_age[0]) == older, "who signs in is the one that stays")

    (merge,) = accepted["merges"]
    marelle("match", "undo", merge, "--by", "Maddi", "--json")
    told = next_event(metadata)
    check(told["events"] == {RESTORED: {"separated-from": older}}, "it is told that it was a mistake")
    check(told["sub_id"] == sub_id, "and who is somebody of their own again")
    check(subject_of(metadata, by_age[1]) == newer, "who signs in again under the name that they had")

    events = marelle("client", "events", client_id, "--json")["events"]
    check([event["status"] for event in events] == ["delivered"] * 3, "the operator sees that everything arrived")


def main():
    try:
        run()
    except queue.Empty:
        sys.exit("FAIL no security event came")
    except (Wrong, AuthlibBaseError, JoseError, ValueError, KeyError, requests.RequestException) as error:
        sys.exit(f"FAIL {type(error).__name__}: {error}")
    print("security events are complete")


if __name__ == "__main__":
    main()
