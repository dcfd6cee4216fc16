/** The page of `courier evaluate`. */
import { decimals, integer, oneLine, percent } from '../text.ts';
import { type Column, columns, correctionNote } from './columns.ts';
import { reliabilityChart } from './diagnosis-charts.ts';
import { type Evaluation, evaluationSentences, modelOf } from './evaluation.ts';
import { type Html, html } from './html.ts';
import type { ReportRow } from './report.ts';
import { judged } from './rows.ts';
import { pageOf } from './shell.ts';
import { liftOf, reasonOf, sliceChart, sliceDomain } from './slice-chart.ts';
import { scrollingTable } from './table.ts';
import { interval, signedPoints } from './text.ts';

/** @returns the whole of `evaluation.html` */
export function evaluationPage(evaluation: Evaluation): string {
  const [heading = 'Nothing was compared', ...rest] = evaluationSentences(evaluation);
  const { title, testRows, testUsers, rows, baseline, startedAt } = evaluation;
  const base = rows.find((row) => modelOf(row) === baseline);
  return pageOf({
    title,
    heading,
    lede: rest.join(' '),
    facts: [
      [
        `AUC of ${oneLine(baseline, 40)}`,
        base?.auc.kind === 'value' ? decimals(base.auc.value.mean, 4) : null,
      ],
      ['test exposures', integer(testRows)],
      ['test users', integer(testUsers)],
    ],
    sections: [
      { id: 'results', name: 'Results', body: resultsSection(evaluation) },
      { id: 'slices', name: 'Where', body: slicesSection(evaluation) },
      { id: 'calibration', name: 'Calibration', body: calibrationSection(evaluation) },
      { id: 'predictions', name: 'Predictions', body: predictionsSection(evaluation) },
      { id: 'reproduce', name: 'Reproduce', body: reproduceSection(evaluation) },
    ],
    startedAt,
  });
}

/** All but which features, which embeddings, and how it began: that is not known of rankers of others. */
const shown: readonly Column[] = columns.filter(({ kind }) => kind !== 'text');

function resultsSection({ rows, baseline }: Evaluation): Html {
  return html`<section id="results" aria-labelledby="results-title">
<h2 id="results-title">Which model is better?</h2>
${scrollingTable(
  'Table of results',
  html`<table class="results">
<caption>Test period. Lift: difference of AUC to ${oneLine(baseline, 40)}, in points (hundredths). ${correctionNote}
Calibration: predicted over observed click rate. The row without learning adds smoothed click rates up.</caption>
<thead><tr><th scope="col">Model</th>${shown.map(({ title }) => html`<th scope="col" class="number">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row"><bdi>${oneLine(modelOf(row), 40)}</bdi></th>${shown.map(
        (column) => html`<td class="number">${column.cell(row).text}</td>`,
      )}</tr>`,
  )}</tbody></table>`,
  { tools: true },
)}
</section>`;
}

function slicesSection({ rows }: Evaluation): Html | null {
  const figures = rows.flatMap((row) => {
    const lift = row.lifts === null ? null : judged(row.lifts.auc);
    return lift === null || row.slices.length === 0 ? [] : [sliceFigures(row, lift)];
  });
  if (figures.length === 0) return null;
  return html`<section id="slices" aria-labelledby="slices-title">
<h2 id="slices-title">Where they differ</h2>
<p>On parts of the test exposures; parts with fewer than 50 clicks or 50 others have no lift. Intervals are those of
each part alone: of twenty parts without a difference one lies beside zero.</p>
${figures}
</section>`;
}

function sliceFigures({ slices, ...row }: ReportRow, lift: NonNullable<ReturnType<typeof judged>>): Html {
  const domain = sliceDomain(slices, lift);
  const families = [...new Set(slices.map(({ family }) => family))];
  return html`<h3><bdi>${oneLine(modelOf(row), 40)}</bdi></h3>
<div class="panels">${families.map((family) => {
    const own = slices.filter((slice) => slice.family === family);
    return html`<figure><figcaption><strong>${oneLine(family, 60)}</strong></figcaption>${sliceChart(family, own, lift, domain)}</figure>`;
  })}</div>
${scrollingTable(
  `Lift of ${oneLine(modelOf(row), 40)} by part`,
  html`<table class="slices"><thead><tr><th scope="col">Part</th>
<th scope="col" class="number">Exposures</th><th scope="col" class="number">Lift</th><th scope="col" class="number">95 % interval</th></tr></thead>
<tbody>${slices.map((slice) => {
    const own = liftOf(slice);
    return html`<tr><th scope="row">${oneLine(`${slice.family}: ${slice.name}`, 80)}</th><td class="number">${integer(slice.exposures)}</td>${
      own === null
        ? html`<td colspan="2">${reasonOf(slice)}</td>`
        : html`<td class="number">${signedPoints(own.difference)}</td><td class="number">${interval(own.ci95)}</td>`
    }</tr>`;
  })}</tbody></table>`,
  { tools: true },
)}`;
}

function calibrationSection({ reliability }: Evaluation): Html {
  return html`<section id="calibration" aria-labelledby="calibration-title">
<h2 id="calibration-title">Do probabilities mean what they say?</h2>
<div class="panels">${reliability.map(
    ({ model, bins }) =>
      html`<figure><figcaption><strong><bdi>${oneLine(model, 40)}</bdi></strong></figcaption>${
        bins.kind === 'value' ? reliabilityChart(bins.value) : html`<p class="note">${oneLine(bins.why)}</p>`
      }</figure>`,
  )}</div>
</section>`;
}

function predictionsSection({ models, testRows, allRows }: Evaluation): Html {
  return html`<section id="predictions" aria-labelledby="predictions-title">
<h2 id="predictions-title">What was joined</h2>
<p>Every figure is of the ${integer(testRows)} of ${integer(allRows)} test exposures that each model predicts.</p>
${scrollingTable(
  'Predictions',
  html`<table class="findings"><thead><tr><th scope="col">Model</th>
<th scope="col" class="number">Of the test exposures</th><th scope="col" class="number">Rows of no test exposure</th><th scope="col">Joined by</th></tr></thead>
<tbody>${models.map(
    ({ model, share, others, keys }) => html`<tr><th scope="row"><bdi>${oneLine(model, 40)}</bdi></th>
<td class="number">${percent(share)}</td><td class="number">${integer(others)}</td><td>${keys.join(', ')}</td></tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

function reproduceSection({ command, datasetHash }: Evaluation): Html {
  return html`<section id="reproduce" aria-labelledby="reproduce-title">
<h2 id="reproduce-title">Run it again</h2>
<pre><code>${oneLine(command, 2000)}</code></pre>
<dl class="manifest"><div><dt>Dataset hash</dt><dd>${datasetHash}</dd></div></dl>
</section>`;
}
