// The recovery codes of an account, which are shown once.

import { copyText } from '../../copy.js';
import { openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { form } from '../../fields.js';
import { isoTime } from '../../time_zone.js';
import { icon } from '../../icons.js';
import { saveFile } from '../../save_file.js';
import * as session from '../../session.js';
import { needStyles } from '../../styles.js';

const FILE = 'driftsentry-recovery-codes.txt';

/** Shows the codes until the user confirms that they are kept. */
export async function showRecoveryCodes(codes) {
  await needStyles('people', 'factors');
  const list = h(
    'ol',
    { class: 'recovery-codes', 'aria-label': 'Recovery codes' },
    codes.map((code) => h('li', {}, h('code', {}, code))),
  );
  const button = (drawing, text, click) =>
    h('button', { class: 'button', type: 'button', on: { click } }, icon(drawing), text);
  const kept = h('input', { type: 'checkbox', name: 'kept', required: true });
  return openDialog(
    'Your recovery codes',
    (close) =>
      form(
        [
          h(
            'p',
            { class: 'banner banner-warning' },
            'Keep these codes in a safe place. They are not shown again. If you lose your other factors, each code logs you in once.',
          ),
          list,
          h(
            'div',
            { class: 'buttons recovery-buttons' },
            button('copy', 'Copy', () => copyText(codes.join('\n'), list)),
            button('download', 'Download', () => saveFile(asFile(codes), FILE)),
          ),
          h('label', { class: 'check' }, kept, 'I have saved these codes'),
        ],
        {
          action: 'Done',
          dialog: true,
          blame: () => kept,
          async send() {
            if (!kept.checked) throw new Error('Save the codes first, then check the box.');
            close();
          },
        },
      ),
    { insistent: true },
  );
}

function asFile(codes) {
  const head = `Recovery codes of ${session.user().email} at ${location.host}, ${isoTime(Date.now())}. Each works once.`;
  return new Blob([`${head}\n\n${codes.join('\n')}\n`], { type: 'text/plain' });
}
