/** The columns of the table of results, on the page and in Markdown, and those of them that a terminal has room for. */

import { decimals } from '../text.ts';
import type { ReportRow, RowLift, Summary } from './report.ts';
import { featuresName, interval, pValue, signedPoints, sourceName } from './text.ts';

export interface Column {
  readonly title: string;
  readonly kind: 'text' | 'number' | 'lift';
  readonly cell: (row: ReportRow) => string;
  /** Standard deviation over seeds, `± 0.0012`; null for a single seed. */
  readonly spread?: (row: ReportRow) => string | null;
}

const features: Column = { title: 'Features', kind: 'text', cell: (row) => featuresName(row.features) };
const embeddings: Column = { title: 'Embeddings', kind: 'text', cell: (row) => sourceName(row.source) };
const start: Column = { title: 'Start', kind: 'text', cell: (row) => row.start };
const auc = metric('AUC', (row) => row.auc);
const gauc = metric('GAUC', (row) => row.gauc);
const ndcg = metric('NDCG@5', (row) => row.ndcg);
const logLoss = metric('Log loss', (row) => row.logLoss);
const calibration = metric('Calibration', (row) => row.calibration);
const lift: Column = { ...ofLift('Lift', ({ auc }) => signedPoints(auc)), kind: 'lift' };
const interval95 = ofLift('95 % interval', (each) => interval(each));
const p = ofLift('p', (each) => pValue(each.p));
const pCorrected = ofLift('p (Holm)', (each) => pValue(each.pCorrected));
const pDeLong = ofLift('p (DeLong)', (each) => pValue(each.pDeLong));

export const columns: readonly Column[] = [
  features,
  embeddings,
  start,
  auc,
  gauc,
  ndcg,
  logLoss,
  calibration,
  lift,
  interval95,
  p,
  pCorrected,
  pDeLong,
];

export const narrowColumns: readonly Column[] = [
  features,
  embeddings,
  start,
  auc,
  withoutSpread(gauc),
  withoutSpread(logLoss),
  lift,
  interval95,
  pCorrected,
];

/** What the titles of the narrow columns leave open. */
export const liftNote =
  'Lift: difference of AUC to the row without images of the same start, in points (hundredths).';
export const correctionNote = 'p (Holm): corrected for all lifts of the table; the intervals are not.';

/** A cell with its spread, `0.8123 ± 0.0011`. */
export function cellText({ cell, spread }: Column, row: ReportRow): string {
  const deviation = spread?.(row) ?? null;
  return deviation === null ? cell(row) : `${cell(row)} ${deviation}`;
}

function metric(title: string, summary: (row: ReportRow) => Summary): Column {
  return {
    title,
    kind: 'number',
    cell: (row) => decimals(summary(row).mean, 4),
    spread: (row) => {
      const { std } = summary(row);
      return std === null ? null : `± ${decimals(std, 4)}`;
    },
  };
}

function ofLift(title: string, text: (lift: RowLift) => string): Column {
  return { title, kind: 'number', cell: (row) => (row.lift === null ? '–' : text(row.lift)) };
}

function withoutSpread({ title, kind, cell }: Column): Column {
  return { title, kind, cell };
}
