/** What is known besides of an experiment whose shoppers are simulated: the arms on new items, and how much was to be had. */
import * as Plot from '@observablehq/plot';
import { mapped } from '../metrics/measured.ts';
import { decimals, integer } from '../text.ts';
import { draw, seriesColors } from './drawing.ts';
import type { ExperimentReport, ItemAgeReport } from './experiment.ts';
import { armName, liftText, limitsText } from './experiment-text.ts';
import { type Html, html } from './html.ts';
import { scrollingTable } from './table.ts';

export function simulationSection({ arms, simulation }: ExperimentReport): Html | null {
  if (simulation === null) return null;
  const { unranked, ideal, ages } = simulation;
  const names = arms.map(({ name }) => armName(name));
  return html`<section id="simulation" aria-labelledby="simulation-title">
<h2 id="simulation-title">How do the arms do on new items?</h2>
<p>New items arrived on each day of the experiment, and were candidates at once: nobody had clicked them before, only their photos
were known. Intervals are of one look, over users. Which items are shown is the arm's own choice, so that a row compares what arms
made of their new items, and not the same items.</p>
${ageChart(names, ages)}
${ageTable(names, ages)}
${missingReasons(ages).map((why) => html`<p class="note">– ${why}</p>`)}
<p class="note">The shoppers are simulated, so that it is known what was to be had: shown as they are drawn, candidates would have a CTR of
${percentOf(unranked)}; in the order of what each shopper clicks most, ${percentOf(ideal)}.</p>
</section>`;
}

/** The same in a few lines for a terminal. */
export function simulationLines({ arms, simulation }: ExperimentReport): readonly string[] {
  if (simulation === null) return [];
  const { unranked, ideal, ages } = simulation;
  const lines = ages.map(({ name, arms: counts, lifts }) => {
    const ctrs = counts.map(({ exposures, clicks }, arm) => {
      return `${armName(arms[arm]?.name ?? '')} ${ctrText(exposures, clicks)} of ${integer(exposures)}`;
    });
    const found = lifts.map((lift) => {
      const limits = limitsText(mapped(lift, ({ ci95 }) => ci95));
      return `lift ${liftText(mapped(lift, ({ value }) => value))} (95 % of one look ${limits})`;
    });
    return `  ${name}: ${[...ctrs, ...found].join(', ')}`;
  });
  return [
    'CTR by how long items have been on sale:',
    ...lines,
    ...missingReasons(ages).map((why) => `  – ${why}`),
    `Candidates as they are drawn would have a CTR of ${percentOf(unranked)}; in the order of what each shopper clicks most, ${percentOf(ideal)}.`,
  ];
}

/** Why lifts are not there, each reason once. */
function missingReasons(ages: readonly ItemAgeReport[]): readonly string[] {
  const reasons = ages.flatMap(({ lifts }) => lifts.flatMap((lift) => ('why' in lift ? [lift.why] : [])));
  return [...new Set(reasons)];
}

function ageTable(names: readonly string[], ages: readonly ItemAgeReport[]): Html {
  const [, ...treatments] = names;
  return scrollingTable(
    'Items by how long they have been on sale',
    html`<table class="lifts"><thead><tr><th scope="col">Items</th>${names.map(
      (name) =>
        html`<th scope="col" class="number">Exposures, <bdi>${name}</bdi></th><th scope="col" class="number">CTR, <bdi>${name}</bdi></th>`,
    )}${treatments.map(
      (name) =>
        html`<th scope="col" class="number">Lift of <bdi>${name}</bdi></th><th scope="col" class="number">95 %</th>`,
    )}</tr></thead><tbody>${ages.map(
      (age) =>
        html`<tr><th scope="row">${age.name}</th>${age.arms.map(
          ({ exposures, clicks }) =>
            html`<td class="number">${integer(exposures)}</td><td class="number">${ctrText(exposures, clicks)}</td>`,
        )}${age.lifts.map(
          (lift) =>
            html`<td class="number">${liftText(mapped(lift, ({ value }) => value))}</td><td class="number">${limitsText(
              mapped(lift, ({ ci95 }) => ci95),
            )}</td>`,
        )}</tr>`,
    )}</tbody></table>`,
    { tools: true },
  );
}

/** CTR of each arm on items of each age, with 95 % intervals; null where there is none. */
function ageChart(names: readonly string[], ages: readonly ItemAgeReport[]): Html | null {
  const colorOf = (arm: number) => seriesColors[arm % seriesColors.length] ?? '';
  const data = ages.flatMap(({ name, arms }) =>
    arms.flatMap(({ ctr }, arm) => {
      if (ctr.kind === 'undefined') return [];
      const { value, ci95 } = ctr.value;
      const [low, high] = ci95.map((limit) => 100 * limit);
      return [{ age: name, arm, color: colorOf(arm), ctr: 100 * value, low, high }];
    }),
  );
  if (data.length === 0) return null;
  const picture = draw('CTR of each arm on items by how long they have been on sale, with 95 % intervals', {
    ...{ width: 760, height: 260, marginLeft: 48, marginBottom: 34, marginTop: 24 },
    fx: { domain: ages.map(({ name }) => name), label: null, padding: 0.1, axis: 'bottom' },
    x: { domain: names.map((_, arm) => arm), type: 'point', axis: null, padding: 1 },
    y: { label: '↑ CTR (%)', grid: true, nice: true, ticks: 5, zero: true },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--ink)' }),
      Plot.ruleX(data, { fx: 'age', x: 'arm', y1: 'low', y2: 'high', stroke: 'color', strokeWidth: 3 }),
      Plot.dot(data, { fx: 'age', x: 'arm', y: 'ctr', fill: 'color', stroke: 'var(--paper)', r: 5.5 }),
    ],
  });
  const keys = names.map(
    (name, arm) => html` <span style="color: ${colorOf(arm)}">●</span> <bdi>${name}</bdi>`,
  );
  return html`<figure><figcaption>CTR with 95 % intervals:${keys}</figcaption>${picture}</figure>`;
}

function ctrText(exposures: number, clicks: number): string {
  return exposures === 0 ? '–' : percentOf(clicks / exposures);
}

function percentOf(share: number): string {
  return `${decimals(100 * share, 1)} %`;
}
