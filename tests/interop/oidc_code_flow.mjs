// Completes the OpenID Connect code flow against Marelle with a second client that we did not write (openid-client).
//
// The same environment as oidc_code_flow.py, which plays the person more thoroughly; here it matters that another
// library, strict where Authlib is lenient, accepts the discovery document, the answers and the tokens.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';

// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;
const client = await import('openid-client');

const names = ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'REDIRECT_URI', 'USERNAME', 'PASSWORD'];
const missing = names.filter((name) => !process.env[name]);
if (missing.length > 0) {
  console.error(`not set: ${missing.join(', ')}`);
  process.exit(1);
}
const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, USERNAME, PASSWORD, SCOPE } = process.env;

/** Cookies by name: enough for one server, whose cookies all belong to the whole of it. */
const cookies = new Map();

async function request(url, form) {
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET',
    body: form,
    redirect: 'manual',
    headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
  });
  // Several cookies come as one line; a comma inside a date is followed by no `name=`. Node.js 18 has no getSetCookie.
  const lines = response.headers.get('set-cookie')?.split(/,(?=\s*[^;,=\s]+=)/) ?? [];
  for (const line of lines) {
    const [, name, value] = line.match(/^\s*([^=]+)=([^;]*)/);
    cookies.set(name, value);
  }
  return response;
}

/** Follows redirects until a page, or until the browser is sent back to the service. */
async function follow(url, form) {
  for (let hops = 0; hops < 12; hops += 1) {
    const response = await request(url, form);
    const location = response.headers.get('location');
    if (!location) {
      assert.equal(response.status, 200, `${response.status} at ${new URL(url).pathname}`);
      return { url, page: await response.text() };
    }
    url = new URL(location, url).href;
    form = undefined;
    if (url.startsWith(`${REDIRECT_URI}?`)) return { back: new URL(url) };
  }
  throw new Error('redirects without end');
}

const unescape = (text) =>
  text.replace(/&(amp|lt|gt|quot|#x([0-9a-f]+)|#(\d+));/gi, (_, name, hex, decimal) =>
    hex || decimal
      ? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal))
      : { amp: '&', lt: '<', gt: '>', quot: '"' }[name.toLowerCase()],
  );

/** The value of an attribute in the text of one tag. */
const attribute = (tag, name) => {
  const match = tag.match(new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i'));
  return match && unescape(match[1] ?? match[2] ?? match[3]);
};

async function signIn({ url, page }) {
  const form = page.match(/<form\b[\s\S]*?<\/form>/gi)?.find((text) => /\bid=["']?username\b/.test(text));
  assert.ok(form, 'the page has no password form');
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<(?:input|button)\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    const typed = { username: USERNAME, password: PASSWORD }[attribute(tag, 'id')];
    const sent = attribute(tag, 'type') === 'hidden' || attribute(tag, 'id') === 'sign-in';
    if (name && (typed !== undefined || sent)) fields.set(name, typed ?? attribute(tag, 'value') ?? '');
  }
  const { back } = await follow(new URL(attribute(form, 'action') ?? '', url).href, fields);
  assert.ok(back, 'after the password the browser is not sent back to the service');
  return back;
}

const local = ['127.0.0.1', 'localhost'].includes(new URL(ISSUER).hostname);
const config = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  undefined,
  client.ClientSecretBasic(CLIENT_SECRET),
  {
    execute: [
      // Otherwise it trusts TLS instead of the signature of an ID token.
      client.enableNonRepudiationChecks,
      // Plain HTTP is refused otherwise; on one machine there is nobody to listen.
      ...(local ? [client.allowInsecureRequests] : []),
    ],
  },
);
assert.equal(config.serverMetadata().issuer, ISSUER);

const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const start = client.buildAuthorizationUrl(config, {
  redirect_uri: REDIRECT_URI,
  scope: SCOPE || 'openid profile',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
const back = await signIn(await follow(start.href));

const tokens = await client.authorizationCodeGrant(config, back, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const { sub } = tokens.claims();
assert.ok(sub);

// Fails if it speaks of anybody else.
const person = await client.fetchUserInfo(config, tokens.access_token, sub);
assert.equal(person.sub, sub);

const end = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token });
assert.equal(end.searchParams.get('client_id'), CLIENT_ID);
console.log('openid-client: discovery, code with PKCE, ID token, userinfo: the code flow is complete');
