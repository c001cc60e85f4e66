// Uploads of plans: the sample, a file dropped on the page, or a file chosen in the upload form.

import { ingest } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { count, explain } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { readSummary } from '../../summary.js';

export async function loadSample(button) {
  await busy(button, async () => {
    try {
      const sample = await (await fetch('sample/plan.json.gz')).blob();
      const { data } = await ingest({ stack: 'sample' }, sample, () => {});
      notify(`Sample plan loaded: ${count(data.created)} drifts.`);
      readSummary();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  });
}

/** Accepts files dropped anywhere on the view, and shows a veil while a file is dragged over it. */
export function acceptDrops(view, signal) {
  if (!session.may('engineer')) return;
  const veil = h(
    'div',
    { class: 'veil', hidden: true, 'aria-hidden': 'true' },
    h('p', {}, icon('upload'), 'Drop the plan to upload it'),
  );
  view.append(veil);
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0 || document.querySelector('dialog[open]') !== null;
  };
  const listen = (type, listener) =>
    addEventListener(type, (event) => hasFiles(event) && (event.preventDefault(), listener(event)), {
      signal,
    });
  listen('dragenter', () => over(1));
  listen('dragleave', () => over(-1));
  listen('dragover', () => {});
  listen('drop', ({ dataTransfer, target }) => {
    over(-depth);
    const [file] = dataTransfer.files;
    const open = target.closest?.('.upload');
    if (file && open) open.choose(file);
    else if (file && !document.querySelector('dialog[open]')) openUpload(file);
  });
}

/** Opens the upload form. The form is loaded here, because most visits do not need it. */
export async function openUpload(file) {
  try {
    const { uploadForm } = await import('./upload.js');
    await openDialog('Upload a plan', (close) => uploadForm(file, close), { wide: true });
  } catch {
    notify('The upload form did not load. Check your connection and try again.', { tone: 'error' });
  }
}
