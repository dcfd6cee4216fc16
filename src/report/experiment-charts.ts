/** The pictures of an experiment: the lift as it was at each look, with what held at all of them. */
import * as Plot from '@observablehq/plot';
import { draw, verdictColors } from './drawing.ts';
import type { CoursePoint } from './experiment.ts';
import type { Html } from './html.ts';
import type { Verdict } from './rows.ts';

/** The axis reaches so many times as far as the last interval at most: the first ones would hide the others. */
const widthsShown = 3;

/** Relative lift with its confidence sequence, by day; null where there are not two looks to join. */
export function courseChart(
  label: string,
  course: readonly CoursePoint[],
  plannedDays: number,
  verdict: Verdict,
): Html | null {
  const points = course.flatMap(({ day, lift }) =>
    lift.kind === 'value'
      ? [{ day, lift: 100 * lift.value.value, low: 100 * lift.value.ci95[0], high: 100 * lift.value.ci95[1] }]
      : [],
  );
  const last = points.at(-1);
  if (last === undefined || points.length < 2) return null;
  const reach = widthsShown * Math.max(last.high - last.lift, last.lift - last.low);
  const within = (value: number) => Math.min(last.lift + reach, Math.max(last.lift - reach, value));
  const data = points.map(({ day, lift, low, high }) => {
    return { day, lift: within(lift), low: within(low), high: within(high) };
  });
  const ends = data.flatMap(({ low, high }) => [low, high]);
  const color = verdictColors[verdict];
  return draw(label, {
    width: 440,
    height: 240,
    marginLeft: 48,
    marginRight: 12,
    marginTop: 18,
    marginBottom: 38,
    x: { label: 'day →', domain: [1, Math.max(plannedDays, last.day)], ticks: 7, tickFormat: 'd' },
    y: {
      label: '↑ lift (%)',
      domain: [Math.min(0, ...ends), Math.max(0, ...ends)],
      nice: true,
      grid: true,
      ticks: 5,
    },
    marks: [
      Plot.areaY(data, { x: 'day', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.18 }),
      Plot.ruleY([0], { stroke: 'var(--ink)' }),
      Plot.lineY(data, { x: 'day', y: 'low', stroke: color, strokeWidth: 1, strokeOpacity: 0.6 }),
      Plot.lineY(data, { x: 'day', y: 'high', stroke: color, strokeWidth: 1, strokeOpacity: 0.6 }),
      Plot.lineY(data, { x: 'day', y: 'lift', stroke: color, strokeWidth: 2 }),
      Plot.dot(data.length > 60 ? [] : data, { x: 'day', y: 'lift', fill: color, r: 2.5 }),
    ],
  });
}
