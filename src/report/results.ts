/** Sections of the report about what came out: table, lift, curves. */

import { oneLine } from '../text.ts';
import { curveChart, liftChart, liftDomain } from './charts.ts';
import {
  type Cell,
  type Column,
  columns,
  correctionNote,
  embeddingCells,
  embeddingNote,
  embeddingTitles,
  gapReasons,
  gapTitle,
  liftNote,
  otherColumns,
  otherNote,
} from './columns.ts';
import { seriesColors } from './drawing.ts';
import { type Html, html } from './html.ts';
import type { Curve, Report, ReportRow } from './report.ts';
import { othersCells, othersNote, othersTitles, rivalSentence } from './rival.ts';
import {
  comparedRows,
  judged,
  liftedRows,
  type StartGroup,
  startGroups,
  type Verdict,
  verdict,
  verdictNote,
} from './rows.ts';
import { screeningSentence } from './screening.ts';
import { sizeCells, sizesNote, sizesTitle, sizeTitles, sizeWords } from './sizes.ts';
import { scrollingTable } from './table.ts';

export function resultsSection(report: Report): Html {
  const { rows } = report;
  const rival = rivalSentence(report);
  const screening = screeningSentence(report);
  const seeds = Math.max(0, ...rows.map((row) => row.seeds.length));
  return html`<section id="results" aria-labelledby="results-title">
<h2 id="results-title">Does it pay to look at the photos?</h2>
${liftFigure(rows)}
${scrollingTable(
  'Table of results',
  html`<table class="results">
<caption>Test period, ${seeds === 1 ? 'one seed' : `mean ± standard deviation over ${seeds} seeds`}.
${liftNote(rows)} ${correctionNote}
Calibration: predicted over observed click rate.</caption>
${tableHead(columns)}
${startGroups(rows).map(tableBody)}
</table>`,
  { tools: true },
)}
${otherTable(rows)}
${gapList(rows)}
${embeddingTable(report)}
${sizesTable(report)}
${screening === null ? null : html`<p>${screening}</p>`}
${rival === null ? null : html`<p>${rival}</p>`}
${othersTable(report)}
</section>`;
}

/** One panel for each start, on the same scale. */
function liftFigure(rows: readonly ReportRow[]): Html | null {
  const lifted = liftedRows(rows);
  if (lifted.length === 0) return null;
  const domain = liftDomain(lifted);
  const panels = startGroups(lifted).map(({ start, title, rows }) => {
    const options = { start: title.toLowerCase(), domain, faded: start === 'scratch' };
    const name = start === 'scratch' ? `${title}; such comparisons exaggerate` : title;
    return html`<div class="${start}"><p class="panel-title">${name}</p>
${liftChart(rows, options)}</div>`;
  });
  return html`<figure class="lift"><div class="panels">${panels}</div>
<figcaption>Dots are means over seeds, lines 95 % intervals over users and, where there are several, seeds.
<span class="key blue">Better</span>, <span class="key red">worse</span> or
<span class="key grey">not distinguishable</span> from the model without images of the same start,
${verdictNote(lifted.map(({ lift }) => lift))}</figcaption></figure>`;
}

/** The lifts of the other metrics; null without a row that has any. */
function otherTable(rows: readonly ReportRow[]): Html | null {
  const compared = startGroups(comparedRows(rows)).flatMap((group) => group.rows);
  if (compared.length === 0) return null;
  return scrollingTable(
    'Lifts of other metrics',
    html`<table class="lifts">
<caption>${otherNote}</caption>
${tableHead(otherColumns)}
<tbody>${compared.map((row) => tableRow(otherColumns, row, 'plain'))}</tbody>
</table>`,
    { tools: true },
  );
}

/** null where nothing is fed as COURIER is. */
function othersTable({ versusOthers }: Report): Html | null {
  if (versusOthers.length === 0) return null;
  const texts = 3;
  const kindOf = (place: number) => (place < texts ? 'text' : 'number');
  return scrollingTable(
    'COURIER against each other source',
    html`<table class="others">
<caption>${othersNote}</caption>
<thead><tr>${othersTitles.map((title, place) => html`<th scope="col" class="${kindOf(place)}">${title}</th>`)}</tr></thead>
<tbody>${versusOthers.map((one) => {
      const [name, ...cells] = othersCells(one);
      return html`<tr><th scope="row">${name}</th>${cells.map((cell, place) => html`<td class="${kindOf(place + 1)}">${cell}</td>`)}</tr>`;
    })}</tbody>
</table>`,
    { tools: true },
  );
}

/** What embeddings alone tell of the clicks of each period; null where there are none. */
function embeddingTable({ embeddings }: Report): Html | null {
  if (embeddings.length === 0) return null;
  const [first, ...figures] = embeddingTitles;
  return scrollingTable(
    'SimScore AUC by period',
    html`<table class="periods">
<caption>${embeddingNote}</caption>
<thead><tr><th scope="col">${first}</th>${figures.map((title) => html`<th scope="col" class="number">${title}</th>`)}</tr></thead>
<tbody>${embeddings.map((periods) => {
      const [name, ...cells] = embeddingCells(periods);
      return html`<tr><th scope="row">${name ?? ''}</th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`;
    })}</tbody>
</table>`,
  );
}

/** null where nothing stands at several sizes. */
function sizesTable(report: Report): Html | null {
  const cells = sizeCells(report);
  if (cells.length === 0) return null;
  const kind = (column: number) => (column < sizeWords ? 'text' : 'number');
  return scrollingTable(
    sizesTitle,
    html`<table class="sizes">
<caption><strong>${sizesTitle}.</strong> ${sizesNote}</caption>
<thead><tr>${sizeTitles.map((title, column) => html`<th scope="col" class="${kind(column)}">${title}</th>`)}</tr></thead>
<tbody>${cells.map(
      ([name, ...rest]) =>
        html`<tr><th scope="row">${name ?? ''}</th>${rest.map((cell, column) => html`<td class="${kind(column + 1)}">${cell}</td>`)}</tr>`,
    )}</tbody>
</table>`,
    { tools: true },
  );
}

function tableHead(columns: readonly Column[]): Html {
  return html`<thead><tr>${columns.map(({ title, kind }) => html`<th scope="col" class="${cellClass(kind)}">${title}</th>`)}</tr></thead>`;
}

function tableBody({ start, title, note, rows }: StartGroup<ReportRow>): Html {
  return html`<tbody class="${start}"><tr class="group"><th scope="rowgroup" colspan="${columns.length}"><span>${title}:
<small>${note}</small></span></th></tr>${rows.map((row) => tableRow(columns, row, emphasisOf(row)))}</tbody>`;
}

function emphasisOf({ lifts }: ReportRow): Verdict | 'plain' {
  const lift = lifts && judged(lifts.auc);
  return lift === null ? 'plain' : verdict(lift);
}

function tableRow([first, ...rest]: readonly Column[], row: ReportRow, emphasis: Verdict | 'plain'): Html {
  return html`<tr class="${emphasis}"><th scope="row">${first?.cell(row).text ?? ''}</th>
${rest.map(({ kind, cell }) => html`<td class="${cellClass(kind)}">${cellContent(cell(row))}</td>`)}</tr>`;
}

function cellContent({ text, spread, gap }: Cell): Html {
  if (gap !== null) return html`<abbr title="${oneLine(gap, 600)}">${text}</abbr>`;
  return html`${text}${spread === null ? null : html` <small>${spread}</small>`}`;
}

function gapList(rows: readonly ReportRow[]): Html | null {
  const reasons = gapReasons(rows, [...columns, ...otherColumns]);
  if (reasons.length === 0) return null;
  return html`<p class="note">${gapTitle}</p><ul class="note">${reasons.map((why) => html`<li>${why}</li>`)}</ul>`;
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
