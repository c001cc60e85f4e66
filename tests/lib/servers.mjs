import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Process, binary } from './process.mjs';
import { freePort } from './waiting.mjs';

const run = promisify(execFile);

/** Creates a folder that `remove()` deletes, or the end of this process if a test failed before. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'driftsentry-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Returns all bytes of all files in a folder, as text in which ASCII can be searched. */
export async function contents(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((file) => readFile(join(file.parentPath ?? file.path, file.name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}

/** A private PostgreSQL. Each database is new and empty. */
export class Postgres {
  #process = new Process(binary('private-postgres'));
  #urls = [];

  async newDatabase() {
    const known = this.#urls.length;
    this.#process.say('new');
    await this.#process.until('a database', () => this.#process.log.split('\n').length > known + 1);
    this.#urls = this.#process.log.trim().split('\n');
    return this.#urls.at(-1);
  }

  /** Returns all databases as SQL. */
  async dump() {
    const dumps = this.#urls.map((url) => run('pg_dump', ['--inserts', url], { maxBuffer: 1 << 28 }));
    return (await Promise.all(dumps)).map(({ stdout }) => stdout).join('\n');
  }

  stop() {
    return this.#process.stop();
  }
}

/** A private Redis that records every command. */
export class Redis {
  static async start() {
    const redis = new Redis();
    redis.folder = await temporaryFolder();
    redis.port = await freePort();
    redis.url = `redis://127.0.0.1:${redis.port}`;
    const files = ['--dir', redis.folder.path, '--save', '', '--appendonly', 'yes', '--appendfsync', 'no'];
    redis.process = new Process('redis-server', ['--port', String(redis.port), '--bind', '127.0.0.1', ...files]);
    await redis.process.until('ready', () => redis.process.log.includes('Ready to accept connections'));
    return redis;
  }

  /** Returns the URL for a service. Here, all services share one user. */
  urlFor() {
    return this.url;
  }

  /** Runs `redis-cli psubscribe`; its output is in `log`. */
  async psubscribe(pattern) {
    const listener = new Process('redis-cli', ['-p', String(this.port), 'psubscribe', pattern]);
    await listener.until('subscribed', () => listener.log.includes(pattern));
    return listener;
  }

  /** Returns every command that changed data. */
  dump() {
    return contents(this.folder.path);
  }

  async stop() {
    await this.process.stop();
    await this.folder.remove();
  }
}
