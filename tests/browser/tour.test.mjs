// The tour of `marelle demo` in a real browser: a pupil of CM2 signs in by pictures, next year's file is loaded, and every
// service that knew the child still knows the same child. Each page is looked at by axe and leaves a picture.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { openBrowser, startDemo } from './harness.mjs';

/** The first pupil of the tour, as its start page tells: first name, class page, and the words of the four pictures. */
async function hero(browser, demo) {
  await browser.page.goto(`${demo.url}`);
  const card = browser.page.locator('.cast > li').first();
  return {
    name: (await card.locator('h3').innerText()).trim(),
    pictures: await card.locator('.code-pictures img').evaluateAll((images) => images.map((image) => image.alt)),
    code: (await card.locator('a').getAttribute('href')).split('/').pop(),
  };
}

/** From the login page to the four pictures and on, as a child at a new device does. */
async function signIn(browser, pupil, name) {
  const { page } = browser;
  await browser.look(`${name}-login`);
  await page.click('#class-way');
  if (!(await page.locator('#class-code').count())) {
    await page.locator('details.more summary').click();
    await page.locator('details.more a[href*="other="]').click();
  }
  await browser.look(`${name}-class-code`);
  await page.fill('#class-code', pupil.code);
  await page.click('form[action="/class"] button[type=submit]');
  await page.waitForURL(/\/class\/[^/?]+/);
  await browser.look(`${name}-class`);
  assert.ok(!(await page.content()).includes('birth'), 'a class page shows first names only');
  await page.locator('.pupils a', { hasText: pupil.name }).first().click();
  await browser.look(`${name}-pictures`);
  await pick(page, pupil.pictures);
  await goOn(browser, `${name}-what-it-will-know`);
}

/** The account at EduConnect that the collège has handed out, as the tour tells it. */
async function account(page, demo) {
  await page.goto(demo.url);
  const [, username, password] = (await page.content()).match(/([a-z0-9.]+) \/ ([a-z0-9]{14})/);
  return { username, password };
}

/** From the login page to EduConnect, where the child signs in and is told, and back. */
async function signInByEduConnect(browser, { username, password }, name) {
  const { page } = browser;
  await page.waitForSelector('a.way');
  await browser.look(`${name}-ways`);
  await page.click('a.way');
  await page.waitForURL(/^http:\/\/localhost:/);
  await page.waitForSelector('#username');
  await browser.look(`${name}-educonnect`);
  await page.fill('#username', username);
  await page.fill('#password', password);
  await page.click('#sign-in');
  await page.waitForSelector('#go-on');
  await browser.look(`${name}-what-marelle-will-know`);
  await page.click('#go-on');
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:/);
  await goOn(browser, `${name}-what-it-will-know`);
}

/** The child is told what the service will know, and goes on to it. */
async function goOn(browser, name) {
  const { page } = browser;
  await page.waitForSelector('#go-on');
  await browser.look(name);
  assert.equal(await page.locator('form[action="/notice"] button').count(), 1, 'a child is told, not asked');
  await page.click('#go-on');
  await page.waitForSelector('#sub');
}

/** A service forgets whoever has left Marelle: at once, or when the browser or Marelle itself has told it. */
async function forgotten(page, url) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    await page.goto(url);
    if (await page.locator('#rp-sign-in').count()) return;
    await page.waitForTimeout(250);
  }
  assert.fail(`${url} still knows the child: ${await page.content()}`);
}

async function pick(page, pictures) {
  for (const picture of pictures) {
    await page.getByRole('button', { name: picture, exact: true }).click();
  }
}

const text = (page, selector) => page.locator(selector).innerText();

test('the tour: from CM2 to 6e, every service still knows the child', async (t) => {
  const demo = await startDemo(t);
  const port = demo.ports[0];
  const service = (offset) => `http://127.0.0.1:${port + offset}/`;
  const browser = await openBrowser(t);
  const { page } = browser;

  const before = await hero(browser, demo);
  assert.equal(before.pictures.length, 4);
  await browser.look('tour-1-start');

  await page.goto(service(1));
  await browser.look('tour-2-ecole-signed-out');
  await page.click('#rp-sign-in');
  await signIn(browser, before, 'tour-3');
  const ecole = await text(page, '#sub');
  assert.match(await page.content(), /CM2/);
  await browser.look('tour-4-ecole');

  await page.goto(service(3));
  await page.click('#rp-sign-in');
  await goOn(browser, 'tour-5-what-it-will-know');
  const carnet = await text(page, '#sub');
  assert.notEqual(carnet, ecole, 'two services know the child by two identifiers');
  await browser.look('tour-5-carnet');

  // The collège knows only its own pupils; the child is not one yet.
  await page.goto(service(2));
  const refused = page.waitForResponse((response) => response.status() === 403);
  await page.click('#rp-sign-in');
  await refused;
  await browser.look('tour-6-not-yet-at-the-college');

  await page.goto(service(3));
  await page.click('#rp-sign-out');
  await page.waitForSelector('#rp-sign-in');

  await page.goto(demo.url);
  await page.click('#load-next-year');
  await page.waitForURL(demo.url);
  await page.waitForSelector('.notice');
  await browser.look('tour-7-next-year');
  const after = await hero(browser, demo);
  assert.equal(after.name, before.name);
  assert.notEqual(after.code, before.code, 'the child is in a new class');
  assert.deepEqual(after.pictures, before.pictures, 'and keeps the pictures');

  // First EduConnect login in 6e: an account that Marelle has never seen finds the child.
  const slip = await account(page, demo);
  await page.goto(service(2));
  await page.click('#rp-sign-in');
  await signInByEduConnect(browser, slip, 'tour-8');
  assert.match(await page.content(), /6EME|6e/);
  await browser.look('tour-9-college');

  await page.goto(service(3));
  await page.click('#rp-sign-in');
  await page.waitForSelector('#sub');
  assert.equal(await text(page, '#sub'), carnet, 'the same subject before and after the move');
  assert.equal(await text(page, '#previous-sub'), carnet);
  assert.ok(await page.locator('#sub-mark.same').count(), 'and the page says so');
  await browser.look('tour-10-carnet-after');

  await page.goto(service(2));
  const college = await text(page, '#sub');
  await page.goto(service(4));
  await browser.look('tour-11-cite-signed-out');
  await page.click('#rp-sign-in');
  await goOn(browser, 'tour-11-what-it-will-know');
  assert.equal(await text(page, '#sub'), college, 'by SAML the name of the sector, as by OpenID Connect');
  await browser.look('tour-12-cite');

  await page.goto(service(5));
  await page.click('#rp-sign-in');
  await goOn(browser, 'tour-13-what-it-will-know');
  const told = await page.locator('table').innerText();
  assert.match(told, /6EME|6e/);
  assert.ok(!told.includes(before.name), 'a policy that lists no name releases none');
  await browser.look('tour-14-manuel');

  await page.goto(`http://127.0.0.1:${port}/sign-out`);
  await browser.look('tour-15-sign-out');
  await page.click('#sign-out');
  await page.waitForSelector('a[href="/login"]');
  await browser.look('tour-15-signed-out');
  for (const number of [2, 3, 4, 5]) await forgotten(page, service(number));
  await page.goto(demo.url);
  await browser.look('tour-16-done');
  assert.equal(await page.locator('.step.done').count(), 8);

  await browser.close();
  await demo.stop();
});

test('without JavaScript: four pictures, four pages, the same arrival; and a second start keeps the data', async (t) => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'marelle-demo-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const demo = await startDemo(t, { dataDir });
  const browser = await openBrowser(t, { javaScript: false, width: 1024, height: 768 });
  const { page } = browser;
  const pupil = await hero(browser, demo);
  await page.goto(`http://127.0.0.1:${demo.ports[1]}/`);
  await page.click('#rp-sign-in');
  await signIn(browser, pupil, 'no-script');
  const sub = await text(page, '#sub');
  await browser.close();
  await demo.stop();

  const again = await startDemo(t, { dataDir, reset: false });
  const second = await openBrowser(t);
  assert.deepEqual(await hero(second, again), pupil, 'the second start has the same children, codes and pages');
  await second.page.goto(`http://127.0.0.1:${again.ports[1]}/`);
  await second.close();
  await again.stop();
  assert.ok(sub.length > 20);
});

test('wrong pictures are answered gently, and a wait comes before anything can be guessed', async (t) => {
  const demo = await startDemo(t);
  const browser = await openBrowser(t);
  const { page } = browser;
  const pupil = await hero(browser, demo);
  await page.goto(`http://127.0.0.1:${demo.ports[0]}/class/${pupil.code}`);
  await page.locator('.pupils a', { hasText: pupil.name }).first().click();
  const wrong = [...pupil.pictures].reverse();
  let waited = false;
  for (let attempt = 0; attempt < 8 && !waited; attempt += 1) {
    await pick(page, wrong);
    await page.waitForSelector('.try-again, .pause');
    waited = (await page.locator('.pause').count()) > 0;
    if (attempt === 0) await browser.look('pictures-wrong');
  }
  assert.ok(waited, 'guessing meets a wait');
  await browser.look('pictures-wait');
  await browser.close();
  await demo.stop();
});
