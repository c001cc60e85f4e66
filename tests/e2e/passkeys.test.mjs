// Passkeys of Chromium's virtual authenticator, with @simplewebauthn/browser as the client.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';

import { Browser } from '../console/browser.mjs';
import { Device } from '../console/factors.mjs';
import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';

const bundle = createRequire(import.meta.url)
  .resolve('@simplewebauthn/browser')
  .replace(/script\/index\.js$/, 'dist/bundle/index.umd.min.js');
/** The page has a field whose autofill offers passkeys. */
const page = '<!doctype html><title>Passkeys</title><input autocomplete="username webauthn">';

let app, browser, site, foreign, person;

/** Serves the page on a port of `localhost`. */
async function serve() {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, url: `http://localhost:${server.address().port}` };
}

before(async () => {
  [site, foreign] = await Promise.all([serve(), serve()]);
  app = await allInOne({ PUBLIC_URL: site.url });
  browser = await Browser.start(site.url);
});
after(async () => {
  await browser?.stop();
  await app?.stop();
  site?.server.close();
  foreign?.server.close();
});

/** Opens the page with an authenticator that confirms by itself, and adds a passkey to a new user. */
beforeEach(async (context) => {
  const name = context.name.replace(/\W+/g, '-').slice(0, 40);
  const body = { name: 'Ada', email: `${name}@example.com`, password: 'correct horse' };
  const { data } = succeeded(await app.api.post('/api/auth/signup', body));
  const visitor = await browser.visitor();
  const device = await Device.add(visitor);
  person = { ...visitor, device, user: data.user, api: app.api.withToken(data.accessToken) };
  await visitor.page.addScriptTag({ path: bundle });
  const options = succeeded(await person.api.post('/api/auth/factors/passkeys/options')).data;
  const registration = await visitor.page.evaluate(
    (optionsJSON) => globalThis.SimpleWebAuthnBrowser.startRegistration({ optionsJSON }),
    options,
  );
  person.added = await person.api.post('/api/auth/factors/passkeys', { name: 'Laptop', registration });
});

/** Signs the challenge of a login without a password. */
async function sign(more = {}) {
  const optionsJSON = succeeded(await app.api.post('/api/auth/passkeys/login/options')).data;
  return person.page.evaluate((all) => globalThis.SimpleWebAuthnBrowser.startAuthentication(all), {
    optionsJSON,
    ...more,
  });
}

const logIn = (assertion) => app.api.post('/api/auth/passkeys/login', { assertion });

function assertRefused(answer) {
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.error.details, [{ field: 'assertion', message: 'is wrong or was used' }]);
}

test('a passkey is registered, and logs in without a password, once per challenge', async () => {
  assert.equal(person.added.status, 201);
  assert.equal(person.added.data.recoveryCodes.length, 10);
  const assertion = await sign();
  const { data } = succeeded(await logIn(assertion));
  assert.equal(data.user.id, person.user.id);
  const factors = succeeded(await app.api.withToken(data.accessToken).get('/api/auth/factors')).data;
  assert.equal(factors.strength.acr, 'phr');
  assert.equal(factors.passkeys[0].name, 'Laptop');
  assertRefused(await logIn(assertion));
});

test('a passkey logs in from the autofill of a field', async () => {
  const { data } = succeeded(await logIn(await sign({ useBrowserAutofill: true })));
  assert.equal(data.user.id, person.user.id);
});

test('a page of another origin is refused', async () => {
  await person.page.goto(foreign.url);
  await person.page.addScriptTag({ path: bundle });
  assertRefused(await logIn(await sign()));
});

test('a cloned authenticator is refused and audited', async () => {
  const { cdp, id } = person.device;
  succeeded(await logIn(await sign()));
  succeeded(await logIn(await sign()));
  const [credential] = await person.device.passkeys();
  const { credentialId, signCount } = credential;
  await cdp.send('WebAuthn.removeCredential', { authenticatorId: id, credentialId });
  const copy = { ...credential, signCount: signCount - 2 };
  await cdp.send('WebAuthn.addCredential', { authenticatorId: id, credential: copy });
  assertRefused(await logIn(await sign()));
  const root = await app.api.login('admin');
  const rows = succeeded(await root.get(`/api/auth/audit?action=passkey_cloned&userId=${person.user.id}`)).data;
  assert.equal(rows.length, 1);
});
