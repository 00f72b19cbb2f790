// OpenID providers that we did not write (oidc-provider), for Marelle to be a client of. tests/interop/upstream starts them.
//
//     ISSUER            Marelle's
//     OPENID_PROVIDERS  one or more `id=port`; the id is the one that Marelle declares it by. One whose id ends in `-signed`
//                       signs its userinfo, and has Marelle authenticate by client_secret_basic
//     OPENID_SECRET     Marelle's secret at each of them
//
// Each knows one person, whom one click signs in. GET /alive answers when it is there.

import http from 'node:http';
import { webcrypto } from 'node:crypto';

// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;
const { Provider } = await import('oidc-provider');

const { ISSUER, OPENID_PROVIDERS, OPENID_SECRET } = process.env;

/** As the academy's directory has her, by names and birth date; no key of the ministry's. */
const LINA = { given_name: 'Lina', family_name: 'Le Goff', birthdate: '2015-04-03' };

const page = (text) => `<!doctype html><meta charset="utf-8"><title>Provider</title>${text}`;

function provider(id, issuer) {
  const isSigned = id.endsWith('-signed');
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'marelle',
        client_secret: OPENID_SECRET,
        redirect_uris: [`${ISSUER}/login/callback/${id}`],
        post_logout_redirect_uris: [`${ISSUER}/sign-out`],
        backchannel_logout_uri: `${ISSUER}/login/callback/${id}/logout`,
        backchannel_logout_session_required: true,
        token_endpoint_auth_method: isSigned ? 'client_secret_basic' : 'client_secret_post',
        ...(isSigned && { userinfo_signed_response_alg: 'RS256' }),
      },
    ],
    claims: { openid: ['sub'], profile: Object.keys(LINA) },
    pkce: { required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...LINA }) }),
    // Nobody is asked what Marelle may know: what matters here is who they are.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
    interactions: { url: (_, interaction) => `/enter/${interaction.uid}` },
    // On one machine cookies of every port are one jar.
    cookies: {
      keys: [OPENID_SECRET],
      names: { session: `${id}-session`, interaction: `${id}-interaction`, resume: `${id}-resume` },
    },
    features: {
      devInteractions: { enabled: false },
      jwtUserinfo: { enabled: isSigned },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        logoutSource: (ctx, form) => {
          ctx.body = page(form.replace('</form>', '<button id="leave" name="logout" value="yes">Leave</button></form>'));
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = page('<p id="left">Nobody is signed in.</p>');
        },
      },
    },
  });
}

for (const entry of OPENID_PROVIDERS.split(' ')) {
  const [id, port] = entry.split('=');
  const here = `http://127.0.0.1:${port}`;
  const openid = provider(id, here);
  openid.on('server_error', (_, error) => console.error(id, error));
  for (const event of ['authorization.error', 'grant.error', 'userinfo.error', 'end_session.error', 'backchannel.error']) {
    openid.on(event, (_, error) => console.error(id, event, error.message, error.error_description ?? ''));
  }
  const answer = openid.callback();
  const server = http.createServer(async (request, response) => {
    if (request.url === '/alive') {
      response.end('yes');
    } else if (request.url.startsWith('/enter/') && request.method === 'GET') {
      response.setHeader('content-type', 'text/html');
      response.end(page(`<form method="post" action="${request.url}"><button id="enter">Lina</button></form>`));
    } else if (request.url.startsWith('/enter/')) {
      await openid.interactionFinished(request, response, { login: { accountId: `lina-${id}` } });
    } else {
      await answer(request, response);
    }
  });
  server.listen(Number(port), '127.0.0.1');
}
