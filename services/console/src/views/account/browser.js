// Settings that are kept in this browser.

import { fill, h } from '../../dom.js';
import { selectField } from '../../fields.js';
import { atMoment } from '../../format.js';
import { setTimeZone, timeZone } from '../../time_zone.js';

export function browserPart() {
  const example = h('p', { class: 'hint', role: 'status' });
  const draw = () => fill(example, `Now: ${atMoment(Date.now())}`);
  const field = selectField('Show times in', { name: 'times', value: timeZone() }, [
    ['local', 'the zone of this device'],
    ['utc', 'UTC'],
  ]);
  field.querySelector('select').addEventListener('change', ({ target }) => {
    setTimeZone(target.value);
    draw();
  });
  draw();
  field.append(example);
  return field;
}
