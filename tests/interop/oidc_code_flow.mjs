// Completes the OpenID Connect code flow against Marelle with a second client that we did not write (openid-client).
//
// The same environment as oidc_code_flow.py, which plays the person more thoroughly; here it matters that another
// library, strict where Authlib is lenient, accepts the discovery document, the answers and the tokens.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';

import { follow, settings, signIn } from './person.mjs';

// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;
const client = await import('openid-client');

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SCOPE } = settings('CLIENT_ID', 'CLIENT_SECRET');

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
