import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Process, repository } from './process.mjs';
import { temporaryFolder } from './servers.mjs';
import { eventually } from './waiting.mjs';

/** A real SMTP server that keeps every mail. `url` is for `SMTP_URL`. */
export class Mailbox {
  #read = new Map();
  #taken = new Set();

  static async start() {
    const mailbox = new Mailbox();
    mailbox.folder = await temporaryFolder();
    const options = ['--port', '0', '--folder', mailbox.folder.path, '--mode', 'plain'];
    const program = `${repository}/tests/.venv/bin/python`;
    mailbox.process = new Process(program, [`${repository}/tests/smtp_server.py`, ...options]);
    const port = await mailbox.process.until('a port', () => /^\d+$/m.exec(mailbox.process.log)?.[0]);
    mailbox.url = `smtp://127.0.0.1:${port}`;
    return mailbox;
  }

  /** Returns all mails, the oldest first. */
  async all() {
    const names = (await readdir(this.folder.path)).filter((name) => name.endsWith('.eml')).sort();
    for (const name of names) {
      if (!this.#read.has(name))
        this.#read.set(name, parsed(await readFile(join(this.folder.path, name), 'utf8')));
    }
    return names.map((name) => this.#read.get(name));
  }

  /** Waits for the next mail to an address, which no call has returned before. */
  next(address) {
    return eventually(`a mail to ${address}`, async () => {
      const mail = (await this.all()).find((one) => one.to === address && !this.#taken.has(one));
      if (mail) this.#taken.add(mail);
      return mail;
    });
  }

  async stop() {
    await this.process.stop();
    await this.folder.remove();
  }
}

/** Returns `{to, id, subject, text, html, link, code, links}` of a mail. */
function parsed(source) {
  const { headers, parts } = entity(source);
  const [text, html] = ['text/plain', 'text/html'].map(
    (type) => parts.find((part) => part.type === type)?.text,
  );
  const links = [...new Set(`${text}\n${html}`.match(/https?:\/\/[^\s"<>]+/g))];
  return {
    to: headers['x-recipient'],
    id: headers['message-id'],
    subject: headers.subject,
    text,
    html,
    links,
    link: links.find((link) => link.includes('token=')),
    code: /\b(\d{3}) (\d{3})\b/.exec(text)?.slice(1).join(''),
  };
}

function entity(source) {
  const [, head, body] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(source);
  const lines = head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':', 1)[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const kind = headers['content-type'] ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/.exec(kind)?.[1];
  if (!boundary) return { headers, parts: [{ type: kind.split(';')[0], text: decoded(body, headers) }] };
  const inner = body.split(`--${boundary}`).slice(1, -1);
  return { headers, parts: inner.flatMap((part) => entity(part.replace(/^\r?\n/, '')).parts) };
}

function decoded(body, headers) {
  const encoding = headers['content-transfer-encoding']?.toLowerCase();
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') return body;
  const bytes = body
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([\dA-F]{2})/g, (whole, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
