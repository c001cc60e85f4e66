// Small charts, drawn as SVG. Each chart has its numbers as text too, for people who cannot see it.

import { h, svg } from './dom.js';
import { count, plural } from './format.js';
import { severityMark } from './icons.js';

const WIDTH = 560;
const HEIGHT = 150;
const GAP = 0.3;

/** One bar of shares; `parts` are `{name, label, value, href}`. */
export function shareBar(parts) {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  let at = 0;
  const bars = parts
    .filter(({ value }) => value > 0)
    .map(({ name, value }) => {
      const width = (value / total) * 100;
      const bar = svg('rect', { class: `fill-${name}`, x: `${at}%`, y: 0, width: `${width}%`, height: 14 });
      at += width;
      return bar;
    });
  return h(
    'div',
    { class: 'share' },
    svg(
      'svg',
      { class: 'share-bar', width: '100%', height: 14, 'aria-hidden': 'true' },
      svg('rect', { class: 'fill-none', width: '100%', height: 14 }),
      bars,
    ),
    h(
      'ul',
      { class: 'share-legend' },
      parts.map(({ name, label, value, href }) =>
        h(
          'li',
          {},
          h(
            'a',
            { href },
            severityMark(name),
            h('span', { class: 'share-label' }, label),
            h('strong', {}, count(value)),
          ),
        ),
      ),
    ),
  );
}

/** Stacked bars, one per day; `days` are `{day: Date, critical, warning, info, note}`. */
export function dayBars(days, names) {
  const sums = days.map((day) => names.reduce((sum, name) => sum + day[name], 0));
  const top = niceTop(Math.max(...sums));
  const step = WIDTH / days.length;
  const y = (value) => HEIGHT - (value / top) * HEIGHT;
  const dayName = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
  const bars = days.map((day, at) => {
    let below = 0;
    const rects = names.map((name) => {
      const rect = svg('rect', {
        class: `fill-${name}`,
        x: at * step + (step * GAP) / 2,
        width: step * (1 - GAP),
        y: y(below + day[name]),
        height: Math.max(0, (day[name] / top) * HEIGHT),
      });
      below += day[name];
      return rect;
    });
    const title = `${dayName.format(day.day)}: ${plural(sums[at], 'drift')}${day.note ? `, ${day.note}` : ''}`;
    return svg(
      'g',
      { class: 'day' },
      svg('title', {}, title),
      svg('rect', { class: 'day-hit', x: at * step, width: step, y: 0, height: HEIGHT }),
      rects,
    );
  });
  const lines = [0.5, 1].map((share) => [
    svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(top * share), y2: y(top * share) }),
    svg(
      'text',
      { class: 'grid-label', x: WIDTH, y: y(top * share) + 12, 'text-anchor': 'end' },
      count(top * share),
    ),
  ]);
  const described = `New drifts per day: ${days.map(({ day }, at) => `${dayName.format(day)} ${sums[at]}`).join(', ')}`;
  return h(
    'figure',
    { class: 'chart' },
    svg(
      'svg',
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': described,
      },
      lines.map(([line]) => line),
      bars,
      svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
    ),
    h('span', { class: 'chart-top', 'aria-hidden': 'true' }, count(top)),
    h(
      'figcaption',
      { 'aria-hidden': 'true' },
      h('span', {}, dayName.format(days[0].day)),
      h('span', {}, 'today'),
    ),
  );
}

/** The next round number that can be halved. */
function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 2)));
  return [1, 2, 4, 6, 10].map((factor) => factor * power).find((top) => top >= Math.max(value, 2));
}
