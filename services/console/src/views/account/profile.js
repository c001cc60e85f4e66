// Name, time zone, language and notifications.

import { patch } from '../../api.js';
import { fill, h } from '../../dom.js';
import { form, inputField, selectField } from '../../fields.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { zoneHere, zoneOptions } from '../../time_zone.js';

const ME = '/api/auth/me';
const LANGUAGES = {
  de: 'Deutsch',
  en: 'English',
  es: 'Español',
  fr: 'Français',
  it: 'Italiano',
  ja: '日本語',
  pt: 'Português',
  zh: '中文',
};
/** The events that a user may want to hear about, with their words. */
const EVENTS = {
  driftCritical: 'A drift is critical',
  driftDecided: 'Somebody decides on a drift that I work on',
};

export function profilePart(me) {
  const head = h('div', { class: 'profile-head' });
  const draw = ({ name, role, accountId }) =>
    fill(
      head,
      avatar(name),
      h('p', {}, h('strong', {}, name), h('small', {}, accountId ? `${role} · ${accountId}` : role)),
    );
  draw(me);
  const events = Object.entries(EVENTS).map(([name, label]) =>
    h(
      'label',
      { class: 'check' },
      h('input', { type: 'checkbox', name, checked: me.notifications?.events?.[name] ?? true }),
      label,
    ),
  );
  const save = async ({ name, timeZone, language }, element) => {
    const wanted = Object.keys(EVENTS).map((event) => [event, element.elements[event].checked]);
    const { data } = await patch(ME, {
      name: name.trim(),
      timeZone: timeZone || null,
      language: language || null,
      notifications: {
        ...me.notifications,
        events: { ...me.notifications?.events, ...Object.fromEntries(wanted) },
      },
    });
    session.nameUser(data.name);
    for (const shown of document.querySelectorAll('.whoami-name strong')) shown.textContent = data.name;
    draw(data);
    notify('Profile saved.');
  };
  return [
    head,
    form(
      [
        inputField('Name', {
          name: 'name',
          autocomplete: 'name',
          required: true,
          maxlength: 100,
          value: me.name,
        }),
        selectField('Time zone', { name: 'timeZone', value: me.timeZone ?? '' }, timeZones(me.timeZone)),
        selectField(
          'Language',
          { name: 'language', value: me.language ?? '' },
          languages(me.language),
          'For mails. The console is in English.',
        ),
        h(
          'fieldset',
          { class: 'checks' },
          h('legend', {}, 'Tell me when'),
          events,
          h('p', { class: 'hint' }, 'The integrations that send notifications read these choices.'),
        ),
      ],
      { action: 'Save profile', tone: '', send: save },
    ),
  ];
}

/** The initials of a name in a disc. Screen readers skip it, because the name is next to it. */
export function avatar(name) {
  const words = name.trim().split(/\s+/);
  const initials = [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => [...word][0] ?? '');
  return h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials.join('').toUpperCase());
}

const timeZones = (chosen) => [
  ['', `As on each device (here ${zoneHere().replaceAll('_', ' ')})`],
  ...zoneOptions(chosen),
];

function languages(chosen) {
  const known = Object.entries(LANGUAGES);
  const other = chosen && !(chosen in LANGUAGES) ? [[chosen, chosen]] : [];
  return [['', 'Not set'], ...known, ...other];
}
