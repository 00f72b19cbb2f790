// A guardian of two children, one at an école (ONDE) and one at a collège (AAF), comes from an EduConnect-like provider that we
// did not write. ONDE has no number by which EduConnect names a child, so a human says once which pupil it is; from then on the
// guardian is one identity with both children, at every login.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freePorts, openBrowser, startServer } from './harness.mjs';
import { startProvider } from '../interop/openid_provider.mjs';

const SECRET = 'un-secret-qui-ne-sert-que-pour-cet-essai';
const ECOLE = '9990001X';
const COLLEGE = '9990101F';

/** What EduConnect states of a guardian: who they are, and each child by the number in the register of the school. */
const guardian = (sub, given, vecteurs) => ({
  name: `${given} LE GOFF`,
  sub,
  claims: {
    given_name: given,
    family_name: 'LE GOFF',
    FrEduCtPersonAffiliation: [...new Set(vecteurs.map((one) => (one.startsWith('1') ? 'resp1d' : 'resp2d')))],
    FrEduVecteur: vecteurs,
  },
});

const territory = (provider) => `
[[academy]]
code = "20"
name = "Amiens"

[[school]]
uai = "${ECOLE}"
name = "École du Port"
degree = "first"
academy = "20"

[[upstream_provider]]
id = "educonnect"
name = "EduConnect"
preset = "educonnect-oidc"
populations = ["guardian", "pupil_2d"]
issuer = "${provider}"
client_id = "marelle"
secret_file = "educonnect.secret"
requires_iss = true
linking.guardians_by_child = true
convention = "2026-17"
logout = true
`;

const attribute = (name, value) => `<attr name="${name}"><value>${value}</value></attr>`;
const request = (kind, category, id, attributes) => `<addRequest><operationalAttributes>${attribute(kind, category)}
</operationalAttributes><identifier><id>${id}</id></identifier><attributes>
${Object.entries(attributes).map((pair) => attribute(...pair)).join('\n')}
</attributes></addRequest>`;
const aaf = (...requests) => `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">
<ficAlimMENESR>${requests.join('\n')}</ficAlimMENESR>`;

/** Nolwenn at the collège, where the directory of the academy knows her by the number 222. */
const collegians = aaf(request('categoriePersonne', 'Eleve', '7000201', {
  ENTPersonJointure: '7000201',
  ENTPersonDateNaissance: '11/02/2014',
  sn: 'LE GOFF',
  givenName: 'Nolwenn',
  ENTPersonStructRattach: '52006',
  ENTEleveStructRattachId: '222',
  ENTEleveClasses: '52006$6EME A',
  ENTEleveNivFormation: '6EME',
}));
const colleges = aaf(request('categorieStructure', 'EtabEducNat', '52006', {
  ENTStructureJointure: '52006',
  ENTStructureUAI: COLLEGE,
  ENTStructureNomCourant: 'Collège des Dunes',
  ENTStructureTypeStruct: 'COLLEGE',
}));
/** Lina at the école, and a pupil of the same family name who is another family's. */
const pupils = [
  'Nom élève;Prénom élève;Date naissance;Niveau;Libellé classe;Identifiant classe',
  'LE GOFF;Lina;03/04/2018;CE2;Classe de M. Ibarra;99998',
  'LE GOFF;Tudual;09/10/2018;CE2;Classe de M. Ibarra;99998',
  '',
].join('\r\n');

async function startTerritory(t) {
  const [port] = await freePorts(1);
  const anne = guardian('anne', 'Anne', [`1|LE GOFF|Anne|555|${ECOLE}`, `2|LE GOFF|Anne|222|${COLLEGE}`]);
  const paul = guardian('paul', 'Paul', [`1|LE GOFF|Paul|555|${ECOLE}`]);
  const there = { url: `http://127.0.0.1:${port}` };
  const marelle = await startServer(t, territory(there.url), { 'educonnect.secret': SECRET }, async (before) => {
    Object.assign(there, await startProvider({
      id: 'educonnect',
      port,
      issuer: before.url,
      secret: SECRET,
      people: [anne, paul],
      scopes: { profile: Object.keys(anne.claims), 'ect.scope.cnx': [] },
      pkce: false,
    }));
    t.after(() => there.stop());
    const onde = await before.file('CSVExtraction.csv', pupils);
    before.run('import', 'onde', onde, '--school', ECOLE, '--year', '2026', '--apply');
    const names = ['Eleve', 'EtabEducNat'].map((kind) => `ENT2D_020_Complet_20260901_${kind}_0000.xml`);
    const files = [await before.file(names[0], collegians), await before.file(names[1], colleges)];
    before.run('import', 'aaf', ...files, '--academy', '20', '--year', '2026', '--apply');
  });
  const json = (...args) => JSON.parse(marelle.run(...args, '--json'));
  return { marelle, there, json };
}

/** From the login page to the provider, where one click signs somebody in. */
async function signIn(page, marelle, button) {
  await page.goto(`${marelle.url}/login`);
  await page.locator('a.way', { hasText: 'EduConnect' }).click();
  await page.waitForSelector('#enter');
  await page.click(button);
  await page.waitForURL((url) => url.origin === marelle.url);
}

/** By the button for it, and the provider asks whether to leave there as well. */
async function leave(page, marelle) {
  await page.goto(`${marelle.url}/`);
  await page.click('form.finish button');
  await page.waitForSelector('#leave');
  await page.click('#leave');
  await page.waitForURL((url) => url.origin === marelle.url);
}

test('a guardian of a child of each degree is one identity with both children', async (t) => {
  const { marelle, there, json } = await startTerritory(t);
  const people = (school, profile) =>
    json('user', 'list', '--school', school).filter((one) => one.profile === profile);
  const browser = await openBrowser(t);
  const { page } = browser;

  await browser.visit(`${marelle.url}/login`, 'guardian-1-login');
  await signIn(page, marelle, '#enter');
  await browser.look('guardian-2-one-child-yet');
  const children = () => page.locator('.mine').innerText();
  assert.match(await children(), /Nolwenn/);
  assert.doesNotMatch(await children(), /Lina|Tudual/, 'a name is no proof');
  const [anne, ...others] = people(COLLEGE, 'National_TUT');
  assert.deepEqual(others, []);
  await leave(page, marelle);

  // Whose only child is at the école waits for the human.
  await page.goto(`${marelle.url}/login/with/educonnect`);
  await page.waitForSelector('#enter-2');
  await page.click('#enter-2');
  await page.waitForURL((url) => url.origin === marelle.url);
  await browser.look('guardian-3-waits');

  const cases = json('upstream', 'cases');
  assert.equal(cases.length, 1, 'both parents are one question');
  assert.deepEqual(cases[0].child, { number: '555', school: ECOLE });
  assert.equal(cases[0].candidates.length, 2);
  const lina = cases[0].candidates.find((one) => one.name.startsWith('Lina'));
  marelle.run('upstream', 'decide', cases[0].id, '--is', lina.identity, '--by', 'Maddi');
  assert.deepEqual(json('upstream', 'cases'), []);

  await page.context().clearCookies();
  await signIn(page, marelle, '#enter');
  await browser.look('guardian-4-both-children');
  assert.match(await children(), /Lina LE GOFF[^]*École du Port[^]*Nolwenn LE GOFF[^]*Collège des Dunes/);
  await page.setViewportSize({ width: 380, height: 780 });
  await browser.look('guardian-5-narrow');
  await page.setViewportSize({ width: 1280, height: 800 });

  const shown = json('user', 'show', anne.id);
  assert.equal(shown.children.length, 2);
  assert.deepEqual(shown.logins.map((one) => one.provider), ['educonnect']);
  assert.deepEqual(shown.enrolments.map((one) => one.school).sort(), [ECOLE, COLLEGE]);
  for (const school of [ECOLE, COLLEGE]) {
    assert.deepEqual(people(school, 'National_TUT').map((one) => one.id), [anne.id], 'one adult at both schools');
  }
  for (const child of shown.children) assert.deepEqual(json('user', 'show', child).guardians, [anne.id]);

  // Another browser, another day: the same identity, and the feed of the école has not made the number forgotten.
  marelle.run('import', 'onde', await marelle.file('CSVExtraction.csv', pupils.replace('Lina', 'Lina ')), '--school',
    ECOLE, '--year', '2026', '--apply');
  await leave(page, marelle);
  await signIn(page, marelle, '#enter');
  await browser.look('guardian-6-again');
  assert.match(await children(), /Lina[^]*Nolwenn/);
  assert.equal(people(ECOLE, 'National_TUT').length, 1);
  await leave(page, marelle);

  // The other parent is led to the child by the same number, and is an adult of their own.
  await signIn(page, marelle, '#enter-2');
  await browser.look('guardian-7-other-parent');
  assert.match(await children(), /Lina/);
  assert.doesNotMatch(await children(), /Nolwenn/);
  assert.equal(people(ECOLE, 'National_TUT').length, 2);

  await browser.close();
  await marelle.stop();
  await there.stop();
});
