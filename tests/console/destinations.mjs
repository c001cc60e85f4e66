import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { Receiver } from '../lib/receiver.mjs';
import { sample } from '../lib/samples.mjs';
import { Browser, visit } from './browser.mjs';

export const DESTINATIONS = '/api/v1/notifications/destinations';

/** A deployment that sends notifications to a receiver, with a browser. */
export class Post {
  static async start() {
    const post = new Post();
    post.app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
    post.browser = await Browser.start(post.app.api.origins.auth);
    return post;
  }

  /** Deletes all destinations, and starts a receiver of its own for a test. */
  async begin() {
    // Each page of a person is a session, and a user has few of them.
    this.api = await this.app.api.login('admin');
    for (const { id } of await this.list()) succeeded(await this.api.delete(`${DESTINATIONS}/${id}`));
    this.receiver = await Receiver.start();
  }

  end() {
    this.receiver?.stop();
  }

  async stop() {
    await this.browser?.stop();
    await this.app?.stop();
  }

  async list() {
    return succeeded(await this.api.get(DESTINATIONS)).data;
  }

  /** Creates a destination of this kind at the receiver; `more` has its rules, schedule or template. */
  async create(kind, name, more = {}) {
    const body = { name, target: { kind, url: this.receiver.url }, ...more };
    return succeeded(await this.api.post(DESTINATIONS, body)).data;
  }

  async change({ id }, change) {
    return succeeded(await this.api.patch(`${DESTINATIONS}/${id}`, change)).data;
  }

  async scan(stack) {
    return succeeded(await this.api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack }));
  }
}

/** Returns the row of a destination. */
export const row = (page, name) => page.getByRole('row').filter({ hasText: name });

export async function openList(page) {
  await visit(page, '#/notifications');
  await page.getByRole('navigation', { name: 'Notifications' }).waitFor();
}

export async function openEditor(page, { id, name }) {
  await visit(page, `#/notifications/${id}`);
  await page.getByRole('heading', { name: `Edit ${name}` }).waitFor();
}
