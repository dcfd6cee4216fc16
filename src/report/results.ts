/** Sections of the report about what came out: table, lift, curves, examples, attention. */
import { curveChart, liftChart, seriesColors } from './charts.ts';
import { columns } from './columns.ts';
import { verdict } from './headline.ts';
import { type Html, html } from './html.ts';
import type { AttentionCheck, Curve, Example, Photo, Report, ReportRow } from './report.ts';
import { integer, oneLine, percent } from './text.ts';

export function resultsSection({ rows }: Report): Html {
  const lifted = rows.some((row) => row.lift !== null);
  const seeds = Math.max(0, ...rows.map((row) => row.seeds.length));
  return html`<section id="results" aria-labelledby="results-title">
<h2 id="results-title">Does it pay to look at the photos?</h2>
${lifted ? liftFigure(rows) : null}
<div class="scroll" role="region" aria-label="Table of results" tabindex="0">
<table>
<caption>Test period, ${seeds === 1 ? 'one seed' : `mean ± standard deviation over ${seeds} seeds`}.
Lift is the difference of AUC to the first row in points (hundredths), on the same test rows.</caption>
<thead><tr>${columns.map(({ title, numeric }) => html`<th scope="col" class="${numeric ? 'number' : 'text'}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(resultRow)}</tbody>
</table>
</div>
</section>`;
}

function liftFigure(rows: readonly ReportRow[]): Html {
  return html`<figure class="lift">${liftChart(rows)}
<figcaption>Dots are means over seeds, lines 95 % intervals of a paired bootstrap over users and seeds.
<span class="key blue">better</span>, <span class="key red">worse</span> or
<span class="key grey">not distinguishable</span> from the model without images.</figcaption></figure>`;
}

function resultRow(row: ReportRow): Html {
  const [first, ...rest] = columns;
  const emphasis = row.lift !== null && verdict(row.lift) === 'better' ? 'better' : 'plain';
  return html`<tr class="${emphasis}"><th scope="row">${first?.cell(row) ?? ''}</th>
${rest.map(({ numeric, cell }) => html`<td class="${numeric ? 'number' : 'text'}">${cell(row)}</td>`)}</tr>`;
}

export function curvesSection({ curves }: Report): Html | null {
  if (curves.length === 0) return null;
  return html`<section id="training" aria-labelledby="training-title">
<h2 id="training-title">How training went</h2>
<div class="curves">${curves.map(curveFigure)}</div>
</section>`;
}

function curveFigure(curve: Curve): Html {
  const legend = curve.series.map(({ name }, place) => {
    const color = seriesColors[place % seriesColors.length]!;
    return html`<li><span class="swatch" style="background:${color}"></span>${oneLine(name, 60)}</li>`;
  });
  return html`<figure><figcaption><strong>${oneLine(curve.title)}</strong>
<ul class="legend">${legend}</ul></figcaption>${curveChart(curve)}</figure>`;
}

export function examplesSection({ examples, attention }: Report): Html | null {
  if (examples.length === 0 && attention === null) return null;
  return html`<section id="examples" aria-labelledby="examples-title">
<h2 id="examples-title">What the embeddings look at</h2>
${attention === null ? null : attentionFigure(attention)}
${
  examples.length === 0
    ? null
    : html`<p>Each strip is one click of the test period. The clicked photo is rebuilt from the photos the same
user clicked before; the bar below a photo is its share in that, its attention weight.</p>`
}
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

function exampleFigure({ clicked, history }: Example, place: number): Html {
  const largest = Math.max(...history.map(({ weight }) => weight));
  return html`<figure class="example"><div class="strip"><ol aria-label="Earlier clicks, newest first">${history.map(
    ({ photo, weight }) => html`<li class="${weight === largest ? 'largest' : 'other'}">${picture(photo)}
<span class="track" aria-hidden="true"><span class="fill blue" style="width:${100 * weight}%"></span></span>
<span class="weight"><span class="hidden">attention </span>${percent(weight)}</span></li>`,
  )}</ol><span class="arrow" aria-hidden="true">→</span>
<div class="clicked">${picture(clicked)}<span class="weight">clicked</span></div></div>
<figcaption>Example ${place + 1}: <bdi>${oneLine(clicked.title ?? clicked.item, 80)}</bdi></figcaption></figure>`;
}

/** Only pictures in formats that cannot run code, whatever the data URI claims. */
const safePicture = /^data:image\/(?:jpeg|png|webp|avif);base64,[A-Za-z0-9+/]+={0,2}$/;

function picture({ item, title, dataUri }: Photo): Html {
  const name = oneLine(title ?? `item ${item}`, 80);
  if (dataUri === null || !safePicture.test(dataUri)) {
    return html`<span class="photo missing" role="img" aria-label="${name}, no photo">no photo</span>`;
  }
  return html`<img class="photo" src="${dataUri}" alt="${name}" title="${name}" width="96" height="96">`;
}
