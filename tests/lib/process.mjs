import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { eventually } from './waiting.mjs';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Returns the path of a binary of this workspace, as built by `make test`. */
export const binary = (name) => `${repository}/target/debug/${name}`;

/** A program that runs until `stop()`, with its output. */
export class Process {
  #child;
  #text = '';
  #ended;

  /** The environment is only `env` and PATH. */
  constructor(program, args = [], env = {}) {
    this.name = program.split('/').at(-1);
    this.env = env;
    // setpriv makes the program end together with this process, even if this process is killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#text += text));
    }
  }

  get log() {
    return this.#text;
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until `attempt` returns a result. Fails with the log if the program ends before. */
  until(what, attempt) {
    return eventually(() => `${this.name}: ${what}:\n${this.#text}`, async () => {
      if (!this.running) throw new Error(`${this.name} ended:\n${this.#text}`);
      return attempt();
    });
  }

  ready(url) {
    return this.until('ready', async () => {
      const answer = await fetch(`${url}/ready`).catch(() => null);
      return answer?.ok;
    });
  }

  say(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  /** Asks the program to stop and returns its exit code, or `null` if it had to be killed. */
  async stop(limitMs = 15_000) {
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    await this.#ended;
    clearTimeout(killer);
    return this.#child.exitCode;
  }
}
