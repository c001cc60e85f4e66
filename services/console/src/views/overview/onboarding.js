// The first steps of an admin: name a stack, copy the step for CI, and see its first scan arrive.

import { get } from '../../api.js';
import { copyButton } from '../../copy.js';
import { fill, h } from '../../dom.js';
import { icon } from '../../icons.js';
import { onLive } from '../../live.js';
import { field } from '../../fields.js';
import { stackAddress } from '../stacks/words.js';
import { loadSample, openUpload } from '../drifts/intake.js';
import { VARIANTS } from './ci_steps.js';

const USUAL_STACK = 'prod';

/** Shows the steps. `done()` shows the overview. */
export function onboarding(done, signal) {
  let chosen = 'github';
  const code = h('pre', { class: 'snippet', tabindex: '0', 'aria-label': 'The step for CI' });
  const stack = h('input', {
    name: 'first-stack',
    maxlength: 100,
    autocomplete: 'off',
    spellcheck: 'false',
    value: USUAL_STACK,
    on: { input: draw },
  });
  const buttons = Object.entries(VARIANTS).map(([name, { label }]) =>
    h('button', { class: 'tab', data: { name }, on: { click: () => ((chosen = name), draw()) } }, label),
  );
  const where = h('p', { class: 'hint' });
  const arrived = h('div', { role: 'status' });
  const wait = step(3, 'The first scan arrives', arrived);

  function draw() {
    const { text, file } = VARIANTS[chosen];
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.name === chosen));
    fill(where, file);
    fill(code, text({ url: location.origin, stack: stackName(stack.value) }));
  }

  async function look() {
    const { data } = await get('/api/v1/scans', { limit: 1 }, { signal });
    if (data.length === 0) return;
    const [{ stack: name }] = data;
    wait.classList.add('is-done');
    fill(wait.querySelector('.step-mark'), icon('check'));
    fill(
      arrived,
      h('p', {}, 'The first scan of ', h('a', { href: stackAddress(name) }, name), ' has arrived.'),
      h('button', { class: 'button button-primary', on: { click: done } }, 'Show the overview'),
    );
  }
  const again = () => look().catch(() => {});
  for (const type of ['scan:', 'drift:created', 'resync']) onLive(type, again, signal);

  draw();
  fill(arrived, h('p', { class: 'quiet' }, 'This page shows it at once.'));
  again();
  const first = step('check', 'The admin account exists', h('p', { class: 'quiet' }, 'You are logged in with it.'));
  first.classList.add('is-done');
  return h(
    'section',
    { class: 'onboarding' },
    h('h2', {}, 'From zero to the first scan'),
    h(
      'ol',
      { class: 'steps' },
      first,
      step(
        1,
        'Name the first stack',
        field('Stack', stack, 'One Terraform state or workspace, such as prod/network. For all modules of a folder: prod/{module}.'),
      ),
      step(
        2,
        'Add this step to CI',
        h('div', { class: 'tabs', role: 'group', 'aria-label': 'Where the step runs' }, buttons),
        where,
        h('div', { class: 'code-with-copy' }, code, copyButton('the step', () => code.textContent, () => code)),
        h(
          'p',
          { class: 'hint' },
          h('a', { href: '#/admin/tokens' }, 'Create a token'),
          ' with the role engineer, and store it as the secret DRIFTSENTRY_TOKEN.',
        ),
      ),
      wait,
    ),
    h(
      'p',
      { class: 'step-others' },
      'Or first look at made-up resources: ',
      h('button', { class: 'button', on: { click: ({ currentTarget }) => loadSample(currentTarget) } }, 'Load the sample plan'),
      ' ',
      h('button', { class: 'button', on: { click: () => openUpload() } }, icon('upload'), 'Upload a plan'),
    ),
  );
}

/** Returns a name that needs no quotes in a shell or in YAML. */
const stackName = (text) => text.trim().replaceAll(/[^\w./{}-]+/g, '-') || USUAL_STACK;

function step(mark, title, ...parts) {
  return h(
    'li',
    { class: 'step' },
    h('span', { class: 'step-mark', 'aria-hidden': 'true' }, mark === 'check' ? icon('check') : mark),
    h('div', {}, h('h3', {}, title), parts),
  );
}
