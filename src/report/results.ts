/** Sections of the report about what came out: table, lift, curves, examples, attention. */
import { curveChart, liftChart, liftDomain } from './charts.ts';
import { type Column, columns, correctionNote, liftNote } from './columns.ts';
import { seriesColors } from './drawing.ts';
import { type Html, html } from './html.ts';
import type { AttentionCheck, Curve, Example, Photo, Report, ReportRow } from './report.ts';
import { liftedRows, type StartGroup, startGroups, verdict } from './rows.ts';
import { integer, oneLine, percent } from './text.ts';

export function resultsSection({ rows }: Report): Html {
  const seeds = Math.max(0, ...rows.map((row) => row.seeds.length));
  return html`<section id="results" aria-labelledby="results-title">
<h2 id="results-title">Does it pay to look at the photos?</h2>
${liftFigure(rows)}
<div class="scroll" role="region" aria-label="Table of results" tabindex="0">
<table class="results">
<caption>Test period, ${seeds === 1 ? 'one seed' : `mean ± standard deviation over ${seeds} seeds`}.
${liftNote} ${correctionNote} p is of a bootstrap over users; DeLong's test takes exposures for independent.
Calibration: predicted over observed click rate.</caption>
<thead><tr>${columns.map(({ title, kind }) => html`<th scope="col" class="${cellClass(kind)}">${title}</th>`)}</tr></thead>
${startGroups(rows).map(groupRows)}
</table>
</div>
</section>`;
}

/** One panel for each start, on the same scale. */
function liftFigure(rows: readonly ReportRow[]): Html | null {
  const lifted = liftedRows(rows);
  if (lifted.length === 0) return null;
  const domain = liftDomain(lifted);
  const panels = startGroups(lifted).map(({ start, title }) => {
    const options = { start: title.toLowerCase(), domain, faded: start === 'scratch' };
    const name = start === 'scratch' ? `${title}; such comparisons exaggerate` : title;
    return html`<div class="${start}"><p class="panel-title">${name}</p>
${liftChart(liftedRows(lifted.filter((row) => row.start === start)), options)}</div>`;
  });
  return html`<figure class="lift"><div class="panels">${panels}</div>
<figcaption>Dots are means over seeds, lines 95 % intervals of a paired bootstrap over users and seeds.
<span class="key blue">Better</span>, <span class="key red">worse</span> or
<span class="key grey">not distinguishable</span> from the model without images of the same start, by the interval
and by the corrected p-value.</figcaption></figure>`;
}

function groupRows({ start, title, note, rows }: StartGroup): Html {
  return html`<tbody class="${start}"><tr class="group"><th scope="rowgroup" colspan="${columns.length}"><span>${title}:
<small>${note}</small></span></th></tr>${rows.map(resultRow)}</tbody>`;
}

function resultRow(row: ReportRow): Html {
  const [first, ...rest] = columns;
  const emphasis = row.lift === null ? 'plain' : verdict(row.lift);
  return html`<tr class="${emphasis}"><th scope="row">${first?.cell(row) ?? ''}</th>
${rest.map((column) => html`<td class="${cellClass(column.kind)}">${cell(column, row)}</td>`)}</tr>`;
}

function cell({ cell, spread }: Column, row: ReportRow): Html {
  const deviation = spread?.(row) ?? null;
  return html`${cell(row)}${deviation === null ? null : html` <small>${deviation}</small>`}`;
}

function cellClass(kind: Column['kind']): string {
  return kind === 'lift' ? 'number lift' : kind;
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
