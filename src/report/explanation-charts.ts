/** Pictures of the catalogue as embeddings see it: maps, and what clusters tell. */
import * as Plot from '@observablehq/plot';
import { decimals, oneLine } from '../text.ts';
import { draw, halo, seriesColors } from './drawing.ts';
import type { EmbeddingMap, InformationGain } from './explanation.ts';
import type { Html } from './html.ts';
import { name } from './text.ts';

/** Items of one colour, and what it stands for. */
export interface ColorGroup {
  readonly label: string;
  readonly color: string;
  readonly items: number;
}

interface ColoredPoint {
  readonly x: number;
  readonly y: number;
  readonly color: string;
}

const others = 'var(--line)';
/** From few clicks to many. */
const rateColors = ['#3b4cc0', '#7b9ff2', '#b8b8b8', '#f0916b', '#b40426'];

/** One dot an item: its most frequent categories have a colour each, all others share one. */
export function categoryMap(map: EmbeddingMap): {
  readonly chart: Html;
  readonly legend: readonly ColorGroup[];
} {
  const counts = new Map<string, number>();
  for (const { category } of map.points)
    if (category !== null) counts.set(category, (counts.get(category) ?? 0) + 1);
  const top = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, seriesColors.length);
  const colors = new Map(top.map(([category], place) => [category, seriesColors[place]!]));
  const rest = map.points.length - top.reduce((sum, [, count]) => sum + count, 0);
  const groups = top.map(([category, items]) => ({
    label: name(category, 30),
    color: colors.get(category) ?? others,
    items,
  }));
  const legend =
    rest === 0 ? groups : [...groups, { label: 'others and unknown', color: others, items: rest }];
  const points = map.points.map(({ x, y, category }) => ({
    x,
    y,
    color: (category === null ? undefined : colors.get(category)) ?? others,
  }));
  return { chart: scatter('Items by the two main directions, coloured by category', points), legend };
}

/** One dot an item: fifths of those with a click rate, from low to high. */
export function rateMap(map: EmbeddingMap): { readonly chart: Html; readonly legend: readonly ColorGroup[] } {
  const rates = map.points.flatMap(({ clickRate }) => clickRate ?? []).sort((a, b) => a - b);
  // Equal rates share a colour, so that fifths may differ in size.
  const limits = [
    ...new Set([1, 2, 3, 4].map((fifth) => rates[Math.ceil((fifth * rates.length) / 5) - 1] ?? 0)),
  ];
  const binOf = (rate: number) => limits.filter((limit) => rate > limit).length;
  const colorOf = (bin: number) =>
    rateColors[Math.round((bin * (rateColors.length - 1)) / Math.max(1, limits.length))]!;
  const bins = rates.map(binOf);
  const used = [...new Set(bins)];
  const legend = used.map((bin) => {
    const inBin = rates.filter((_, place) => bins[place] === bin);
    const [low, high] = [inBin[0]!, inBin.at(-1)!].map((rate) => decimals(100 * rate, 1));
    return {
      label: low === high ? `${low} %` : `${low} to ${high} %`,
      color: colorOf(bin),
      items: inBin.length,
    };
  });
  const unknown = map.points.length - rates.length;
  const points = map.points.map(({ x, y, clickRate }) => ({
    x,
    y,
    color: clickRate === null ? others : colorOf(binOf(clickRate)),
  }));
  return {
    chart: scatter('Items by the two main directions, coloured by click rate', points),
    legend:
      unknown === 0 ? legend : [...legend, { label: 'too few exposures', color: others, items: unknown }],
  };
}

/** Those without a colour of their own lie below the others; the rest is in the order given. */
function scatter(label: string, points: readonly ColoredPoint[]): Html {
  const ordered = [
    ...points.filter(({ color }) => color === others),
    ...points.filter(({ color }) => color !== others),
  ];
  return draw(label, {
    width: 900,
    aspectRatio: 1,
    margin: 8,
    // Whole pixels, of which there are more than on most screens: they make the file smaller.
    x: { axis: null, round: true },
    y: { axis: null, round: true },
    marks: [Plot.dot(ordered, { x: 'x', y: 'y', fill: 'color', r: 5, fillOpacity: 0.8 })],
  });
}

/** How much more clusters of each file of embeddings tell than clusters by chance do on average. */
export function informationChart({ sources }: InformationGain): Html {
  const data = sources.map(({ name: source, corrected, chance }, place) => {
    const [value, high] = [1000 * (corrected - chance.mean), 1000 * (chance.high - chance.mean)];
    return {
      place,
      name: oneLine(source, 40),
      value,
      high,
      color: value > high ? 'var(--blue)' : 'var(--muted)',
      text: `${decimals(value, 2)} (chance to ${decimals(high, 2)})`,
    };
  });
  const values = data.flatMap(({ value, high }) => [value, high]);
  const read = data.map(({ name, text }) => `${name} ${text}`).join(', ');
  return draw(`Thousandths of a bit that clusters tell about a click, beyond chance: ${read}`, {
    width: 460,
    height: 52 * data.length + 52,
    marginLeft: 12,
    marginRight: 12,
    marginTop: 8,
    marginBottom: 40,
    x: {
      label: 'beyond chance (thousandths of a bit) →',
      domain: [Math.min(0, ...values), Math.max(0, ...values)],
      nice: true,
      grid: true,
      ticks: 5,
      insetLeft: 12,
      insetRight: 12,
    },
    y: { type: 'band', domain: data.map(({ place }) => place), axis: null, padding: 0 },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--ink)', strokeWidth: 1.25 }),
      Plot.ruleY(data, { y: 'place', x1: 0, x2: 'high', stroke: 'var(--muted)', strokeWidth: 4, dy: 10 }),
      Plot.dot(data, { y: 'place', x: 'value', fill: 'color', stroke: 'var(--paper)', r: 6, dy: 10 }),
      Plot.text(data, {
        y: 'place',
        text: 'name',
        frameAnchor: 'left',
        dx: 4,
        dy: -10,
        ...halo,
        fontWeight: 600,
      }),
      Plot.text(data, { y: 'place', text: 'text', frameAnchor: 'right', dy: -10, ...halo }),
    ],
  });
}
