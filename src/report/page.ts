/** The report as one page that needs nothing but itself: no network, no other file. */

import { decimals, integer } from '../text.ts';
import { diagnosisSection } from './diagnosis.ts';
import { examplesSection } from './examples.ts';
import { failuresSection } from './failures.ts';
import { context, headline, headlineRow } from './headline.ts';
import { costSection, dataSection, manifestSection } from './origins.ts';
import type { Report, ReportRow } from './report.ts';
import { curvesSection, resultsSection } from './results.ts';
import { baselineOf, resultRows } from './rows.ts';
import { searchesSection } from './searches.ts';
import { type Fact, pageOf } from './shell.ts';
import { slicesSection } from './slices.ts';
import { signedPoints } from './text.ts';

/** @returns the whole of `report.html` */
export function reportPage(report: Report): string {
  const sections = [
    { id: 'results', name: 'Results', body: resultsSection(report) },
    { id: 'failures', name: 'Failures', body: failuresSection(report) },
    { id: 'slices', name: 'Where', body: slicesSection(report) },
    { id: 'diagnosis', name: 'Inputs', body: diagnosisSection(report) },
    { id: 'training', name: 'Training', body: curvesSection(report) },
    { id: 'searches', name: 'Settings', body: searchesSection(report) },
    { id: 'examples', name: 'Examples', body: examplesSection(report) },
    { id: 'cost', name: 'Cost', body: costSection(report) },
    { id: 'data', name: 'Data', body: dataSection(report) },
    { id: 'reproduce', name: 'Reproduce', body: manifestSection(report) },
  ];
  const { title, manifest } = report;
  const lede = context(report).join(' ');
  const { startedAt } = manifest;
  return pageOf({ title, heading: headline(report), lede, facts: facts(report), sections, startedAt });
}

function facts(report: Report): readonly Fact[] {
  const row = headlineRow(report);
  const [first] = resultRows(report);
  const baseline = first === undefined ? undefined : baselineOf(report.rows, first.start);
  return [
    ['points of AUC', row === undefined ? null : signedPoints(row.lift.difference)],
    ['AUC with images', aucOf(row)],
    ['AUC without images', aucOf(baseline)],
    ['test exposures', integer(report.testRows)],
    ['test users', integer(report.testUsers)],
  ];
}

function aucOf(row: Pick<ReportRow, 'auc'> | undefined): string | null {
  return row?.auc.kind === 'value' ? decimals(row.auc.value.mean, 4) : null;
}
