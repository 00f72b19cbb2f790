// Somebody at a browser, for the clients of this folder: keeps cookies, follows redirects, fills in the password form. No
// browser, no JavaScript.

import assert from 'node:assert/strict';

/** The settings of the environment; ends the program where one is missing. */
export function settings(...more) {
  const names = ['ISSUER', 'REDIRECT_URI', 'USERNAME', 'PASSWORD', ...more];
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) {
    console.error(`not set: ${missing.join(', ')}`);
    process.exit(1);
  }
  return Object.fromEntries([...names, 'SCOPE'].map((name) => [name, process.env[name]]));
}

const { REDIRECT_URI, USERNAME, PASSWORD } = process.env;

/** Cookies by name: enough for one server, whose cookies all belong to the whole of it. */
const cookies = new Map();

async function request(url, form) {
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET',
    body: form,
    redirect: 'manual',
    headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
  });
  // Several cookies come as one line; a comma inside a date is followed by no `name=`. Node.js 18 has no getSetCookie.
  const lines = response.headers.get('set-cookie')?.split(/,(?=\s*[^;,=\s]+=)/) ?? [];
  for (const line of lines) {
    const [, name, value] = line.match(/^\s*([^=]+)=([^;]*)/);
    cookies.set(name, value);
  }
  return response;
}

/** Follows redirects until a page, or until the browser is sent back to the service. */
export async function follow(url, form, service = REDIRECT_URI) {
  for (let hops = 0; hops < 12; hops += 1) {
    const response = await request(url, form);
    const location = response.headers.get('location');
    if (!location) {
      assert.equal(response.status, 200, `${response.status} at ${new URL(url).pathname}`);
      return { url, page: await response.text() };
    }
    url = new URL(location, url).href;
    form = undefined;
    if (url.startsWith(`${service}?`)) return { back: new URL(url) };
  }
  throw new Error('redirects without end');
}

const unescape = (text) =>
  text.replace(/&(amp|lt|gt|quot|#x([0-9a-f]+)|#(\d+));/gi, (_, name, hex, decimal) =>
    hex || decimal
      ? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal))
      : { amp: '&', lt: '<', gt: '>', quot: '"' }[name.toLowerCase()],
  );

/** The value of an attribute in the text of one tag. */
const attribute = (tag, name) => {
  const match = tag.match(new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i'));
  return match && unescape(match[1] ?? match[2] ?? match[3]);
};

export async function signIn({ url, page }) {
  const form = page.match(/<form\b[\s\S]*?<\/form>/gi)?.find((text) => /\bid=["']?username\b/.test(text));
  assert.ok(form, 'the page has no password form');
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<(?:input|button)\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    const typed = { username: USERNAME, password: PASSWORD }[attribute(tag, 'id')];
    const sent = attribute(tag, 'type') === 'hidden' || attribute(tag, 'id') === 'sign-in';
    if (name && (typed !== undefined || sent)) fields.set(name, typed ?? attribute(tag, 'value') ?? '');
  }
  const { back } = await follow(new URL(attribute(form, 'action') ?? '', url).href, fields);
  assert.ok(back, 'after the password the browser is not sent back to the service');
  return back;
}

/** Signs out; answers where the browser is sent in the end. */
export async function leave(url, service) {
  const { back } = await follow(url, undefined, service);
  assert.ok(back, 'after the logout the browser is not sent to the service');
  return back;
}
