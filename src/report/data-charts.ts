/** The pictures of the data report. */
import * as Plot from '@observablehq/plot';
import { oneLine } from '../text.ts';
import type { DataReport, Day, RateFamily } from './data-report.ts';
import { draw, seriesColors } from './drawing.ts';
import type { Html } from './html.ts';
import { name } from './text.ts';

const margins = { marginLeft: 56, marginRight: 12, marginTop: 18, marginBottom: 38 };

/** Where validation and test begin. */
function boundaries({ validationFrom, testFrom }: DataReport['period']) {
  return [validationFrom, testFrom].map((time) => new Date(time));
}

/** Exposures of each day as bars. */
export function exposuresByDay(days: readonly Day[], period: DataReport['period']): Html {
  return byDay('Exposures of each day', 'exposures', days, period, ({ exposures }) => exposures);
}

/** Clicks of exposures, each day, in percent. */
export function clickRateByDay(days: readonly Day[], period: DataReport['period']): Html {
  return byDay(
    'Click rate of each day',
    'clicked (%)',
    days,
    period,
    ({ exposures, clicks }) => (100 * clicks) / exposures,
  );
}

function byDay(
  label: string,
  axis: string,
  days: readonly Day[],
  period: DataReport['period'],
  figureOf: (day: Day) => number,
): Html {
  const data = days.map((day) => ({ day: new Date(day.day), value: figureOf(day) }));
  return draw(label, {
    width: 440,
    height: 200,
    ...margins,
    x: { type: 'utc', label: null, ticks: 5 },
    y: { label: `↑ ${axis}`, grid: true, zero: true, ticks: 5 },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--ink)' }),
      Plot.ruleX(boundaries(period), { stroke: 'var(--muted)', strokeDasharray: '3,3' }),
      Plot.lineY(data, { x: 'day', y: 'value', stroke: 'var(--blue)', strokeWidth: 1.5 }),
      Plot.dot(data.length > 120 ? [] : data, { x: 'day', y: 'value', fill: 'var(--blue)', r: 2 }),
    ],
  });
}

/** A dot for each value, a line for its interval, the rate of everything as a dashed line. */
export function rateChart({ name: family, rates }: RateFamily, overall: number): Html {
  const data = rates.map(({ label, rate, interval }, place) => ({
    place,
    label: name(label, 20),
    rate: 100 * rate,
    low: 100 * interval[0],
    high: 100 * interval[1],
  }));
  const marginLeft = 128;
  return draw(`Click rate by ${oneLine(family, 60)}, with 95 % intervals`, {
    width: 440,
    height: 22 * data.length + 46,
    marginLeft,
    marginRight: 12,
    marginTop: 6,
    marginBottom: 38,
    x: { label: 'clicked (%) →', grid: true, ticks: 5, zero: true },
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
    marks: [
      Plot.ruleX([100 * overall], { stroke: 'var(--muted)', strokeDasharray: '3,3' }),
      Plot.ruleY(data, { y: 'place', x1: 'low', x2: 'high', stroke: 'var(--blue)', strokeWidth: 3 }),
      Plot.dot(data, { y: 'place', x: 'rate', fill: 'var(--blue)', stroke: 'var(--paper)', r: 4.5 }),
      Plot.text(data, {
        y: 'place',
        text: 'label',
        frameAnchor: 'left',
        dx: 2 - marginLeft,
        fill: 'var(--ink)',
      }),
    ],
  });
}

/** Of each split the share of page views by the length of their history. */
export function historyChart(histories: DataReport['histories']): Html {
  const data = histories.flatMap(({ split, shares }) =>
    shares.map((share, length) => ({ split, length, share: 100 * share })),
  );
  const names = histories.map(({ split }) => split);
  return draw('Page views by the length of their history', {
    width: 440,
    height: 240,
    ...margins,
    x: { label: 'items in the history →', ticks: histories[0]?.shares.length ?? 1, tickFormat: 'd' },
    y: { label: '↑ page views (%)', grid: true, zero: true, ticks: 5 },
    color: { domain: names, range: seriesColors.slice(0, names.length) },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--ink)' }),
      Plot.line(data, { x: 'length', y: 'share', stroke: 'split', strokeWidth: 1.75 }),
      Plot.dot(data, { x: 'length', y: 'share', fill: 'split', r: 2.5 }),
    ],
  });
}
