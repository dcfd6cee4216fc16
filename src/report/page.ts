/** The report as one page that needs nothing but itself: no scripts, no network, no other file. */
import { diagnosisSection } from './diagnosis.ts';
import { context, headline, headlineRow } from './headline.ts';
import { type Html, html, trusted } from './html.ts';
import { costSection, dataSection, manifestSection } from './origins.ts';
import type { Report } from './report.ts';
import { curvesSection, examplesSection, resultsSection } from './results.ts';
import { baselineOf, resultRows } from './rows.ts';
import { slicesSection } from './slices.ts';
import { stylesheet } from './stylesheet.ts';
import { decimals, integer, oneLine, signedPoints } from './text.ts';

/** Blocks scripts and every request, should a text from outside ever get through as markup. */
const policy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** @returns the whole of `report.html` */
export function reportPage(report: Report): string {
  const sections = [
    { id: 'results', name: 'Results', body: resultsSection(report) },
    { id: 'slices', name: 'Where', body: slicesSection(report) },
    { id: 'diagnosis', name: 'Inputs', body: diagnosisSection(report) },
    { id: 'training', name: 'Training', body: curvesSection(report) },
    { id: 'examples', name: 'Examples', body: examplesSection(report) },
    { id: 'cost', name: 'Cost', body: costSection(report) },
    { id: 'data', name: 'Data', body: dataSection(report) },
    { id: 'reproduce', name: 'Reproduce', body: manifestSection(report) },
  ].filter(({ body }) => body !== null);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${oneLine(report.title)}</title>
<style>${trusted(stylesheet)}</style>
</head>
<body>
<header>
<p class="eyebrow">${oneLine(report.title)}</p>
<h1>${headline(report)}</h1>
<p class="lede">${context(report).join(' ')}</p>
${facts(report)}
<nav aria-label="Sections">${sections.map(({ id, name }) => html`<a href="#${id}">${name}</a>`)}</nav>
</header>
<main>
${sections.map(({ body }) => body)}
</main>
<footer>Made by courier-rec, ${oneLine(report.manifest.startedAt, 40)}.</footer>
</body>
</html>
`.toString();
}

function facts(report: Report): Html {
  const row = headlineRow(report);
  const [first] = resultRows(report);
  const baseline = first === undefined ? undefined : baselineOf(report.rows, first.start);
  const entries: readonly (readonly [string, string | null])[] = [
    ['points of AUC', row === undefined ? null : signedPoints(row.lift.auc)],
    ['AUC with images', row === undefined ? null : decimals(row.auc.mean, 4)],
    ['AUC without images', baseline === undefined ? null : decimals(baseline.auc.mean, 4)],
    ['test exposures', integer(report.testRows)],
    ['test users', integer(report.testUsers)],
  ];
  return html`<dl class="facts">${entries.map(([name, value]) =>
    value === null ? null : html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}
