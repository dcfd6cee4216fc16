/** Section of the report about what the best ranker with images rests on. */

import type { ReliabilityBin } from '../metrics/calibration.ts';
import type { Measured } from '../metrics/measured.ts';
import { integer, oneLine } from '../text.ts';
import {
  categoriesChart,
  gateChart,
  importanceChart,
  inputsName,
  reliabilityChart,
} from './diagnosis-charts.ts';
import { type Html, html } from './html.ts';
import type { Diagnosis, ImageGain, InputLoss, Report } from './report.ts';
import { scrollingTable } from './table.ts';
import { featuresName, meanAndStd, signedPoints, sourceName } from './text.ts';

/** Categories shown, those with most exposures; `report.json` has all of them. */
const shownGates = 20;

/** Inputs shown, those that are missed most, beside all that come from photos; `report.json` has all of them. */
const shownInputs = 25;

export function diagnosisSection({ diagnosis }: Report): Html | null {
  if (diagnosis === null) return null;
  const { features, source, seed, importance, gates, reliability, withoutCategories } = diagnosis;
  const figures = [
    figureOrGap('Importance of inputs', importance, importanceFigure),
    gates.length === 0 ? null : gateFigure(gates),
    figureOrGap('Reliability', reliability, reliabilityFigure),
    figureOrGap('What images add beyond categories', withoutCategories, categoriesFigure),
  ];
  if (figures.every((figure) => figure === null)) return null;
  return html`<section id="diagnosis" aria-labelledby="diagnosis-title">
<h2 id="diagnosis-title">What the ranker rests on</h2>
<p>${whichRow(importance)}, ${sourceName(source)} as ${featuresName(features)},
looked into with seed ${String(seed)}, on the validation split.</p>
<div class="panels">${figures}</div>
</section>`;
}

/** The importance of inputs is a gap where validation AUC is undefined, which is what rows are chosen by. */
function whichRow(importance: Diagnosis['importance']): string {
  return importance.kind === 'value'
    ? 'The warm-started row with the best validation AUC'
    : 'The first row with images, since validation AUC is undefined';
}

/** The reason in place of what is undefined; null without data. */
function figureOrGap<T>(
  title: string,
  measured: Measured<readonly T[]>,
  figure: (values: readonly T[]) => Html,
): Html | null {
  if (measured.kind === 'undefined')
    return html`<figure><figcaption><strong>${title}</strong><br>${oneLine(measured.why)}</figcaption></figure>`;
  return measured.value.length === 0 ? null : figure(measured.value);
}

function importanceFigure(importance: readonly InputLoss[]): Html {
  const missed = importance.toSorted((a, b) => b.loss - a.loss);
  const shown = missed.filter(({ visual }, place) => visual || place < shownInputs);
  const more =
    shown.length < importance.length
      ? ` Of ${integer(importance.length)} inputs those that are missed most, and all images.`
      : null;
  return html`<figure class="importance"><figcaption><strong>Importance of inputs</strong><br>How much AUC is lost when
the values of an input are dealt out anew among the exposures: <span class="key orange">images</span>,
<span class="key grey">all else</span>.${more}</figcaption>${importanceChart(shown)}</figure>`;
}

function gateFigure(gates: Diagnosis['gates']): Html {
  const shown = gates.toSorted((a, b) => b.exposures - a.exposures).slice(0, shownGates);
  const more =
    shown.length < gates.length
      ? ` The ${shown.length} categories with most exposures of ${integer(gates.length)}.`
      : null;
  return html`<figure class="gates"><figcaption><strong>Gates</strong><br>How far each category lets images through,
0 to 1, and its exposures.${more}</figcaption>${gateChart(shown)}</figure>`;
}

function reliabilityFigure(reliability: readonly ReliabilityBin[]): Html {
  const rows = reliability.reduce((sum, { count }) => sum + count, 0);
  return html`<figure class="reliability"><figcaption><strong>Reliability</strong><br>Predicted and observed click rate of
${integer(rows)} exposures in ${reliability.length} bins of equal size; below the diagonal the ranker predicts too
many clicks.</figcaption>${reliabilityChart(reliability)}</figure>`;
}

function categoriesFigure(comparisons: readonly ImageGain[]): Html {
  return html`<figure class="categories"><figcaption><strong>What images add beyond categories</strong><br>Validation AUC
<span class="key grey">without</span> and <span class="key blue">with</span> images. What they add only when the
ranker lacks categories is what categories tell already.</figcaption>${categoriesChart(comparisons)}
${scrollingTable(
  'What images add with and without categories',
  html`<table class="small"><thead><tr><th scope="col">Inputs</th><th scope="col" class="number">AUC without images</th>
<th scope="col" class="number">AUC with images</th><th scope="col" class="number">Points</th></tr></thead>
<tbody>${comparisons.map(
    ({ categories, none, withImages }) => html`<tr><th scope="row">${inputsName(categories)}</th>
<td class="number">${meanAndStd(none)}</td><td class="number">${meanAndStd(withImages)}</td>
<td class="number">${signedPoints(withImages.mean - none.mean)}</td></tr>`,
  )}</tbody></table>`,
)}</figure>`;
}
