// One drift: facts, difference, decision and history.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, breakable, plural } from '../../format.js';
import { KINDS, icon, severityMark, statusMark } from '../../icons.js';
import { onLive, throttled } from '../../live.js';
import * as session from '../../session.js';
import { failed, skeleton } from '../../states.js';
import { summary } from '../../summary.js';
import { setTitle } from '../../title.js';
import { costText, isPriced } from './cost.js';
import { careArea } from './care.js';
import { commentsArea } from './comments.js';
import { decisionArea } from './decide.js';
import { showDeciders } from './deciders.js';
import { diffView } from './diff.js';
import { historyView } from './history.js';
import { outcome } from './outcome.js';
import { rhythm } from './rhythm.js';
import { searchFor } from './search.js';

export function showDetail(place, id, { close, next, follow, known, deciders, signal }) {
  const above = h('div', {}, skeleton(5));
  const below = h('div', {});
  // Filled only when the status changes, so that other updates do not erase a reason while the user writes it.
  const deciding = h('div', { class: 'deciding' });
  // Kept over updates, so that a comment is not erased while the user writes it.
  const following = h('div', {});
  const title = h('h2', { tabindex: '-1' }, breakable(known?.address ?? 'Drift'));
  const marks = h('div', { class: 'detail-marks' });
  const others = h('p', { class: 'others-deciding', role: 'status', hidden: true });
  deciders.onChange((changed) => changed === id && showDeciders(others, deciders.on(id)), signal);
  showDeciders(others, deciders.on(id));
  fill(
    place,
    h(
      'header',
      { class: 'detail-head' },
      h(
        'button',
        {
          class: 'icon-button detail-close',
          'aria-label': 'Back to the list',
          title: 'Back to the list (Escape)',
          on: { click: close },
        },
        icon('close'),
      ),
      marks,
      title,
    ),
    above,
    others,
    deciding,
    following,
    below,
  );
  let decision = null;
  let care = null;

  /** Reads and shows the drift, and returns it; null after an error. */
  const read = async () => {
    try {
      const [{ data: drift }, { data: history }] = await Promise.all([
        get(`/api/v1/drifts/${id}`, {}, { signal }),
        get(`/api/v1/drifts/${id}/history`, { limit: 50 }, { signal }),
      ]);
      if (signal.aborted) return null;
      setTitle(drift.address, 'Drifts');
      deciders.learn(drift);
      fill(title, breakable(drift.address));
      fill(
        marks,
        severityMark(drift.severity),
        h(
          'p',
          { class: 'detail-severity' },
          h('strong', {}, drift.severity),
          drift.severityReason && h('span', { class: 'severity-reason' }, `: ${drift.severityReason}`),
        ),
        statusMark(drift.status),
      );
      fill(above, outcome(drift), difference(drift));
      if (decision?.status !== drift.status) {
        decision?.area?.leave();
        decision = { status: drift.status, area: decisionArea(drift, { reread: read, next, signal }) };
        const hadFocus = deciding.contains(document.activeElement);
        fill(deciding, decision.area);
        if (hadFocus) title.focus({ preventScroll: true });
      }
      decision.area?.follow(drift);
      if (!care) {
        care = careArea(`/api/v1/drifts/${id}`, { reread: read, signal });
        fill(following, care.element, commentsArea(id, signal));
      }
      care.show(drift);
      follow(drift);
      fill(below, facts(drift), historyView(history));
      return drift;
    } catch (error) {
      if (signal.aborted) return null;
      decision = null;
      fill(deciding);
      fill(below);
      fill(above, failed(error, read));
      return null;
    }
  };
  const again = throttled(150, read, signal);
  onLive('drift:', (events) => events.some(({ payload }) => payload.id === id) && again(), signal);
  onLive('resync', again, signal);
  read();
}

function facts(drift) {
  const kind = KINDS[drift.kind];
  const filter = (name, value) =>
    h(
      'a',
      {
        href: `#/drifts?${new URLSearchParams({ [name]: value })}`,
        title: `All open drifts of this ${name}`,
      },
      value,
    );
  const rows = [
    ['Kind', [h('span', { class: 'kind' }, icon(kind.icon), kind.label)]],
    ['Type', [h('code', {}, drift.resourceType), searchFor('type', drift.resourceType)]],
    ['Stack', [filter('stack', drift.stack), searchFor('stack', drift.stack)]],
    drift.region && ['Region', filter('region', drift.region)],
    drift.accountId && ['Account', [drift.accountId, searchFor('account', drift.accountId)]],
    drift.provider && ['Provider', drift.provider],
    (isPriced(drift) || summary()?.hasCosts) && ['Cost', `${costText(drift)}${isPriced(drift) ? ' per month' : ''}`],
    ['First seen', ago(drift.firstSeenAt, 'ago')],
    [
      'Last seen',
      [
        ago(drift.lastSeenAt, 'ago'),
        drift.occurrences > 1 && h('small', {}, ` in ${plural(drift.occurrences, 'scan')}`),
      ],
    ],
    rhythm(drift) && ['Rhythm', rhythm(drift)],
    ['Resource', h('code', { class: 'breakable' }, drift.resourceId)],
    drift.previousDriftId && [
      'Previous',
      h('a', { href: `#/drifts/${drift.previousDriftId}` }, 'the drift that this one replaced'),
    ],
  ].filter(Boolean);
  return h(
    'dl',
    { class: 'facts' },
    rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

function difference(drift) {
  const legend =
    drift.kind === 'changed' &&
    session.may('engineer') &&
    h(
      'p',
      { class: 'legend' },
      h('span', { data: { sign: '−' } }, 'expected'),
      h('span', { data: { sign: '+' } }, 'actual'),
    );
  return h(
    'section',
    { class: 'detail-section diff-section' },
    h('header', {}, h('h3', {}, 'Difference'), legend),
    diffView(drift),
  );
}
