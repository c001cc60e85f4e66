// Notifications: destinations, the form of one destination, and the log of deliveries.

import { fill, h } from '../dom.js';
import * as session from '../session.js';
import { failed } from '../states.js';
import { setTitle } from '../title.js';
import { showDeliveries } from './notifications/deliveries.js';
import { showEditor } from './notifications/editor.js';
import { showDestinations } from './notifications/list.js';

const TABS = { destinations: ['Destinations', ''], deliveries: ['Deliveries', '/deliveries'] };
const TITLE = 'Notifications';

export function show(main, found, signal) {
  const place = h('div', { class: 'admin-part', tabindex: '-1' });
  const links = Object.entries(TABS).map(([name, [label, path]]) =>
    h('a', { class: 'tab', href: `#/notifications${path}`, data: { name } }, label),
  );
  const tabs = session.may('engineer') && h('nav', { class: 'tabs', 'aria-label': TITLE }, links);
  let leaving = new AbortController();
  fill(main, h('header', { class: 'view-head' }, h('h1', {}, TITLE)), tabs, place);

  const update = ({ id, query }) => {
    leaving.abort();
    leaving = new AbortController();
    const visit = AbortSignal.any([leaving.signal, signal]);
    const isLog = id === 'deliveries';
    setTitle(isLog ? TABS.deliveries[0] : null, TITLE);
    for (const link of links) {
      if ((link.dataset.name === 'deliveries') === isLog) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    const isForm = id !== null && !isLog;
    if (!session.may(isForm ? 'admin' : 'engineer')) return refuse(place, isForm ? 'admins' : 'engineers and admins');
    if (isLog) return showDeliveries(place, visit, query);
    if (isForm) return showEditor(place, visit, id === 'new' ? null : id);
    return showDestinations(place, visit);
  };
  update(found);
  return (next) => {
    update(next);
    scrollTo(0, 0);
    // The link that led here may be gone.
    if (!main.contains(document.activeElement)) place.focus({ preventScroll: true });
  };
}

function refuse(place, who) {
  const message = `Only ${who} can open this page. Ask an admin to change your role.`;
  fill(place, failed({ status: 403, message }));
}
