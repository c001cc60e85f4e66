// Icons. Each severity, kind and status has its own shape, so that no information depends on colour alone.

import { h, svg } from './dom.js';

const LINES = {
  overview: 'M4 13h6V4H4zM14 20h6V4h-6zM4 20h6v-3H4z',
  stacks: 'M12 4l8 4-8 4-8-4zM4 12l8 4 8-4M4 16l8 4 8-4',
  drifts: 'M3 8h18M3 16h5c4 0 4-4 8-4h5',
  report: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7',
  alerts: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4',
  notifications: 'M20.500 3.500 3.500 10.500l6.500 3 3 6.500zM10 13.500l4-4',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6',
  trouble: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.500v5.500M12 16.200v.3',
  admin: 'M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.500-1.500-7.500-4.900-7.500-9.500V6z',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12M7 11l5 5 5-5M4 16v4h16v-4',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20.500 20.500 16 16',
  view: 'M4 6h16M7 12h10M10 18h4',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M15 5l-7 7 7 7',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  cross: 'M7 7l10 10M17 7 7 17',
  silent: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 7.500V12l3 2',
  blind: 'M3 12s3.500-6 9-6 9 6 9 6-3.500 6-9 6-9-6-9-6zM5 20 19 4',
  ring: 'M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14z',
  flag: 'M6 21V4h11l-2.500 4L17 12H6',
  equal: 'M5 9h14M5 15h14M16 5 8 19',
  gone: 'M6 12h12',
  extra: 'M12 6v12M6 12h12',
  down: 'M6 9l6 6 6-6',
  up: 'M6 15l6-6 6 6',
  sortable: 'M8 10l4-4 4 4M8 14l4 4 4-4',
  key: 'M14.500 9.500a4 4 0 1 0-3 3.900L13 15h2v2h2v2h3v-3l-5.700-5.700z',
  laptop: 'M5 5h14v10H5zM2.500 19h19',
  phone: 'M8 3h8v18H8zM11 18h2',
  terminal: 'M4 5h16v14H4zM7 9l3 3-3 3M12.500 15H16',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  theme: 'M12 4a8 8 0 1 0 8 8 6 6 0 0 1-8-8z',
  leave: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  pencil: 'M4 20l1-4L16 5l3 3L8 19z',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
};

/** A line drawing. Screen readers skip it, because the text next to it says the same. */
export function icon(name) {
  const path = svg('path', {
    d: LINES[name],
    fill: 'none',
    'stroke-width': 1.75,
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    stroke: 'currentColor',
  });
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, path);
}

const SHAPES = {
  critical: ['M12 1.500 22.500 12 12 22.500 1.500 12z', 'M12 7v6M12 16.200v.6'],
  warning: ['M12 2.500 22.500 21h-21z', 'M12 9.500v5M12 17.400v.4'],
  info: ['M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19z', 'M12 11.500v5M12 7.600v.4'],
};

/** A diamond, triangle or disc, with its name for screen readers. */
export function severityMark(severity) {
  const [outline, sign] = SHAPES[severity] ?? SHAPES.info;
  return svg(
    'svg',
    { class: `severity severity-${severity}`, viewBox: '0 0 24 24', role: 'img', 'aria-label': severity },
    svg('path', { d: outline, class: 'severity-shape' }),
    svg('path', { d: sign, class: 'severity-sign' }),
  );
}

export const KINDS = {
  changed: { icon: 'equal', label: 'Changed' },
  missing: { icon: 'gone', label: 'Missing' },
  unmanaged: { icon: 'extra', label: 'Unmanaged' },
};

export const STATUSES = {
  detected: { icon: 'ring', label: 'Open' },
  approved: { icon: 'check', label: 'Approved' },
  rejected: { icon: 'cross', label: 'Rejected' },
  resolved: { icon: 'flag', label: 'Resolved' },
};

export function statusMark(status) {
  const { icon: name, label } = STATUSES[status];
  return h('span', { class: 'status', data: { status } }, icon(name), label);
}

/** The logo: two lines, one of which drifts away. */
export function brandMark() {
  return svg(
    'svg',
    { class: 'brand-mark', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('path', { class: 'brand-expected', d: 'M3 11h26' }),
    svg('path', { class: 'brand-actual', d: 'M3 11c10 0 10 11 20 11h6' }),
    svg('circle', { class: 'brand-dot', cx: 23, cy: 22, r: 3.2 }),
  );
}
