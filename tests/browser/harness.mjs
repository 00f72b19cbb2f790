// What every browser test needs: a Marelle of its own, a browser without noise, axe, and pictures.
//
// Nothing here knows a page of Marelle. A test starts what it needs, drives pages, and stops it again:
//
//   test('a pupil signs in', async (t) => {
//     const demo = await startDemo(t);                        // ports, data directory and process of its own
//     const browser = await openBrowser(t, { javaScript: false });
//     await browser.visit(demo.url, 'start');                 // goes there, keeps a picture, runs axe
//     await browser.close();                                  // fails on what the pages complained about
//     await demo.stop();                                      // SIGINT, exit code 0
//   });
//
// The first argument is whatever has an `after`: a test's context, or `{ after }` of node:test for a whole file. It
// puts away what a failing test leaves open.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import axe from 'axe-core';
import { chromium } from 'playwright-core';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const target = path.resolve(top, process.env.CARGO_TARGET_DIR ?? 'target');

/** Where pictures go. */
export const screenshots = path.join(target, 'screenshots');

/** Debian's browser, or the one that CHROMIUM names. */
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Contexts in which scripts are disabled. */
const withoutScripts = new WeakSet();

const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts a program, waits until a line of its output matches `ready`, and gives its first group as `url`.
 * The program stops by SIGINT and must then end with code 0.
 */
export async function startProgram(scope, command, args, { ready, env = {}, startSeconds = 120, stopSeconds = 15 } = {}) {
  const child = spawn(command, args, { cwd: top, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(`did not start: ${error.message}`));
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  const told = () => `\n--- ${path.basename(command)} ${args.join(' ')}\n${log}`;
  const kill = () => child.kill('SIGKILL');
  scope.after(kill);

  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      kill();
      reject(new Error(`not ready after ${startSeconds} s${told()}`));
    }, startSeconds * 1000);
    const listen = (chunk) => {
      log += chunk;
      // A whole line, or half an address might be taken for it.
      const match = log.slice(0, log.lastIndexOf('\n') + 1).match(ready);
      if (match) {
        clearTimeout(timer);
        resolve(match[1]);
      }
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    ended.then((how) => {
      clearTimeout(timer);
      reject(new Error(`ended (${how}) before it was ready${told()}`));
    });
  });

  return {
    url,
    log: () => log,
    async stop() {
      child.kill('SIGINT');
      const timer = setTimeout(kill, stopSeconds * 1000);
      const how = await ended;
      clearTimeout(timer);
      assert.equal(how, 0, `ended (${how}); SIGINT must end it with code 0 within ${stopSeconds} s${told()}`);
    },
  };
}

/**
 * Starts `marelle demo` on seven free ports. Without `dataDir` its data are in a directory that goes away with it.
 * `url` is the start page; `ports` are those of Marelle, of its five services and of its EduConnect.
 */
export async function startDemo(scope, { dataDir, reset = true } = {}) {
  const data = dataDir ?? (await mkdtemp(path.join(os.tmpdir(), 'marelle-demo-')));
  const ports = await freePorts(7);
  const args = ['demo', '--data', data, '--port', String(ports[0]), ...(reset ? ['--reset'] : [])];
  const program = await startProgram(scope, path.join(target, 'debug', 'marelle'), args, {
    ready: /^ready: (http:\/\/\S+)$/m,
  });
  if (dataDir === undefined) scope.after(() => rm(data, { recursive: true, force: true }));
  return { ...program, ports };
}

/**
 * Starts `marelle serve` on a free port, over an empty database into which `declarations` were applied. `run` calls any
 * other command on the same data, `file` writes one for it to read; `url` is the issuer. `files` are those that the
 * declarations name; `prepare` is called with the same before the server starts: a provider must be there by then.
 */
export async function startServer(scope, declarations, files = {}, prepare = async () => {}) {
  const home = await mkdtemp(path.join(os.tmpdir(), 'marelle-serve-'));
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const env = {
    MARELLE_HTTP__LISTEN: `127.0.0.1:${port}`,
    MARELLE_HTTP__PUBLIC_URL: url,
    MARELLE_DATABASE__FILE: path.join(home, 'marelle.db'),
    MARELLE_KEYS__MASTER_KEY_FILE: path.join(home, 'master.key'),
  };
  const marelle = path.join(target, 'debug', 'marelle');
  const run = (...args) => execFileSync(marelle, args, { cwd: home, env: { ...process.env, ...env }, encoding: 'utf8' });
  const file = async (name, content) => {
    await writeFile(path.join(home, name), content);
    return path.join(home, name);
  };
  for (const [name, content] of Object.entries(files)) await file(name, content);
  run('apply', await file('territory.toml', declarations));
  await prepare({ url, run, file });
  const program = await startProgram(scope, marelle, ['serve'], { ready: /(serving)/, env });
  scope.after(() => rm(home, { recursive: true, force: true }));
  return { ...program, url, run, file };
}

/** The first of `count` neighbouring ports of 127.0.0.1 that nobody listens on, and its followers. */
export async function freePorts(count) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    // Below the range from which the system hands out ports to outgoing connections.
    const first = 20000 + Math.floor(Math.random() * 12000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const servers = await Promise.all(ports.map(listenOn));
    await Promise.all(servers.map((server) => server && new Promise((done) => server.close(done))));
    if (servers.every(Boolean)) return ports;
  }
  throw new Error(`no ${count} neighbouring free ports found`);
}

function listenOn(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/**
 * A browser with one page. What the pages complain about (errors, broken requests, a request to another machine) is
 * collected in `complaints`, and `close` fails if there is any; a test that expects one empties the list itself.
 * A page may answer 4xx (a refusal is a page too); what it loads may not.
 */
export async function openBrowser(scope, { javaScript = true, locale = 'fr-FR', width = 1280, height = 800 } = {}) {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumFlags });
  scope.after(() => browser.close());
  const context = await browser.newContext({ javaScriptEnabled: javaScript, locale, viewport: { width, height } });
  if (!javaScript) withoutScripts.add(context);
  const page = await context.newPage();
  const complaints = [];
  context.on('weberror', (error) => complaints.push(`script: ${error.error().message}`));
  context.on('console', (message) => {
    // Chromium says of a failed request only that it failed; `response` below says which.
    const failed = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !failed) complaints.push(`console: ${message.text()}`);
  });
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1' && hostname !== 'localhost') {
      complaints.push(`request to another machine: ${request.url()}`);
    }
  });
  context.on('response', (response) => {
    const worst = response.request().isNavigationRequest() ? 500 : 400;
    if (response.status() >= worst) complaints.push(`${response.status()}: ${response.url()}`);
  });

  const self = {
    page,
    context,
    complaints,
    /** Goes to an address, then looks at the page. */
    async visit(url, name) {
      const response = await page.goto(url, { waitUntil: 'load' });
      await self.look(name);
      return response;
    },
    /** Keeps a picture of the page as it is and lets axe read it. */
    async look(name) {
      await screenshot(page, name);
      await assertAccessible(page, name);
    },
    async close() {
      await browser.close();
      assert.equal(complaints.length, 0, `the pages complained:\n${complaints.join('\n')}`);
    },
  };
  return self;
}

/** Saves the whole page as `target/screenshots/<name>.png`. */
export async function screenshot(page, name) {
  await mkdir(screenshots, { recursive: true });
  const file = path.join(screenshots, `${name}.png`);
  await page.screenshot({ path: file, fullPage: true });
  return file;
}

/**
 * What axe finds wrong with the page, all rules on: one line per finding. It works where a policy forbids scripts or
 * they are disabled, because the browser runs it on the tester's behalf, not on the page's.
 */
export async function axeFindings(page) {
  await page.evaluate(axe.source);
  const { violations, passes } = withoutScripts.has(page.context())
    ? await runAxeWithoutTimers(page)
    : await page.evaluate(() => globalThis.axe.run());
  assert.notEqual(passes.length, 0, 'axe read nothing');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target: selector, html }) => `${id}: ${help}: ${selector.join(' ')}: ${html}`),
  );
}

/**
 * Where scripts are disabled, timers never fire and a promise moves on only when the tester asks something: timers
 * become promises, and the result is asked for until it is there. Preloading would wait for the network by a timer.
 */
async function runAxeWithoutTimers(page) {
  await page.evaluate(() => {
    globalThis.setTimeout = (then) => void Promise.resolve().then(then);
    globalThis.axeRun = {};
    globalThis.axe.run({ preload: false }).then(
      (result) => Object.assign(globalThis.axeRun, { result }),
      (error) => Object.assign(globalThis.axeRun, { error: String(error) }),
    );
  });
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const { result, error } = await page.evaluate(() => globalThis.axeRun);
    assert.equal(error, undefined);
    if (result) return result;
  }
  throw new Error('axe did not finish');
}

/** Fails with the list of what axe finds. */
export async function assertAccessible(page, name) {
  const findings = await axeFindings(page);
  assert.equal(findings.length, 0, `axe on ${name} (${page.url()}):\n${findings.join('\n')}`);
}
