// The display of a difference, tested in the browser.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import {
  compareSequences,
  compareWords,
  foldRows,
  foldRuns,
} from '../../services/console/src/views/drifts/sequence.js';
import { Browser } from './browser.mjs';

describe('the difference of a drift', () => {
  let app, browser, visitor;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
    visitor = await browser.visitor();
  });
  after(async () => {
    await browser?.farewell(visitor);
    await browser?.stop();
    await app?.stop();
  });

  /** Calls a function of the modules of the difference. */
  const ask = (name, ...args) =>
    visitor.page.evaluate(
      async ([name, args]) => {
        const modules = ['changes', 'paths', 'structure'].map(
          (file) => import(`./src/views/drifts/${file}.js`),
        );
        return Object.assign({}, ...(await Promise.all(modules)))[name](...args);
      },
      [name, args],
    );

  test('each changed path is one change: added, removed or changed', async () => {
    const changes = await ask('changesOf', {
      difference: [
        { path: ['size'], sensitive: false },
        { path: ['tags', 'owner'], sensitive: false },
        { path: ['tags', 'a.b'], sensitive: false },
        { path: ['password'], sensitive: true },
      ],
      expectedState: { size: 1, tags: { 'a.b': 'x' }, password: '(sensitive value)' },
      actualState: { size: 2, tags: { owner: 'ada' }, password: '(sensitive value)' },
    });
    assert.deepEqual(
      changes.map(({ label, type, isSensitive }) => [label, type, isSensitive]),
      [
        ['size', 'changed', false],
        ['tags.owner', 'added', false],
        ['tags["a.b"]', 'removed', false],
        ['password', 'changed', true],
      ],
    );
  });

  test('an array is compared as a whole, by content', async () => {
    const changes = await ask('changesOf', {
      difference: [
        { path: ['cidrs', 0], sensitive: false },
        { path: ['cidrs', 2], sensitive: false },
      ],
      expectedState: { cidrs: ['b', 'c', 'd'] },
      actualState: { cidrs: ['a', 'b', 'c'] },
    });
    assert.deepEqual(
      changes.map(({ label }) => label),
      ['cidrs'],
    );
    const lines = await ask('arrayLines', ['b', 'c', 'd'], ['a', 'b', 'c']);
    assert.deepEqual(
      lines.map(({ sign, item }) => sign + item),
      [' b', ' c', '−d', '+a'],
    );
  });

  test('the lines of a comparison are those of both sides, folded or not', async () => {
    const random = (() => {
      let seed = 7;
      return (below) => (seed = (seed * 48271) % 2147483647) % below;
    })();
    const some = () => Array.from({ length: random(30) }, () => 'abcd'[random(4)]);
    for (let nth = 0; nth < 300; nth += 1) {
      const [left, right] = [some(), some()];
      const steps = compareSequences(left, right);
      const side = (other) => steps.filter(({ sign }) => sign !== other).map(({ item }) => item);
      assert.deepEqual([side('+'), side('−')], [left, right]);
      const folded = foldRows(steps, { context: 1, most: 9 });
      assert.equal(
        folded.reduce((sum, { gap }) => sum + (gap ?? 1), 0),
        steps.length,
      );
      const words = compareWords(left.join(' '), right.join(' '));
      if (!words) continue;
      const text = (runs) => runs.map((run) => run.text).join('');
      assert.deepEqual([text(words.left), text(words.right)], [left.join(' '), right.join(' ')]);
    }
    // Beyond the bound, everything between the equal ends counts as changed.
    const [many, others] = ['a', 'b'].map((name) => Array.from({ length: 2000 }, (_, at) => `${name}${at}`));
    assert.equal(compareSequences(['x', ...many, 'y'], ['x', ...others, 'y']).length, 4002);
    const runs = foldRuns([
      { text: 'a'.repeat(500), isChanged: false },
      { text: 'b', isChanged: true },
    ]);
    assert.deepEqual(runs, [
      { cut: 440 },
      { text: 'a'.repeat(60), isChanged: false },
      { text: 'b', isChanged: true },
    ]);
  });

  test('a number keeps every digit', async () => {
    const text = '{"success":true,"data":{"large":12345678901234567891,"small":3,"price":990.25}}';
    const { data } = await visitor.page.evaluate(
      async (answer) => (await import('./src/http.js')).envelope(200, answer),
      text,
    );
    assert.deepEqual(data, { large: '12345678901234567891', small: 3, price: 990.25 });
  });

  test('without states, the paths are shown', async () => {
    const changes = await ask('changesOf', { difference: [{ path: ['acl'], sensitive: false }] });
    assert.deepEqual(
      changes.map(({ label, type }) => [label, type]),
      [['acl', 'changed']],
    );
    assert.deepEqual(await ask('changedNames', { difference: [] }), []);
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ path: [name, 'x', 0], sensitive: false }));
    assert.deepEqual(await ask('changedNames', { difference: many }), ['a.x', 'b.x', 'c.x', '2 more']);
  });
});
