/** The page of `courier explain`. */

import type { Measured } from '../metrics/measured.ts';
import { decimals, integer, oneLine, percent } from '../text.ts';
import { attentionFigures, attentionSentence } from './attention.ts';
import type {
  EmbeddingMap,
  ExplainedClick,
  Explanation,
  InformationGain,
  NeighbourComparison,
} from './explanation.ts';
import { type ColorGroup, categoryMap, informationChart, rateMap } from './explanation-charts.ts';
import { type Html, html } from './html.ts';
import { pageOf } from './shell.ts';
import { photoName, picture, strip, stripNote } from './strips.ts';
import { scrollingTable } from './table.ts';
import { name } from './text.ts';

/** @returns the whole of `explain.html` */
export function explanationPage(explanation: Explanation): string {
  const { attention, dataset, command, startedAt, clicks, neighbours, map, information } = explanation;
  const { similarity, effectiveItems, historyItems } = attention;
  return pageOf({
    title: `What the embeddings look at on ${oneLine(dataset, 80)}`,
    heading: attentionSentence(attention),
    lede: `${integer(attention.clicks)} clicks of ${integer(attention.users)} users of the ${attention.split} split.`,
    facts: [
      ['earlier clicks carry the attention', decimals(effectiveItems, 1)],
      ['earlier clicks of a click', decimals(historyItems, 1)],
      ['rank correlation with cosine', similarity === null ? null : decimals(similarity.mean, 2)],
      ['items with an embedding', integer(map.items)],
    ],
    sections: [
      { id: 'clicks', name: 'Clicks', body: clicks.length === 0 ? null : clicksSection(clicks) },
      { id: 'attention', name: 'Attention', body: attentionSection(explanation) },
      {
        id: 'neighbours',
        name: 'Neighbours',
        body: neighbours.length === 0 ? null : neighboursSection(neighbours),
      },
      { id: 'map', name: 'Map', body: mapSection(map) },
      { id: 'information', name: 'Information', body: informationSection(information) },
      { id: 'reproduce', name: 'Reproduce', body: commandSection(command) },
    ],
    startedAt,
  });
}

function clicksSection(clicks: readonly ExplainedClick[]): Html {
  return html`<section id="clicks" aria-labelledby="clicks-title">
<h2 id="clicks-title">Which earlier clicks rebuild a click</h2>
<p>${stripNote}</p>
<div class="examples">${clicks.map(
    (click) => html`<figure class="example">${strip(click)}
<figcaption><bdi>${photoName(click.clicked)}</bdi>, ${click.time.slice(0, 10)}: ${decimals(click.effectiveItems, 1)} of
${click.history.length} earlier clicks carry the attention</figcaption></figure>`,
  )}</div>
</section>`;
}

function attentionSection({ attention }: Explanation): Html {
  return html`<section id="attention" aria-labelledby="attention-title">
<h2 id="attention-title">What attention follows</h2>
${attentionFigures(attention)}
</section>`;
}

function neighboursSection(neighbours: readonly NeighbourComparison[]): Html {
  return html`<section id="neighbours" aria-labelledby="neighbours-title">
<h2 id="neighbours-title">Nearest neighbours</h2>
<p>The photos nearest to one photo, by the cosine of each file of embeddings. Copies of a photo are left out.</p>
${neighbours.map(neighbourFigure)}
</section>`;
}

function neighbourFigure({ item, sources }: NeighbourComparison): Html {
  return html`<figure class="example neighbours"><div class="clicked">${picture(item)}</div>
<div class="rows">${sources.map(
    ({ name: source, neighbours }) => html`<div class="row"><p class="panel-title">${oneLine(source, 40)}</p>
${neighbours === null ? html`<p class="note">This item has no embedding there.</p>` : neighbourList(source, neighbours)}</div>`,
  )}</div>
<figcaption><bdi>${photoName(item)}</bdi></figcaption></figure>`;
}

function neighbourList(
  source: string,
  neighbours: NonNullable<NeighbourComparison['sources'][number]['neighbours']>,
): Html {
  return html`<ol class="tiles" aria-label="Nearest by ${oneLine(source, 40)}">${neighbours.map(
    ({ photo, cosine }) => html`<li>${picture(photo)}
<span class="cosine"><span class="hidden">cosine </span>${decimals(cosine, 2)}</span></li>`,
  )}</ol>`;
}

function mapSection(map: EmbeddingMap): Html {
  const [first, second] = map.explained;
  const shown =
    map.points.length < map.items
      ? `${integer(map.points.length)} of ${integer(map.items)} items`
      : `${integer(map.items)} items`;
  const byRate = rateMap(map);
  return html`<section id="map" aria-labelledby="map-title">
<h2 id="map-title">A map of the catalogue</h2>
<p>${shown} by the two directions in which their embeddings differ most, which hold ${percent(first)} and
${percent(second)} of the variance; what lies together here may still be apart in the other directions.</p>
<div class="panels maps">${map.category === null ? null : mapFigure(`By category: ${name(map.category, 40)}`, null, categoryMap(map))}
${mapFigure('By click rate', `Of the training split; items with ${integer(map.leastExposures)} exposures or more.`, byRate)}</div>
</section>`;
}

function mapFigure(
  title: string,
  note: string | null,
  { chart, legend }: { readonly chart: Html; readonly legend: readonly ColorGroup[] },
): Html {
  return html`<figure class="map"><figcaption><strong>${title}</strong>${note === null ? null : html`<br>${note}`}
<ul class="legend">${legend.map(
    ({ label, color, items }) => html`<li><span class="swatch dot" style="background:${color}"></span>${label}
<small>${integer(items)}</small></li>`,
  )}</ul></figcaption>${chart}</figure>`;
}

function informationSection(information: Measured<InformationGain>): Html {
  return information.kind === 'value'
    ? gainSection(information.value)
    : html`<section id="information" aria-labelledby="information-title">
<h2 id="information-title">What clusters tell about clicks</h2>
<p>${oneLine(information.why)}</p>
</section>`;
}

function gainSection(information: InformationGain): Html {
  const { category, clusters, exposures, clickEntropy, permutations, sources } = information;
  const beyond = category === null ? 'click' : `click | ${name(category, 40)}`;
  const cells = (values: readonly number[]) =>
    values.map((value) => html`<td class="number">${decimals(1000 * value, 2)}</td>`);
  return html`<section id="information" aria-labelledby="information-title">
<h2 id="information-title">What clusters tell ${category === null ? 'about clicks' : 'beyond categories'}</h2>
<p>Mutual information of click and cluster${category === null ? '' : ' for a known category'}, in thousandths of a bit, of
${integer(exposures)} training exposures and ${integer(clusters)} clusters of each file of embeddings. There are
${decimals(1000 * clickEntropy, 1)} to be told: H(${beyond}).</p>
<figure class="lift">${informationChart(information)}
<figcaption>Dots are what the clusters tell beyond the mean of ${integer(permutations)} random divisions of
${category === null ? 'the items' : 'the items of each category'} into clusters of the same sizes; grey is how far 95 % of
these go. <span class="key blue">Above that limit</span> or <span class="key grey">not distinguishable from
chance</span>. ${belowZero(sources)}</figcaption></figure>
${scrollingTable(
  'What clusters tell',
  html`<table class="small">
<thead><tr><th scope="col">Embeddings</th><th scope="col" class="number">As counted</th><th scope="col" class="number">Corrected</th>
<th scope="col" class="number">Chance, mean</th><th scope="col" class="number">Chance, 95 %</th><th scope="col" class="number">Beyond chance</th></tr></thead>
<tbody>${sources.map(
    ({ name: source, plugIn, corrected, chance }) => html`<tr><th scope="row">${oneLine(source, 40)}</th>
${cells([plugIn, corrected, chance.mean, chance.high, corrected - chance.mean])}</tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

/** Why less than nothing is told, which is not what one expects. */
function belowZero(sources: InformationGain['sources']): string | null {
  if (sources.every(({ chance }) => chance.mean >= 0)) return null;
  return `The correction takes exposures for independent. Where candidates were sampled, items differ less in their click
rates than that, and corrected numbers fall below zero; the comparison with chance holds all the same.`;
}

function commandSection(command: string): Html {
  return html`<section id="reproduce" aria-labelledby="reproduce-title">
<h2 id="reproduce-title">Run it again</h2>
<pre><code>${oneLine(command, 2000)}</code></pre>
</section>`;
}
