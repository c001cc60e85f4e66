import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';

import { Process, repository } from '../lib/process.mjs';
import { temporaryFolder } from '../lib/servers.mjs';
import { freePort } from '../lib/waiting.mjs';

/** The PATH that includes a current Caddy. */
const toolsPath = execFileSync(`${repository}/deploy/tools.sh`, { encoding: 'utf8' }).trim();

/**
 * Caddy with the repository's own Caddyfile. `env` names the upstreams. `source` is another Caddyfile of the
 * repository, whose fixed ports are replaced; `change` gets the text of the file and returns the one to use.
 */
export async function startCaddy(env, source = 'Caddyfile', change = null) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const home = await temporaryFolder();
  const admin = `127.0.0.1:${adminPort}`;
  const variables = {
    SITE_ADDRESS: `:${port}`,
    CADDY_ADMIN: admin,
    CONSOLE_DIR: `${repository}/services/console`,
    HOME: home.path,
    ...env,
    PATH: toolsPath,
  };
  const isOwn = source === 'Caddyfile' && !change;
  const file = isOwn ? `${repository}/Caddyfile` : `${home.path}/Caddyfile`;
  if (!isOwn) {
    const text = (change ?? String)(await readFile(`${repository}/${source}`, 'utf8'));
    await writeFile(file, text.replace('admin localhost:2019', `admin ${admin}`).replace(/^:8080 \{$/m, `:${port} {`));
  }
  const caddy = new Process('caddy', ['run', '--config', file], variables);
  caddy.url = `http://127.0.0.1:${port}`;
  await caddy.until('listening', async () => (await fetch(`${caddy.url}/health`).catch(() => null))?.ok);
  /** Runs `caddy reload`, like an operator. */
  caddy.reload = () =>
    execFileSync('caddy', ['reload', '--force', '--config', file, '--address', admin], {
      env: variables,
      stdio: 'pipe',
    });
  /** Returns the configuration that Caddy made of the file. */
  caddy.config = () =>
    JSON.parse(execFileSync('caddy', ['adapt', '--config', file], { env: variables, encoding: 'utf8', stdio: 'pipe' }));
  caddy.stop = async () => {
    const code = await Process.prototype.stop.call(caddy);
    await home.remove();
    return code;
  };
  return caddy;
}
