/** Pictures of results and of training: lifts with intervals, and curves. */
import * as Plot from '@observablehq/plot';
import { oneLine } from '../text.ts';
import { draw, halo, seriesColors, verdictColors } from './drawing.ts';
import type { Html } from './html.ts';
import type { Curve } from './report.ts';
import { type LiftedRow, verdict } from './rows.ts';
import { featuresName, interval, signedPoints, sourceName } from './text.ts';

/** More points of one line than this are not visible at the size of the picture. */
const visiblePoints = 600;

/** Room on the right for `−1.00 (−1.70 to −0.30)`. */
const numbersWidth = 148;

interface LiftChartOptions {
  /** Such as `warm start`. */
  readonly start: string;
  /** Points of AUC that the axis spans, the same in charts that are to be compared. */
  readonly domain: readonly [number, number];
  /** For rows that are not the result. */
  readonly faded: boolean;
}

/** Lift of every row over the model without images: a dot for the mean, a line for the 95 % interval. */
export function liftChart(rows: readonly LiftedRow[], { start, domain, faded }: LiftChartOptions): Html {
  const data = rows.map(interval95);
  const opacity = faded ? 0.5 : 1;
  return draw(`Lift of test AUC over the model without images, ${start}, with 95 % intervals`, {
    width: 460,
    height: 46 * data.length + 56,
    marginLeft: 12,
    marginRight: numbersWidth,
    marginTop: 14,
    marginBottom: 42,
    style: { fontSize: '13px', background: 'transparent' },
    x: {
      label: 'lift of test AUC (points) →',
      domain,
      nice: true,
      grid: true,
      insetLeft: 12,
      insetRight: 12,
    },
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--ink)', strokeWidth: 1.25 }),
      Plot.ruleY(data, {
        y: 'place',
        x1: 'low',
        x2: 'high',
        stroke: 'color',
        strokeWidth: 4,
        opacity,
        dy: 9,
      }),
      Plot.dot(data, { y: 'place', x: 'lift', fill: 'color', stroke: 'var(--paper)', r: 6, opacity, dy: 9 }),
      Plot.text(data, { y: 'place', text: 'name', frameAnchor: 'left', dy: -10, ...halo, fontWeight: 600 }),
      Plot.text(data, {
        ...{
          y: 'place',
          text: 'numbers',
          frameAnchor: 'right',
          dx: numbersWidth - 2,
          dy: 9,
          fill: 'var(--ink)',
        },
      }),
    ],
  });
}

/** From the lowest to the highest limit of all intervals, and zero. */
export function liftDomain(rows: readonly LiftedRow[]): [number, number] {
  const limits = rows.flatMap(({ lift }) => lift.ci95.map((limit) => 100 * limit));
  return [Math.min(0, ...limits), Math.max(0, ...limits)];
}

function interval95({ source, features, lift }: LiftedRow, place: number) {
  return {
    place,
    color: verdictColors[verdict(lift)],
    name: oneLine(`${sourceName(source)} · ${featuresName(features)}`, 56),
    numbers: `${signedPoints(lift.difference)} (${interval(lift.ci95)})`,
    lift: 100 * lift.difference,
    low: 100 * lift.ci95[0],
    high: 100 * lift.ci95[1],
  };
}

/** One training curve; short series show their points as dots too. */
export function curveChart(curve: Curve): Html {
  const marks = curve.series.flatMap(({ points }, place) => {
    const stroke = seriesColors[place % seriesColors.length]!;
    const dots = points.length <= 30 ? [Plot.dot(points, { fill: stroke, r: 2.5 })] : [];
    return [Plot.line(thinned(points), { stroke, strokeWidth: 2 }), ...dots];
  });
  const [first, ...others] = new Set(curve.series.flatMap(({ points }) => points.map(([x]) => x)));
  // Of a single place a scale makes 59.000000.
  const places =
    first !== undefined && others.length === 0 ? { ticks: [first], tickFormat: String } : { ticks: 5 };
  return draw(`Training curve: ${oneLine(curve.title)}`, {
    width: 400,
    height: 240,
    marginLeft: 48,
    marginTop: 26,
    marginBottom: 36,
    x: { label: curve.xLabel === undefined ? null : oneLine(curve.xLabel, 40), ...places },
    y: { label: oneLine(curve.yLabel, 40), grid: true, nice: true, ticks: 5 },
    marks,
  });
}

/** Every so many-th point, and always the last. */
function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.ceil(points.length / visiblePoints);
  return points.filter((_, place) => place % step === 0 || place === points.length - 1);
}
