/** The lift on parts of the test rows: one small picture for each family of parts, all on the same scale. */
import * as Plot from '@observablehq/plot';
import type { Lift } from '../metrics/lift.ts';
import { median } from '../metrics/quantile.ts';
import { oneLine } from '../text.ts';
import { draw, verdictColors } from './drawing.ts';
import type { Html } from './html.ts';
import type { SliceResult } from './report.ts';
import { verdict } from './rows.ts';
import { name } from './text.ts';

/** An interval so many times as wide as the median one does not widen the scale; it is cut off. */
const wide = 4;

const margins = { marginLeft: 128, marginRight: 10, marginTop: 6, marginBottom: 38 };

/**
 * A dot for the mean and a line for the 95 % interval of each part, top to bottom; a part without a lift is a
 * gap that says why.
 *
 * @param overall lift on all test rows, a dashed line
 * @param domain of `sliceDomain`
 */
export function sliceChart(
  family: string,
  slices: readonly SliceResult[],
  overall: Lift,
  domain: readonly [number, number],
): Html {
  const data = slices.map(line);
  const measured = data.flatMap(({ lift, ...rest }) =>
    lift === null ? [] : [{ ...rest, ...inPoints(lift, domain) }],
  );
  const gaps = data.filter(({ lift }) => lift === null);
  return draw(`Lift of test AUC by ${oneLine(family, 60)}, with 95 % intervals`, {
    width: 440,
    height: 26 * data.length + margins.marginTop + margins.marginBottom,
    ...margins,
    x: { label: 'lift of test AUC (points) →', domain, grid: true, ticks: 6 },
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--ink)', strokeWidth: 1.25 }),
      Plot.ruleX([100 * overall.difference], { stroke: 'var(--muted)', strokeDasharray: '3,3' }),
      Plot.ruleY(measured, {
        y: 'place',
        x1: 'low',
        x2: 'high',
        stroke: 'color',
        strokeWidth: 3,
      }),
      Plot.dot(measured, { y: 'place', x: 'mean', fill: 'color', stroke: 'var(--paper)', r: 5 }),
      Plot.text(data, {
        y: 'place',
        text: 'label',
        frameAnchor: 'left',
        dx: 2 - margins.marginLeft,
        fill: 'var(--ink)',
      }),
      Plot.text(gaps, {
        y: 'place',
        text: 'gap',
        frameAnchor: 'left',
        dx: 6,
        fontStyle: 'italic',
        stroke: 'var(--paper)',
        strokeWidth: 4,
        fill: 'var(--muted)',
      }),
    ],
  });
}

/** Points of AUC that hold zero, the overall lift, every mean, and every interval that is not far wider than most. */
export function sliceDomain(slices: readonly SliceResult[], overall: Lift): [number, number] {
  const lifts = [overall, ...slices.flatMap((slice) => liftOf(slice) ?? [])];
  const usual = lifts.filter((lift) => !isWide(lift, medianWidth(lifts)));
  const points = [0, ...lifts.map(({ difference }) => difference), ...usual.flatMap(({ ci95 }) => ci95)];
  return [100 * Math.min(...points), 100 * Math.max(...points)];
}

/** Whether any interval goes on beyond the scale. */
export function cutOff(slices: readonly SliceResult[], [low, high]: readonly [number, number]): boolean {
  return slices.some((slice) => {
    const lift = liftOf(slice);
    return lift !== null && (100 * lift.ci95[0] < low || 100 * lift.ci95[1] > high);
  });
}

export function liftOf(slice: SliceResult): Lift | null {
  return slice.kind === 'value' ? slice.lift : null;
}

/** Why there is no lift to show. */
export function reasonOf(slice: SliceResult): string {
  return slice.kind === 'undefined' ? oneLine(slice.why) : 'not compared with the model without images';
}

function line(slice: SliceResult, place: number) {
  const lift = liftOf(slice);
  return { place, label: name(slice.name, 20), lift, gap: lift === null ? oneLine(reasonOf(slice), 44) : '' };
}

/** In points, the interval cut off where the scale ends. */
function inPoints(lift: Lift, [start, end]: readonly [number, number]) {
  const [low, high] = lift.ci95.map((limit) => Math.min(end, Math.max(start, 100 * limit)));
  return { mean: 100 * lift.difference, low, high, color: verdictColors[verdict(lift)] };
}

function isWide({ ci95: [low, high] }: Lift, usual: number): boolean {
  return high - low > wide * usual;
}

function medianWidth(lifts: readonly Lift[]): number {
  return median(lifts.map(({ ci95: [low, high] }) => high - low));
}
