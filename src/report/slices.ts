/** Section of the report about where the lift comes from: the headline row on parts of the test rows. */

import { integer, oneLine } from '../text.ts';
import { headlineRow } from './headline.ts';
import { type Html, html } from './html.ts';
import type { Report, ReportRow, SliceResult } from './report.ts';
import { baselineOf, type LiftedRow, verdict, verdictNote } from './rows.ts';
import { cutOff, liftOf, reasonOf, sliceChart, sliceDomain } from './slice-chart.ts';
import { scrollingTable } from './table.ts';
import { featuresName, interval, meanAndStd, name, pValue, signedPoints, sourceName } from './text.ts';

interface Family {
  readonly family: string;
  readonly slices: readonly SliceResult[];
}

export function slicesSection(report: Report): Html | null {
  const row = headlineRow(report);
  if (row === undefined || row.slices.length === 0) return null;
  const families = familiesOf(row.slices);
  const baseline = baselineOf(report.rows, row.start);
  return html`<section id="slices" aria-labelledby="slices-title">
<h2 id="slices-title">Where the lift comes from</h2>
<p>The row of the headline, ${sourceName(row.source)} as ${featuresName(row.features)}, on parts of the test
exposures. Parts with few exposures have wide intervals; those with fewer than 50 clicks or 50 non-clicks have no lift.
The p-values are corrected for all parts together, the intervals are not.</p>
${sliceFigures(families, row)}
${scrollingTable(
  'Lift by part of the test exposures',
  html`<table class="slices" data-groups="By"><caption>AUC is the mean over seeds ± standard deviation, lift in points (hundredths).</caption>
<thead><tr><th scope="col">Part</th><th scope="col" class="number">Exposures</th>
<th scope="col" class="number">Lift</th><th scope="col" class="number">95 % interval</th><th scope="col" class="number">p (Holm)</th>
<th scope="col" class="number">AUC without images</th><th scope="col" class="number">AUC with images</th></tr></thead>
${families.map((family) => familyRows(family, baseline))}</table>`,
  { tools: true },
)}
</section>`;
}

function sliceFigures(families: readonly Family[], { slices, lift }: LiftedRow): Html {
  const domain = sliceDomain(slices, lift);
  return html`<div class="panels">${families.map(
    ({ family, slices }) => html`<figure><figcaption><strong>${heading(family)}</strong></figcaption>
${sliceChart(family, slices, lift, domain)}</figure>`,
  )}</div>
<p class="note">Dots are means over seeds, lines 95 % intervals, all on one scale; the dashed line is the lift on all
test exposures. <span class="key blue">Above</span>, <span class="key red">below</span> or
<span class="key grey">not distinguishable from</span> zero, ${verdictNote([lift])}
${cutOff(slices, domain) ? 'A line that ends at the edge goes on beyond it.' : ''}</p>`;
}

/** Families in the order in which they first come. */
function familiesOf(slices: readonly SliceResult[]): Family[] {
  const names = new Set(slices.map(({ family }) => family));
  return Array.from(names, (family) => {
    return { family, slices: slices.filter((slice) => slice.family === family) };
  });
}

function familyRows({ family, slices }: Family, baseline: ReportRow | undefined): Html {
  return html`<tbody><tr class="group"><th scope="rowgroup" colspan="7">${heading(family)}</th></tr>
${slices.map((slice) => sliceRow(slice, baseline))}</tbody>`;
}

function sliceRow(slice: SliceResult, baseline: ReportRow | undefined): Html {
  return html`<tr><th scope="row"><bdi>${name(slice.name, 60)}</bdi></th>
<td class="number">${integer(slice.exposures)}</td>${
    slice.kind === 'undefined'
      ? html`<td class="gap" colspan="5">${reasonOf(slice)}</td>`
      : html`${liftCells(slice)}<td class="number">${baselineAuc(slice, baseline)}</td>
<td class="number">${meanAndStd(slice.auc)}</td>`
  }</tr>`;
}

function liftCells(slice: SliceResult): Html {
  const lift = liftOf(slice);
  if (lift === null) return html`<td class="gap" colspan="3">${reasonOf(slice)}</td>`;
  return html`<td class="number lift ${verdict(lift)}">${signedPoints(lift.difference)}</td>
<td class="number">${interval(lift.ci95)}</td><td class="number">${pValue(lift.pCorrected)}</td>`;
}

function baselineAuc({ family, name }: SliceResult, baseline: ReportRow | undefined): string {
  const same = baseline?.slices.find((slice) => slice.family === family && slice.name === name);
  return same?.kind === 'value' ? meanAndStd(same.auc) : '–';
}

function heading(family: string): string {
  const text = oneLine(family, 60);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
