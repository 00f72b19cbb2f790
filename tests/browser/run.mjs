// Runs the browser tests: every *.test.mjs beside this file, or those named on the command line.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

// Providers that people come from are those of tests/interop.
for (const [folder, one] of [['browser', 'playwright-core'], ['interop', 'oidc-provider']]) {
  if (!existsSync(path.join(here, '..', folder, 'node_modules', one))) {
    console.error(`Missing: the packages of tests/${folder}; get them by: npm ci --prefix tests/${folder}`);
    process.exit(1);
  }
}
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(chromium)) {
  console.error(`Missing: ${chromium}; get it by: apt-get install chromium, or set CHROMIUM to yours`);
  process.exit(1);
}

const named = process.argv.slice(2);
const files = named.length > 0 ? named : readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort();
const paths = files.map((name) => path.join(here, path.basename(name)));
// A page that never answers must not hold a build forever.
const minutes = 20;
const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...paths], {
  stdio: 'inherit',
  timeout: minutes * 60_000,
});
if (status === null) console.error(`The browser tests were stopped, at the latest after ${minutes} minutes`);
process.exit(status ?? 1);
