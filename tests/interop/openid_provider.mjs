// An OpenID provider that we did not write (oidc-provider), for Marelle to be a client of: by the programs of this folder and
// by the tests in a browser.
//
//     const provider = await startProvider({ id, port, issuer, secret, people });
//     provider.people[0].claims.FrEduFonctAdm = [];          // from now on it says this of them
//     await provider.stop();
//
// One click signs one of `people` in: { name, sub, claims }. GET /alive answers when it is there.

import http from 'node:http';
import { webcrypto } from 'node:crypto';

// Node.js 18 has it under this name only.
globalThis.crypto ??= webcrypto;
const { Provider } = await import('oidc-provider');

const escaped = (text) => text.replace(/[&<>"]/g, (symbol) => `&#${symbol.charCodeAt(0)};`);

const page = (text) => `<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Provider</title>
<link rel="icon" href="data:,"></head><body><main><h1>Provider</h1>${text}</main></body></html>`;

/** One button for each person; the first has the id `enter`, the others `enter-2`, `enter-3`. */
const choice = (action, people) => people.map(({ name, sub }, at) => `<form method="post" action="${action}">
<button id="enter${at ? `-${at + 1}` : ''}" name="sub" value="${escaped(sub)}">${escaped(name)}</button></form>`).join('');

/**
 * @param id      Marelle declares it by this one
 * @param issuer  Marelle's
 * @param secret  Marelle's secret there
 * @param people  whom it knows; what it says of them is read at each login
 * @param scopes  scope → the claims that it stands for
 * @param client  how Marelle is registered, where it is otherwise
 * @param pkce    whether Marelle has to use PKCE
 */
export async function startProvider({ id, port, issuer, secret, people, scopes, client = {}, pkce = true }) {
  const here = `http://127.0.0.1:${port}`;
  const openid = new Provider(here, {
    clients: [
      {
        client_id: 'marelle',
        client_secret: secret,
        redirect_uris: [`${issuer}/login/callback/${id}`],
        post_logout_redirect_uris: [`${issuer}/sign-out`],
        backchannel_logout_uri: `${issuer}/login/callback/${id}/logout`,
        backchannel_logout_session_required: true,
        token_endpoint_auth_method: 'client_secret_post',
        ...client,
      },
    ],
    scopes: Object.keys(scopes),
    claims: { openid: ['sub'], ...scopes },
    pkce: { required: () => pkce },
    findAccount: (_, sub) => {
      const person = people.find((one) => one.sub === sub);
      return person && { accountId: sub, claims: () => ({ sub, ...person.claims }) };
    },
    // Nobody is asked what Marelle may know: what matters here is who they are.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope(['openid', ...Object.keys(scopes)].join(' '));
      await grant.save();
      return grant;
    },
    interactions: { url: (_, interaction) => `/enter/${interaction.uid}` },
    // On one machine cookies of every port are one jar.
    cookies: {
      keys: [secret],
      names: { session: `${id}-session`, interaction: `${id}-interaction`, resume: `${id}-resume` },
    },
    features: {
      devInteractions: { enabled: false },
      jwtUserinfo: { enabled: 'userinfo_signed_response_alg' in client },
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
      response.end(page(choice(request.url, people)));
    } else if (request.url.startsWith('/enter/')) {
      const sub = await chosen(request);
      await openid.interactionFinished(request, response, { login: { accountId: sub ?? people[0].sub } });
    } else {
      await answer(request, response);
    }
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: here,
    people,
    stop: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections?.();
    }),
  };
}

async function chosen(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return new URLSearchParams(body).get('sub');
}
