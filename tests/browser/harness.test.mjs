// The harness itself, against small pages made for it: what it must accept, and what must make it fail.

import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { axeFindings, freePorts, openBrowser, screenshot, startProgram } from './harness.mjs';

const page = (body) => `<!doctype html><html lang="fr"><head><meta charset="utf-8">
  <meta name="viewport" content="width=device-width"><title>Essai</title></head>
  <body><main><h1>Essai</h1>${body}</main></body></html>`;

const pages = {
  '/favicon.ico': '',
  '/good': page('<p>Bonjour</p>'),
  '/script': page('<p id="said">sans script</p><script>document.getElementById("said").textContent = "script"</script>'),
  '/no-label': page('<form><input type="text"></form>'),
  '/throws': page('<p>Bonjour</p><script>throw new Error("broken on purpose")</script>'),
  '/elsewhere': page('<p>Bonjour</p><img src="http://elsewhere.invalid/a.png" alt="">'),
  '/broken': page('<p>Une erreur</p>'),
  '/refused': page('<p>Non</p>'),
  '/no-picture': page('<img src="/nowhere.png" alt="">'),
};

let server;
let base;

before(async () => {
  server = http.createServer((request, response) => {
    const body = pages[request.url];
    const status = { '/broken': 500, '/refused': 403 }[request.url] ?? (body === undefined ? 404 : 200);
    const script = ['/script', '/throws'].includes(request.url) ? "'unsafe-inline'" : "'none'";
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; script-src ${script}; img-src *`,
    });
    response.end(body ?? '');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

test('a good page passes, also under a policy that forbids every script, and leaves a picture', async (t) => {
  const browser = await openBrowser(t);
  await browser.visit(`${base}/good`, 'harness-good');
  const file = await screenshot(browser.page, 'harness-good');
  assert.ok((await stat(file)).size > 1000);
  await rm(file);
  await browser.close();
});

test('a refusal is a page like another', async (t) => {
  const browser = await openBrowser(t);
  const response = await browser.page.goto(`${base}/refused`);
  assert.equal(response.status(), 403);
  await browser.close();
});

test('with JavaScript disabled no script of the page runs, and axe still reads it', async (t) => {
  for (const [javaScript, said] of [[true, 'script'], [false, 'sans script']]) {
    const browser = await openBrowser(t, { javaScript });
    await browser.page.goto(`${base}/script`);
    assert.equal(await browser.page.textContent('#said'), said);
    assert.deepEqual(await axeFindings(browser.page), []);
    await browser.page.goto(`${base}/no-label`);
    assert.equal((await axeFindings(browser.page)).length, 1);
    await browser.close();
  }
});

test('a finding of axe fails the visit and is told', async (t) => {
  const browser = await openBrowser(t);
  await assert.rejects(browser.visit(`${base}/no-label`, 'harness-no-label'), /label: .*<input type="text"/s);
  await rm(await screenshot(browser.page, 'harness-no-label'));
  await browser.close();
});

test('what a page complains about fails the close', async (t) => {
  for (const [address, complaint] of [
    ['/throws', /broken on purpose/],
    ['/elsewhere', /request to another machine: http:\/\/elsewhere\.invalid/],
    ['/broken', /500: .*\/broken/],
    ['/no-picture', /404: .*\/nowhere\.png/],
  ]) {
    const browser = await openBrowser(t);
    await browser.page.goto(base + address);
    await assert.rejects(browser.close(), complaint, address);
  }
});

test('a program is waited for, stopped by SIGINT, and must end well', async (t) => {
  const program = (script) => startProgram(t, process.execPath, ['-e', script], { ready: /^ready: (\S+)$/m, stopSeconds: 1 });
  const lives = 'setInterval(() => {}, 1000);';

  const good = await program(`${lives} process.on('SIGINT', () => process.exit(0));
    console.log('starting'); setTimeout(() => console.log('ready: http://127.0.0.1:1/start'), 50)`);
  assert.equal(good.url, 'http://127.0.0.1:1/start');
  assert.match(good.log(), /starting/);
  await good.stop();

  const bad = await program(`${lives} process.on('SIGINT', () => process.exit(3)); console.log('ready: x')`);
  await assert.rejects(bad.stop(), /ended \(3\)/);
  const deaf = await program(`${lives} process.on('SIGINT', () => {}); console.log('ready: x')`);
  await assert.rejects(deaf.stop(), /ended \(SIGKILL\)/);
  await assert.rejects(program("console.error('no luck'); process.exit(4)"), /ended \(4\) before it was ready.*no luck/s);
  await assert.rejects(startProgram(t, '/nowhere/marelle', [], { ready: /x/ }), /did not start/);
  await assert.rejects(
    startProgram(t, process.execPath, ['-e', lives], { ready: /x/, startSeconds: 0.3 }),
    /not ready after 0.3 s/,
  );
});

test('free ports are neighbours and can be listened on', async () => {
  const ports = await freePorts(4);
  assert.deepEqual(ports.map((port) => port - ports[0]), [0, 1, 2, 3]);
  const servers = await Promise.all(
    ports.map(
      (port) =>
        new Promise((done, failed) => {
          const one = net.createServer().once('error', failed);
          one.listen(port, '127.0.0.1', () => done(one));
        }),
    ),
  );
  for (const one of servers) one.close();
});
