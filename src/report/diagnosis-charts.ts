/** Pictures of what a ranker rests on: importance of inputs, gates, reliability, images without categories. */
import * as Plot from '@observablehq/plot';
import type { ReliabilityBin } from '../metrics/calibration.ts';
import { decimals, integer } from '../text.ts';
import { draw, halo } from './drawing.ts';
import type { Html } from './html.ts';
import type { Diagnosis, ImageGain, InputLoss } from './report.ts';
import { featuresName, name, signedPoints } from './text.ts';

interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as a reader wants it. */
  readonly text: string;
  readonly color: string;
}

/** Loss of validation AUC in points by input, in the order given; visual inputs are coloured. */
export function importanceChart(importance: readonly InputLoss[]): Html {
  const bars = importance.map(({ input, visual, loss }): Bar => {
    const label = visual ? featuresName(input) : input;
    return { label, value: 100 * loss, text: decimals(100 * loss, 2), color: barColor(visual) };
  });
  return barChart('Loss of validation AUC in points without an input', bars, {
    x: { label: 'loss of validation AUC (points) →', nice: true, grid: true, ticks: 5 },
    marginLeft: 232,
    marginRight: 52,
    longestLabel: 34,
  });
}

/** How far each category lets the visual side through, in the order given. */
export function gateChart(gates: Diagnosis['gates']): Html {
  const bars = gates.map(({ category, opening, exposures }): Bar => {
    const text = `${decimals(opening, 2)} · ${integer(exposures)}`;
    return { label: category, value: opening, text, color: 'var(--blue)' };
  });
  return barChart('Opening of the gate and exposures by category', bars, {
    x: { label: 'opening of the gate →', domain: [0, 1], grid: true, ticks: 5 },
    marginLeft: 172,
    marginRight: 112,
    longestLabel: 26,
  });
}

/** Predicted against observed click rate of each bin; on the diagonal both are the same. */
export function reliabilityChart(reliability: readonly ReliabilityBin[]): Html {
  const points = reliability.map(({ meanPrediction, observedRate }) => {
    return { predicted: 100 * meanPrediction, observed: 100 * observedRate };
  });
  const end = Math.max(...points.flatMap(({ predicted, observed }) => [predicted, observed])) || 1;
  const read = points.map(
    ({ predicted, observed }) => `${decimals(predicted, 1)} % predicted, ${decimals(observed, 1)} % observed`,
  );
  const domain = [0, end];
  return draw(`Reliability of predicted click rates: ${read.join('; ')}`, {
    width: 400,
    height: 340,
    marginLeft: 48,
    marginTop: 26,
    marginBottom: 38,
    x: { label: 'predicted click rate (%) →', domain, nice: true, grid: true, ticks: 5 },
    y: { label: '↑ observed click rate (%)', domain, nice: true, grid: true, ticks: 5 },
    marks: [
      Plot.link([end], { x1: 0, y1: 0, x2: end, y2: end, stroke: 'var(--muted)', strokeDasharray: '4,4' }),
      Plot.line(points, { x: 'predicted', y: 'observed', stroke: 'var(--blue)', strokeWidth: 1.5 }),
      Plot.dot(points, {
        x: 'predicted',
        y: 'observed',
        fill: 'var(--blue)',
        stroke: 'var(--paper)',
        r: 4.5,
      }),
    ],
  });
}

/** Validation AUC without images and with them, a pair of dots for each set of inputs. */
export function categoriesChart(comparisons: readonly ImageGain[]): Html {
  const data = comparisons.map(({ categories, none, withImages }, place) => {
    const gain = `images: ${signedPoints(withImages.mean - none.mean)} points`;
    return {
      place,
      label: inputsName(categories),
      gain,
      none: none.mean,
      withImages: withImages.mean,
    };
  });
  return draw('Validation AUC without and with images, with all inputs and without what categories tell', {
    width: 440,
    height: 62 * data.length + 46,
    marginLeft: 12,
    marginRight: 12,
    marginTop: 8,
    marginBottom: 38,
    x: { label: 'validation AUC →', nice: true, grid: true, ticks: 5, insetLeft: 12, insetRight: 12 },
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
    marks: [
      Plot.ruleY(data, {
        y: 'place',
        x1: 'none',
        x2: 'withImages',
        stroke: 'var(--blue)',
        strokeWidth: 3,
        dy: 12,
      }),
      Plot.dot(data, { y: 'place', x: 'none', fill: 'var(--muted)', stroke: 'var(--paper)', r: 6, dy: 12 }),
      Plot.dot(data, {
        y: 'place',
        x: 'withImages',
        fill: 'var(--blue)',
        stroke: 'var(--paper)',
        r: 6,
        dy: 12,
      }),
      Plot.text(data, { y: 'place', text: 'label', frameAnchor: 'left', dy: -12, ...halo, fontWeight: 600 }),
      Plot.text(data, { y: 'place', text: 'gain', frameAnchor: 'right', dy: -12, ...halo }),
    ],
  });
}

export function inputsName(categories: boolean): string {
  return categories ? 'all inputs' : 'without categories';
}

function barColor(visual: boolean): string {
  return visual ? 'var(--orange)' : 'var(--muted)';
}

const margins = { marginTop: 6, marginBottom: 38 };

interface BarChartOptions {
  readonly x: Plot.ScaleOptions;
  /** Room for labels of so many characters at most. */
  readonly marginLeft: number;
  readonly longestLabel: number;
  readonly marginRight: number;
}

/** Horizontal bars with their names on the left and their values on the right, read out with all values. */
function barChart(
  title: string,
  bars: readonly Bar[],
  { x, marginLeft, longestLabel, marginRight }: BarChartOptions,
): Html {
  const data = bars.map(({ label, ...bar }, place) => ({ ...bar, place, label: name(label, longestLabel) }));
  const read = bars.map(({ label, text }) => `${name(label, 60)} ${text}`);
  return draw(`${title}: ${read.join(', ')}`, {
    width: 440,
    height: 24 * data.length + margins.marginTop + margins.marginBottom,
    ...margins,
    marginLeft,
    marginRight,
    x,
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0.3 },
    marks: [
      Plot.barX(data, { y: 'place', x: 'value', fill: 'color' }),
      Plot.ruleX([0], { stroke: 'var(--ink)', strokeWidth: 1.25 }),
      Plot.text(data, {
        y: 'place',
        text: 'label',
        frameAnchor: 'left',
        dx: 2 - marginLeft,
        fill: 'var(--ink)',
      }),
      Plot.text(data, {
        y: 'place',
        text: 'text',
        frameAnchor: 'right',
        dx: marginRight - 2,
        fill: 'var(--ink)',
        fontVariant: 'tabular-nums',
      }),
    ],
  });
}
