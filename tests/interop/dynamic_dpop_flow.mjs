// Registers itself, then proves everything by keys (openid-client): dynamic registration behind an initial access token,
// pushed and signed requests, private_key_jwt, tokens bound by DPoP, refresh, introspection, revocation, its own removal.
//
// From the environment: ISSUER, REDIRECT_URI, USERNAME, PASSWORD as oidc_code_flow.py has them, and INITIAL_ACCESS_TOKEN,
// issued under a policy that allows that address, refresh tokens and private_key_jwt.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';

import { follow, settings, signIn } from './person.mjs';

// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;
const client = await import('openid-client');
const jose = await import('jose');

const { ISSUER, REDIRECT_URI, INITIAL_ACCESS_TOKEN, SCOPE } = settings('INITIAL_ACCESS_TOKEN');
const local = ['127.0.0.1', 'localhost'].includes(new URL(ISSUER).hostname);
const execute = [client.enableNonRepudiationChecks, ...(local ? [client.allowInsecureRequests] : [])];

const keys = await jose.generateKeyPair('ES256', { extractable: true });
const jwk = { ...(await jose.exportJWK(keys.publicKey)), use: 'sig', alg: 'ES256', kid: 'first' };
const signer = { key: keys.privateKey, kid: 'first' };

const config = await client.dynamicClientRegistration(
  new URL(ISSUER),
  {
    client_name: 'Service qui s’inscrit',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'ES256',
    jwks: { keys: [jwk] },
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
  },
  client.PrivateKeyJwt(signer),
  { initialAccessToken: INITIAL_ACCESS_TOKEN, execute },
);
const registered = config.clientMetadata();
assert.equal(registered.token_endpoint_auth_method, 'private_key_jwt');
assert.equal(registered.client_secret, undefined, 'a client with keys gets no secret');
console.log('ok   a client registers itself with its keys');

const handle = client.getDPoPHandle(config, await jose.generateKeyPair('ES256'));
const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const wanted = {
  redirect_uri: REDIRECT_URI,
  scope: SCOPE || 'openid profile',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
};

// A request that is not pushed is refused, and the service is told.
const unpushed = await follow(client.buildAuthorizationUrl(config, wanted).href);
assert.equal(unpushed.back?.searchParams.get('error'), 'invalid_request');
console.log('ok   a request that was not pushed is refused');

const start = await client.buildAuthorizationUrlWithPAR(config, wanted, { DPoP: handle });
assert.deepEqual([...start.searchParams.keys()].sort(), ['client_id', 'request_uri']);
const back = await signIn(await follow(start.href));
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP: handle });
assert.equal(tokens.token_type, 'dpop');
const { sub } = tokens.claims();
console.log('ok   a pushed request ends in tokens bound to the key of the client');

const person = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP: handle });
assert.equal(person.sub, sub);
const stolen = await fetch(config.serverMetadata().userinfo_endpoint, {
  headers: { authorization: `Bearer ${tokens.access_token}` },
});
assert.equal(stolen.status, 401, 'a bound token is worth nothing to whoever has not the key');
console.log('ok   userinfo takes the bound token with its proof, and no other way');

const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: handle });
assert.notEqual(fresh.access_token, tokens.access_token);
const seen = await client.tokenIntrospection(config, fresh.access_token);
assert.equal(seen.active, true);
assert.equal(seen.token_type?.toLowerCase(), 'dpop');
assert.ok(seen.cnf?.jkt);
await client.tokenRevocation(config, fresh.refresh_token);
assert.equal((await client.tokenIntrospection(config, fresh.access_token)).active, false);
await assert.rejects(client.refreshTokenGrant(config, fresh.refresh_token, undefined, { DPoP: handle }), {
  error: 'invalid_grant',
});
console.log('ok   refresh, introspection and revocation');

// A signed request (RFC 9101), pushed: `prompt=none`, because the person is signed in by now.
const second = client.randomPKCECodeVerifier();
const parameters = {
  ...wanted,
  prompt: 'none',
  code_challenge: await client.calculatePKCECodeChallenge(second),
};
const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, signer);
const pushed = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP: handle });
const silent = await follow(pushed.href);
assert.ok(silent.back?.searchParams.get('code'), silent.back?.href ?? 'a page came');
await client.authorizationCodeGrant(config, silent.back, { ...checks, pkceCodeVerifier: second }, undefined, {
  DPoP: handle,
});
console.log('ok   a signed request, pushed, is answered without a page');

const removed = await fetch(registered.registration_client_uri, {
  method: 'DELETE',
  headers: { authorization: `Bearer ${registered.registration_access_token}` },
});
assert.equal(removed.status, 204);
// The library looks at the challenge of a 401 before it looks at the error.
await assert.rejects(client.buildAuthorizationUrlWithPAR(config, wanted, { DPoP: handle }), {
  code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
  status: 401,
});
console.log('ok   the client removes itself and is nobody any more');
console.log('openid-client: registration, PAR, JAR, private_key_jwt and DPoP are complete');
