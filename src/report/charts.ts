/** The pictures of the report: SVG drawn by Observable Plot on a document that needs no browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { verdict } from './headline.ts';
import { type Html, html, trusted } from './html.ts';
import type { Curve, Lift, ReportRow } from './report.ts';
import { featuresName, interval, objectiveName, oneLine, signedPoints } from './text.ts';

/** Series colours, as custom properties of the style sheet, so that they follow light and dark. */
export const seriesColors = ['var(--blue)', 'var(--orange)', 'var(--green)', 'var(--red)', 'var(--purple)'];

/** More points of one line than this are not visible at the size of the picture. */
const visiblePoints = 600;

/** Lift of every row over the model without images: a dot for the mean, a line for the 95 % interval. */
export function liftChart(rows: readonly ReportRow[]): Html {
  const data = rows.flatMap((row, place) => (row.lift === null ? [] : [interval95(row, row.lift, place)]));
  return draw('Lift of test AUC over the model without images, with 95 % intervals', {
    width: 460,
    height: 46 * data.length + 56,
    marginLeft: 12,
    marginRight: 12,
    marginTop: 14,
    marginBottom: 42,
    style: { fontSize: '13px', background: 'transparent' },
    x: { label: 'lift of test AUC (points) →', nice: true, grid: true, insetLeft: 12, insetRight: 12 },
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--ink)', strokeWidth: 1.25 }),
      Plot.ruleY(data, { y: 'place', x1: 'low', x2: 'high', stroke: 'color', strokeWidth: 4, dy: 9 }),
      Plot.dot(data, { y: 'place', x: 'lift', fill: 'color', stroke: 'var(--paper)', r: 6, dy: 9 }),
      Plot.text(data, { y: 'place', text: 'name', frameAnchor: 'left', dy: -10, ...halo, fontWeight: 600 }),
      Plot.text(data, { y: 'place', text: 'numbers', frameAnchor: 'right', dy: -10, ...halo }),
    ],
  });
}

const halo = { stroke: 'var(--paper)', strokeWidth: 4, fill: 'var(--ink)' };

function interval95(row: ReportRow, lift: Lift, place: number) {
  const color = { better: 'var(--blue)', worse: 'var(--red)', unclear: 'var(--muted)' }[verdict(lift)];
  return {
    place,
    color,
    name: `${objectiveName(row.objective)} · ${featuresName(row.features)}`,
    numbers: `${signedPoints(lift.auc)} (${interval(lift)})`,
    lift: 100 * lift.auc,
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
  return draw(`Training curve: ${oneLine(curve.title)}`, {
    width: 400,
    height: 240,
    marginLeft: 48,
    marginTop: 26,
    marginBottom: 36,
    style: { fontSize: '12px', background: 'transparent' },
    x: { label: curve.xLabel === undefined ? null : oneLine(curve.xLabel, 40), ticks: 5 },
    y: { label: oneLine(curve.yLabel, 40), grid: true, nice: true, ticks: 5 },
    marks,
  });
}

/** Every so many-th point, and always the last. */
function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.ceil(points.length / visiblePoints);
  return points.filter((_, place) => place % step === 0 || place === points.length - 1);
}

/** The part of an SVG element used here. */
interface Drawing {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
}

function draw(label: string, options: Plot.PlotOptions): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawing: Drawing = Plot.plot({ ...options, document });
  drawing.setAttribute('aria-hidden', 'true'); // its name is on the box around it, escaped by our own template
  return html`<div role="img" aria-label="${label}">${trusted(drawing.outerHTML)}</div>`;
}
