// Completes the OpenID Connect code flow against Marelle with a second client that we did not write (openid-client).
//
// The same environment as oidc_tokens_and_logout.py. oidc_code_flow.py plays the person more thoroughly; here it matters that another
// library, strict where Authlib is lenient, accepts the discovery document, the answers and the tokens.

import assert from 'node:assert/strict';
import http from 'node:http';
import { webcrypto } from 'node:crypto';

import { follow, leave, settings, signIn } from './person.mjs';

// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;
const client = await import('openid-client');
const jose = await import('jose');

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, BACKCHANNEL_PORT, SCOPE } = settings(
  'CLIENT_ID',
  'CLIENT_SECRET',
  'POST_LOGOUT_REDIRECT_URI',
  'BACKCHANNEL_PORT',
);

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

// Refresh: the rotated token is another one, the person the same.
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(fresh.access_token, tokens.access_token);
assert.notEqual(fresh.refresh_token, tokens.refresh_token);
assert.equal((await client.fetchUserInfo(config, fresh.access_token, sub)).sub, sub);
console.log('ok   a refresh brings other tokens for the same person');

// Logout: the browser leaves by the address of the service, and Marelle tells the service's server.
const told = new Promise((resolve) => {
  const receiver = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end();
    receiver.close();
    resolve({ path: request.url, form: new URLSearchParams(body) });
  });
  receiver.listen(Number(BACKCHANNEL_PORT), '127.0.0.1');
});
const end = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI,
  state,
});
assert.equal(end.searchParams.get('client_id'), CLIENT_ID);
const left = await leave(end.href, POST_LOGOUT_REDIRECT_URI);
assert.equal(left.searchParams.get('state'), state);
console.log('ok   the logout ends at the address of the service');

const { path, form } = await told;
assert.equal(path, '/logout');
assert.deepEqual([...form.keys()], ['logout_token']);
const metadata = config.serverMetadata();
const { payload } = await jose.jwtVerify(
  form.get('logout_token'),
  jose.createRemoteJWKSet(new URL(metadata.jwks_uri)),
  { issuer: ISSUER, audience: CLIENT_ID, typ: 'logout+jwt', maxTokenAge: '1 minute' },
);
assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
assert.equal(payload.sub, sub);
assert.equal(payload.sid, tokens.claims().sid);
assert.equal(payload.nonce, undefined);
console.log('ok   a logout token arrives, and jose verifies it');

await assert.rejects(client.refreshTokenGrant(config, fresh.refresh_token), { error: 'invalid_grant' });
await assert.rejects(client.fetchUserInfo(config, fresh.access_token, sub));
console.log('openid-client: discovery, code with PKCE, ID token, userinfo, refresh, logout and back-channel logout are complete');
