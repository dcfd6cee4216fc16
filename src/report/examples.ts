/** Section of the report about what the embeddings look at: attention of test clicks, and examples. */

import { integer, oneLine, percent } from '../text.ts';
import { attentionFigures, attentionSentence } from './attention.ts';
import { type Html, html } from './html.ts';
import type { AttentionCheck, Example, Report } from './report.ts';
import { strip, stripNote } from './strips.ts';

export function examplesSection({ examples, attention, attentionSummary }: Report): Html | null {
  if (examples.length === 0 && attention === null && attentionSummary === undefined) return null;
  return html`<section id="examples" aria-labelledby="examples-title">
<h2 id="examples-title">What the embeddings look at</h2>
${attentionSummary === undefined ? null : html`<p>${attentionSentence(attentionSummary)}</p>`}
${attention === null ? null : attentionFigure(attention)}
${attentionSummary === undefined ? null : attentionFigures(attentionSummary)}
${examples.length === 0 ? null : html`<p>Each strip is one click of the test period. ${stripNote}</p>`}
<div class="examples">${examples.map(exampleFigure)}</div>
</section>`;
}

function attentionFigure({ clicks, hitRate, chance }: AttentionCheck): Html {
  const bar = (label: string, share: number, kind: string) => html`<div class="bar-row"><span>${label}</span>
<span class="track"><span class="fill ${kind}" style="width:${Math.min(100, 100 * share)}%"></span></span>
<span class="number">${percent(share)}</span></div>`;
  return html`<figure class="attention">
${bar('largest weight', hitRate, 'blue')}${bar('chance', chance, 'grey')}
<figcaption>How often the largest attention weight lies on an earlier click of the same known taste as the
clicked item: in ${percent(hitRate)} of ${integer(clicks)} clicks, where choosing an earlier click at random
would give ${percent(chance)}.</figcaption></figure>`;
}

function exampleFigure(example: Example, place: number): Html {
  const { clicked } = example;
  return html`<figure class="example">${strip(example)}
<figcaption>Example ${place + 1}: <bdi>${oneLine(clicked.title ?? clicked.item, 80)}</bdi></figcaption></figure>`;
}
