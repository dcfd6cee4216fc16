/** Pictures of attention: how concentrated it is, and what it goes along with. */
import * as Plot from '@observablehq/plot';
import { decimals, integer } from '../text.ts';
import type { AttentionSummary, CorrelationSummary } from './attention-summary.ts';
import { draw, halo } from './drawing.ts';
import type { Html } from './html.ts';

/** Effective number of earlier clicks against their number. */
export function concentrationChart({ concentration }: AttentionSummary): Html {
  const data = [...concentration];
  const end = Math.max(...data.map(({ historyItems }) => historyItems));
  const read = data.map(
    ({ historyItems, median, clicks }) =>
      `of ${historyItems} a median of ${decimals(median, 1)} in ${integer(clicks)} clicks`,
  );
  const blue = { x: 'historyItems', stroke: 'var(--blue)' };
  return draw(`Effective number of earlier clicks: ${read.join('; ')}`, {
    width: 440,
    height: 280,
    marginLeft: 40,
    marginRight: 16,
    marginTop: 28,
    marginBottom: 40,
    x: {
      label: 'earlier clicks →',
      domain: [0.5, end + 0.5],
      ticks: data.map(({ historyItems }) => historyItems),
      tickFormat: 'd',
    },
    y: { label: '↑ that carry the attention', domain: [0.8, end + 0.2], grid: true, ticks: 5 },
    marks: [
      Plot.link([end], {
        x1: 1,
        y1: 1,
        x2: end,
        y2: end,
        stroke: 'var(--muted)',
        strokeDasharray: '4,4',
      }),
      Plot.ruleX(data, { ...blue, y1: 'p5', y2: 'p95', strokeWidth: 1.5 }),
      Plot.ruleX(data, { ...blue, y1: 'p25', y2: 'p75', strokeWidth: 7, strokeOpacity: 0.45 }),
      Plot.dot(data, { x: 'historyItems', y: 'median', fill: 'var(--blue)', stroke: 'var(--paper)', r: 5 }),
      Plot.text(data, {
        x: 'historyItems',
        y: 'median',
        text: ({ median }: { median: number }) => decimals(median, 1),
        dx: 10,
        textAnchor: 'start',
        ...halo,
      }),
    ],
  });
}

/** How many clicks have which rank correlation. */
export function histogramChart({ histogram, mean, clicks }: CorrelationSummary): Html {
  const bars = histogram.map(({ around, clicks: count }) => ({
    from: around - 0.045,
    to: around + 0.045,
    share: (100 * count) / clicks,
  }));
  return draw(
    `Rank correlations of attention and cosine of ${integer(clicks)} clicks, mean ${decimals(mean, 2)}`,
    {
      width: 440,
      height: 260,
      marginLeft: 40,
      marginRight: 16,
      marginTop: 28,
      marginBottom: 40,
      x: { label: 'rank correlation →', domain: [-1.08, 1.08], ticks: [-1, -0.5, 0, 0.5, 1] },
      y: { label: '↑ clicks (%)', grid: true, nice: true, ticks: 5 },
      marks: [
        Plot.rect(bars, { x1: 'from', x2: 'to', y1: 0, y2: 'share', fill: 'var(--blue)', fillOpacity: 0.75 }),
        Plot.ruleY([0], { stroke: 'var(--ink)' }),
        Plot.ruleX([mean], { stroke: 'var(--orange)', strokeWidth: 2 }),
      ],
    },
  );
}

/** Mean rank correlations with their intervals, one row each. */
export function correlationChart(similarity: CorrelationSummary, recency: CorrelationSummary | null): Html {
  const rows = [
    { name: 'visual similarity', summary: similarity },
    ...(recency === null ? [] : [{ name: 'recency', summary: recency }]),
  ];
  const data = rows.map(({ name, summary: { mean, ci95 } }, place) => ({
    place,
    name,
    mean,
    low: ci95?.[0] ?? mean,
    high: ci95?.[1] ?? mean,
    text:
      ci95 === null
        ? decimals(mean, 2)
        : `${decimals(mean, 2)} (${ci95.map((end) => decimals(end, 2)).join(' to ')})`,
  }));
  const stroke = 'var(--blue)';
  return draw(
    `Mean rank correlation of attention: ${data.map(({ name, text }) => `${name} ${text}`).join(', ')}`,
    {
      width: 440,
      height: 52 * data.length + 52,
      marginLeft: 12,
      marginRight: 12,
      marginTop: 8,
      marginBottom: 40,
      x: { label: 'rank correlation →', domain: [-1, 1], grid: true, ticks: 5 },
      y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
      marks: [
        Plot.ruleX([0], { stroke: 'var(--ink)', strokeWidth: 1.25 }),
        Plot.ruleY(data, { y: 'place', x1: 'low', x2: 'high', stroke, strokeWidth: 4, dy: 10 }),
        Plot.dot(data, { y: 'place', x: 'mean', fill: stroke, stroke: 'var(--paper)', r: 6, dy: 10 }),
        Plot.text(data, { y: 'place', text: 'name', frameAnchor: 'left', dy: -10, ...halo, fontWeight: 600 }),
        Plot.text(data, { y: 'place', text: 'text', frameAnchor: 'right', dy: -10, ...halo }),
      ],
    },
  );
}
