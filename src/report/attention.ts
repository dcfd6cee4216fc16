/** Attention of many clicks in a sentence and in pictures. */

import { decimals, integer } from '../text.ts';
import { concentrationChart, correlationChart, histogramChart } from './attention-charts.ts';
import type { AttentionSummary, CorrelationSummary } from './attention-summary.ts';
import { type Html, html } from './html.ts';

/** Such as `Of 4.6 earlier clicks, 2.1 carry the attention; it follows visual similarity (rank correlation 0.63, …).` */
export function attentionSentence({ historyItems, effectiveItems, similarity }: AttentionSummary): string {
  const carried = `Of ${decimals(historyItems, 1)} earlier clicks, ${decimals(effectiveItems, 1)} carry the attention`;
  return similarity === null
    ? `${carried}.`
    : `${carried}; it ${verb(similarity)} visual similarity (rank correlation ${numbers(similarity)}).`;
}

function verb({ ci95 }: CorrelationSummary): string {
  if (ci95 !== null && ci95[0] > 0) return 'follows';
  if (ci95 !== null && ci95[1] < 0) return 'runs against';
  return 'is not known to follow';
}

/** `0.63, 0.60 to 0.66` */
function numbers({ mean, ci95 }: CorrelationSummary): string {
  const interval = ci95 === null ? '' : `, ${decimals(ci95[0], 2)} to ${decimals(ci95[1], 2)}`;
  return `${decimals(mean, 2)}${interval}`;
}

export function attentionFigures(summary: AttentionSummary): Html {
  const { clicks, users, similarity, recency, split } = summary;
  return html`<div class="panels">
<figure><figcaption><strong>How many earlier clicks carry the attention</strong><br>exp(entropy of the weights) of
${integer(clicks)} clicks of ${integer(users)} users, ${split} split: 1 when one earlier click has all the weight; on
the dashed line all have the same. Dots are medians, thick lines hold half of the clicks, thin ones 90 %.</figcaption>
${concentrationChart(summary)}</figure>
${
  similarity === null
    ? null
    : html`<figure><figcaption><strong>Does attention follow visual similarity?</strong><br>Rank correlation of the
weights of a click with the cosines of the same photos: 1 when the more alike photo always has the larger weight. Of
${integer(similarity.clicks)} clicks with three earlier clicks or more; the line is the mean.</figcaption>
${histogramChart(similarity)}</figure>
<figure><figcaption><strong>Similarity or recency?</strong><br>Mean rank correlation of the weights with either, and 95 %
intervals over users.</figcaption>${correlationChart(similarity, recency)}</figure>`
}
</div>`;
}
