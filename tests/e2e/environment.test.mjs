// .env.example is generated from the help of the binaries. UPDATE=1 writes the file again.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { binary, repository } from '../lib/process.mjs';

const FILE = `${repository}/.env.example`;
const HEAD = `# The environment variables of DriftSentry, with their defaults. \`driftsentry\` needs none of them. The split
# binaries need DATABASE_URL, REDIS_URL and the four secrets (openssl rand -hex 32). Their ports are 4001
# (auth-service), 4002 (drift-service), 4003 (notify-service) and 4004 (ws-gateway). Each command line option has the same name.
# Names of the old stack work too: NODE_ENV for APP_ENV; REDIS_HOST, REDIS_PORT and REDIS_PASSWORD for REDIS_URL.
# RUST_LOG filters the log (default: info). LOG_FORMAT=json|pretty selects its format.
# OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 sends traces to a collector. The default is off.
# In development, a service reads the file .env in its working folder, unless the file chooses another environment. Put values
# with spaces, # or $ into single quotes.
`;

const help = (name) => execFileSync(binary(name), ['--help'], { env: {}, encoding: 'utf8' });

/** Returns the groups of `driftsentry --help` as commented-out variables. */
function settings() {
  const lines = [];
  for (const group of help('driftsentry').split(/^(?=\S.*:$)/m)) {
    const options = group.split(/^ +(?=--?\w)/m).filter((text) => text.includes('[env: '));
    if (options.length > 0) lines.push('', `# ${group.split(':')[0]}`, '');
    for (const text of options) {
      const [, does] = text.split('\n').map((line) => line.trim());
      const choices = [...text.matchAll(/^ +- (\w+)/gm)].map(([, choice]) => choice);
      const [, name] = text.match(/\[env: (\w+)/);
      const [, value] = text.match(/\[default: (.*)\]/) ?? [];
      lines.push(`# ${does}${choices.length > 0 ? `: ${choices.join(' | ')}` : ''}`, `#${name}=${value ?? ''}`);
    }
  }
  return lines.join('\n');
}

test('.env.example matches the help of driftsentry', () => {
  const wanted = `${HEAD}${settings()}\n`;
  if (process.env.UPDATE) writeFileSync(FILE, wanted);
  assert.equal(readFileSync(FILE, 'utf8'), wanted);
});

test('the split binaries read no variable that driftsentry does not know', () => {
  const known = readFileSync(FILE, 'utf8');
  for (const name of ['auth-service', 'drift-service', 'notify-service', 'ws-gateway']) {
    for (const [, variable] of help(name).matchAll(/\[env: (\w+)/g)) {
      assert.match(known, new RegExp(`^#${variable}=`, 'm'), `${variable} of ${name}`);
    }
  }
});

test('each binary has the port and the defaults of the old stack', () => {
  const ports = { driftsentry: 3001, 'auth-service': 4001, 'drift-service': 4002, 'notify-service': 4003, 'ws-gateway': 4004 };
  for (const [name, port] of Object.entries(ports)) {
    assert.match(help(name), new RegExp(`\\[env: PORT=\\]\\s+\\[default: ${port}\\]`), name);
  }
  const known = readFileSync(FILE, 'utf8').split('\n');
  for (const setting of [
    'JWT_ACCESS_EXPIRY=15m', 'JWT_REFRESH_EXPIRY=7d', 'SESSION_TIMEOUT_MINUTES=60', 'SESSION_LIFETIME_HOURS=168',
    'MAX_SESSIONS_PER_USER=5', 'BCRYPT_COST=10', 'GATEWAY_MESSAGES_PER_SECOND=10',
  ]) {
    assert.ok(known.includes(`#${setting}`), setting);
  }
  assert.match(help('driftsentry'), /CORS_ORIGIN[^]*http:\/\/localhost:3000 in development/);
});
