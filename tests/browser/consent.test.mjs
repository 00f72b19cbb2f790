// A service that no convention covers asks an adult, is told no and yes, asks for more when its policy grows, and is left
// under /account. Each page is looked at by axe and leaves a picture.

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { freePorts, openBrowser, startServer } from './harness.mjs';

const PASSWORD = 'sept marrons dans la cour';

/** A page of the service: whatever comes back from Marelle is kept. */
async function startService(scope) {
  const [port] = await freePorts(1);
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push(new URL(request.url, `http://127.0.0.1:${port}`));
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end('<!doctype html><html lang="fr"><title>Club</title><link rel="icon" href="data:,"><p id="back">Club</p>');
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  scope.after(() => server.close());
  return { address: `http://127.0.0.1:${port}/cb`, seen };
}

function club(address, attributes) {
  const line = (attribute, purpose) => `
[[relying_party.release]]
attribute = "${attribute}"
purpose = "${purpose}"
convention = "accord de la personne"
`;
  return `
[[academy]]
code = "20"
name = "Amiens"

[[school]]
uai = "9990001X"
name = "École du Port"
degree = "first"
academy = "20"

[[relying_party]]
id = "club"
name = "Le club d’échecs"
redirect_uris = ["${address}"]
token_endpoint_auth_method = "none"
basis = "consent"
policy_uri = "https://club.example/donnees"
${attributes.map(([attribute, purpose]) => line(attribute, purpose)).join('')}`;
}

test('an adult is asked, says no, says yes, is asked for more, and takes it back', async (t) => {
  const service = await startService(t);
  const name = ['name', 'vous nommer dans les tournois'];
  const marelle = await startServer(t, club(service.address, [name]));
  const password = await marelle.file('password', `${PASSWORD}\n`);
  marelle.run('user', 'create', '--given-name', 'Maddi', '--family-name', 'Oyhenart', '--profile', 'teacher',
    '--school', '9990001X', '--username', 'maddi', '--password-file', password);
  const ask = () => {
    const query = new URLSearchParams({
      client_id: 'club', redirect_uri: service.address, response_type: 'code', scope: 'openid profile', state: 's',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
    });
    return `${marelle.url}/oauth/authorize?${query}`;
  };
  const answer = () => service.seen.at(-1).searchParams;
  const browser = await openBrowser(t);
  const { page } = browser;

  await browser.visit(ask(), 'consent-1-login');
  await page.fill('#username', 'maddi');
  await page.fill('#password', PASSWORD);
  await page.click('#sign-in');
  await page.waitForSelector('#allow');
  await browser.look('consent-2-asked');
  await page.click('#refuse');
  await page.waitForSelector('#back');
  assert.equal(answer().get('error'), 'access_denied');

  await page.goto(ask());
  await page.click('#allow');
  await page.waitForSelector('#back');
  assert.ok(answer().get('code'));
  await page.goto(ask());
  await page.waitForSelector('#back');
  assert.ok(answer().get('code'), 'a yes is remembered');

  const birthdate = ['birthdate', 'vous classer par âge'];
  marelle.run('apply', await marelle.file('territory.toml', club(service.address, [name, birthdate])));
  await page.goto(ask());
  await page.waitForSelector('#back');
  assert.ok(answer().get('code'), 'who has no birth date is not asked about it');

  await browser.visit(`${marelle.url}/account`, 'consent-3-account');
  assert.match(await page.locator('.known').innerText(), /Le club d’échecs/);
  await page.click('#withdraw-club');
  await page.waitForSelector('[role=status]');
  await browser.look('consent-4-withdrawn');
  await page.goto(ask());
  await page.waitForSelector('#allow');

  await page.setViewportSize({ width: 380, height: 780 });
  await browser.look('consent-5-narrow');
  await browser.close();
  await marelle.stop();
});
