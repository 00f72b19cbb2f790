// A head and a teacher come from an academy's FIM (a provider that we did not write), which says what they are there: the rules
// of the declaration make roles and enrolments of it. When it says less, the next login takes them away.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freePorts, openBrowser, startServer } from './harness.mjs';
import { startProvider } from '../interop/openid_provider.mjs';

const SECRET = 'un-secret-qui-ne-sert-que-pour-cet-essai';
const PASSWORD = 'sept marrons dans la cour';
const ECOLE = '9990001X';
const OTHER = '9990002Y';
const ELSEWHERE = '9990003Z';

/** The day before or after today, as the ministry's directory writes it. */
const day = (away) => new Date(Date.now() + away * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('/');
const delegation = (begins, ends) =>
  `Services|/redirectionhub/redirect.jsp?applicationname=marelle|${begins}|${ends}|jferret|FrEduRneResp=${ECOLE}|hub|portail`;

/** One heads two écoles, one of another academy; the other teaches, and was delegated this application. */
const people = () => [
  {
    name: 'Maddi Oyhenart',
    sub: 'moyhenart',
    claims: {
      given_name: 'Maddi',
      family_name: 'OYHENART',
      FrEduFonctAdm: ['DIR'],
      FrEduRneResp: [`${ECOLE}$UAJ$PU$N$T3$ECOLE$151`, ELSEWHERE],
      FrEduRne: [],
      FrEduResDel: [],
    },
  },
  {
    name: 'Jakes Ferret',
    sub: 'jferret',
    claims: {
      given_name: 'Jakes',
      family_name: 'FERRET',
      FrEduFonctAdm: ['ENS'],
      FrEduRneResp: ['X'],
      FrEduRne: [`${OTHER}$UAJ$PU$ENS$${OTHER}$T3$ECOLE$151`],
      FrEduResDel: [delegation(day(-1), day(30)), delegation(day(-30), day(-2))],
    },
  },
];

const territory = (provider) => `
[[academy]]
code = "20"
name = "Amiens"

[[academy]]
code = "09"
name = "Lille"

[[school]]
uai = "${ECOLE}"
name = "École du Port"
degree = "first"
academy = "20"

[[school]]
uai = "${OTHER}"
name = "École des Dunes"
degree = "first"
academy = "20"

[[school]]
uai = "${ELSEWHERE}"
name = "École du Beffroi"
degree = "first"
academy = "09"

[[upstream_provider]]
id = "fim"
name = "Académie d’Amiens"
preset = "fim-oidc"
issuer = "${provider}"
client_id = "marelle"
secret_file = "fim.secret"
scopes = ["profile", "marelle"]
academies = ["20"]
requires_iss = true
convention = "2026-20"
logout = true

[[upstream_provider.staff]]
function = "DIR"
over = "responsible"
grants = "school_head"
profile = "National_DIR"

[[upstream_provider.staff]]
function = "ENS"
over = "schools"
profile = "National_ENS"

[[upstream_provider.staff]]
delegation = "marelle"
grants = "school_admin"
`;

async function startAcademy(t) {
  const [port] = await freePorts(1);
  const there = { url: `http://127.0.0.1:${port}` };
  const files = { 'fim.secret': SECRET, password: `${PASSWORD}\n` };
  const marelle = await startServer(t, territory(there.url), files, async (before) => {
    const [head, teacher] = people();
    Object.assign(there, await startProvider({
      id: 'fim',
      port,
      issuer: before.url,
      secret: SECRET,
      people: [head, teacher],
      scopes: { profile: ['given_name', 'family_name'], marelle: Object.keys(head.claims).filter((name) => name.startsWith('FrEdu')) },
      pkce: false,
    }));
    t.after(() => there.stop());
    for (const [given, family, profile, username] of [
      ['Maddi', 'Oyhenart', 'teacher', 'maddi'],
      ['Jakes', 'Ferret', 'teacher', 'jakes'],
    ]) {
      before.run('user', 'create', '--given-name', given, '--family-name', family, '--profile', profile, '--school', ECOLE,
        '--username', username, '--password-file', 'password');
    }
  });
  const json = (...args) => JSON.parse(marelle.run(...args, '--json'));
  const rights = (username) => {
    const { roles, enrolments } = json('user', 'show', username);
    return {
      roles: roles.map((one) => `${one.role} over ${one.over}`).sort(),
      enrolments: enrolments.map((one) => `${one.profile} in ${one.school}`).sort(),
    };
  };
  return { marelle, there, json, rights };
}

/** To the academy's provider, where one click signs somebody in. */
async function come(page, marelle, button) {
  await page.goto(`${marelle.url}/login`);
  await page.locator('a.way', { hasText: 'Académie d’Amiens' }).click();
  await page.waitForSelector('#enter');
  await page.click(button);
  await page.waitForURL((url) => url.origin === marelle.url);
}

/** The academy states no key of ours: the first time people prove who they are here. */
async function prove(browser, username, name) {
  const { page } = browser;
  await page.waitForSelector('#first-by');
  await browser.look(name);
  await page.fill('#username', username);
  await page.fill('#password', PASSWORD);
  await page.click('#sign-in');
  await page.waitForSelector('form.finish');
}

async function leave(page, marelle) {
  await page.goto(`${marelle.url}/`);
  await page.click('form.finish button');
  await page.waitForSelector('#leave');
  await page.click('#leave');
  await page.waitForURL((url) => url.origin === marelle.url);
}

test('what an academy says of its staff gives rights, and takes them back', async (t) => {
  const { marelle, there, json, rights } = await startAcademy(t);
  const [head, teacher] = there.people;
  const by = async ({ claims }) => {
    const file = await marelle.file('claims.json', JSON.stringify(claims));
    return json('upstream', 'rights', 'fim', '--claims', file);
  };

  // What a login would give, before anybody came.
  const preview = await by(head);
  assert.deepEqual(preview.granted.map((one) => one.right).sort(),
    [`National_DIR in school ${ECOLE}`, `school_head over school ${ECOLE}`]);
  assert.deepEqual(preview.ignored.map((one) => one.why), ['foreign_academy'], 'an academy speaks for its own schools');
  assert.deepEqual(rights('maddi'), { roles: [], enrolments: [`National_ENS in ${ECOLE}`] });

  const browser = await openBrowser(t);
  const { page } = browser;
  await browser.visit(`${marelle.url}/login`, 'staff-1-login');
  await come(page, marelle, '#enter');
  await prove(browser, 'maddi', 'staff-2-proves-once');
  await browser.look('staff-3-head');
  assert.deepEqual(rights('maddi'), {
    roles: [`school_head over school ${ECOLE}`],
    enrolments: [`National_DIR in ${ECOLE}`, `National_ENS in ${ECOLE}`],
  });
  await leave(page, marelle);
  await browser.look('staff-4-left');

  await come(page, marelle, '#enter-2');
  await prove(browser, 'jakes', 'staff-5-teacher-proves-once');
  const ignored = (await by(teacher)).ignored.map((one) => one.why);
  assert.deepEqual(ignored, ['over'], 'the delegation of last month is over');
  assert.deepEqual(rights('jakes'), {
    roles: [`school_admin over school ${ECOLE}`],
    enrolments: [`National_ENS in ${ECOLE}`, `National_ENS in ${OTHER}`],
  });
  const [role] = json('user', 'show', 'jakes').roles;
  assert.equal(role.provider, 'fim');
  assert.equal(role.until, new Date(Date.now() + 31 * 86_400_000).toISOString().slice(0, 10), 'until its last day is over');
  await leave(page, marelle);

  // The head becomes a teacher elsewhere; the delegation is taken back.
  Object.assign(head.claims, { FrEduFonctAdm: ['ENS'], FrEduRneResp: ['X'] });
  teacher.claims.FrEduResDel = [];
  await come(page, marelle, '#enter');
  await page.waitForSelector('form.finish');
  await browser.look('staff-6-head-no-more');
  assert.deepEqual(rights('maddi'), { roles: [], enrolments: [`National_ENS in ${ECOLE}`] }, 'what was given by hand stays');
  await leave(page, marelle);
  await come(page, marelle, '#enter-2');
  await page.waitForSelector('form.finish');
  assert.deepEqual(rights('jakes'), {
    roles: [],
    enrolments: [`National_ENS in ${ECOLE}`, `National_ENS in ${OTHER}`],
  });
  // Two people came, and they are the two who were there.
  assert.deepEqual(json('user', 'list', '--school', ECOLE).map((one) => one.username).sort(), ['jakes', 'maddi']);

  await browser.close();
  await marelle.stop();
  await there.stop();
});
