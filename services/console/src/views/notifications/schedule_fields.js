// The fields of a schedule: digests, quiet hours, groups and repeats.

import { h } from '../../dom.js';
import { inputField, selectField } from '../../fields.js';
import { zoneHere, zoneOptions } from '../../time_zone.js';

const USUAL_QUIET = { from: '22:00', to: '07:00', timeZone: null, exceptCritical: true };

/** Returns the fields, and a function that returns the schedule of the values of the form. */
export function scheduleFields(schedule) {
  const quiet = { ...USUAL_QUIET, ...schedule.quietHours };
  const zone = quiet.timeZone ?? zoneHere();
  const hasQuiet = check(schedule.quietHours !== null);
  const exceptCritical = check(quiet.exceptCritical);
  const groupByScan = check(schedule.groupByScan);
  const skipRepeats = check(schedule.skipRepeats);
  const time = (label, part) =>
    inputField(label, { name: `schedule.quietHours.${part}`, type: 'time', value: quiet[part] });
  const hours = h(
    'div',
    { class: 'quiet-hours' },
    time('From', 'from'),
    time('To', 'to'),
    selectField('Time zone', { name: 'schedule.quietHours.timeZone', value: zone }, zoneOptions(zone)),
    label(exceptCritical, 'Send what is critical at once'),
  );
  const follow = () => (hours.hidden = !hasQuiet.checked);
  hasQuiet.addEventListener('change', follow);
  follow();
  return {
    element: [
      inputField(
        'Minutes between digests (optional)',
        {
          name: 'schedule.digestMinutes',
          type: 'number',
          min: 5,
          max: 1440,
          value: schedule.digestMinutes ?? '',
        },
        'What happens meanwhile is sent as one message. 5 to 1440. Empty: each event at once.',
      ),
      inputField(
        'Seconds in which an engineer may receive it here instead (optional)',
        {
          name: 'schedule.unlessReceivedSeconds',
          type: 'number',
          min: 30,
          max: 3600,
          value: schedule.unlessReceivedSeconds ?? '',
        },
        'A new drift or alert is sent only if no engineer or admin with an open console received it. 30 to 3600.',
      ),
      label(hasQuiet, 'Quiet hours: what happens in them is sent at their end'),
      hours,
      label(groupByScan, 'One message for each scan, instead of one for each new drift'),
      label(skipRepeats, 'No message while a drift keeps its status and its severity'),
    ],
    schedule: (values) => ({
      digestMinutes: number(values['schedule.digestMinutes']),
      unlessReceivedSeconds: number(values['schedule.unlessReceivedSeconds']),
      quietHours: hasQuiet.checked
        ? {
            from: values['schedule.quietHours.from'],
            to: values['schedule.quietHours.to'],
            timeZone: values['schedule.quietHours.timeZone'],
            exceptCritical: exceptCritical.checked,
          }
        : null,
      groupByScan: groupByScan.checked,
      skipRepeats: skipRepeats.checked,
    }),
  };
}

const number = (text) => (text ? Number(text) : null);
const check = (checked) => h('input', { type: 'checkbox', checked });
const label = (input, text) => h('label', { class: 'check' }, input, text);
