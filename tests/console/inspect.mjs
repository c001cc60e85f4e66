import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The content security policy forbids foreign scripts, including axe. */
const still = { bypassCSP: true, reducedMotion: 'reduce' };

/** Options for visitors whose pages can be inspected. */
export const DEVICES = {
  'in light': { ...still, colorScheme: 'light' },
  'in dark': { ...still, colorScheme: 'dark' },
  'on a phone': { ...still, viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true },
};

/** Checks for serious faults and for horizontal scrolling. */
export async function inspect(page, where) {
  await page.evaluate(() => {
    // Some never finish: those that repeat without end, and those of an element that the browser does not draw.
    const all = Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
    return Promise.race([all, new Promise((resolve) => setTimeout(resolve, 3_000))]);
  });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const faults = violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(({ html }) => html)
          .join(' · ')}`,
    );
  assert.deepEqual(faults, [], where);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  const overflow = width - page.viewportSize().width;
  assert.ok(overflow <= 0, `${where} is ${overflow} px too wide`);
}
