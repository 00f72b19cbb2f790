// OpenID providers that we did not write, for Marelle to be a client of. tests/interop/upstream starts them.
//
//     ISSUER            Marelle's
//     OPENID_PROVIDERS  one or more `id=port`; the id is the one that Marelle declares it by. One whose id ends in `-signed`
//                       signs its userinfo, and has Marelle authenticate by client_secret_basic
//     OPENID_SECRET     Marelle's secret at each of them
//
// Each knows one person, whom one click signs in.

import { startProvider } from './openid_provider.mjs';

const { ISSUER, OPENID_PROVIDERS, OPENID_SECRET } = process.env;

/** As the academy's directory has her, by names and birth date; no key of the ministry's. */
const LINA = { given_name: 'Lina', family_name: 'Le Goff', birthdate: '2015-04-03' };

const SIGNED = { token_endpoint_auth_method: 'client_secret_basic', userinfo_signed_response_alg: 'RS256' };

for (const entry of OPENID_PROVIDERS.split(' ')) {
  const [id, port] = entry.split('=');
  await startProvider({
    id,
    port: Number(port),
    issuer: ISSUER,
    secret: OPENID_SECRET,
    people: [{ name: 'Lina', sub: `lina-${id}`, claims: LINA }],
    scopes: { profile: Object.keys(LINA) },
    client: id.endsWith('-signed') ? SIGNED : {},
  });
}
