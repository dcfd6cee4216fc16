/** The columns of the table of results, on the page and in Markdown, and those of them that a terminal has room for. */

import type { MeasuredLift } from '../metrics/lift.ts';
import type { Measured } from '../metrics/measured.ts';
import type { Summary } from '../metrics/summary.ts';
import { decimals, oneLine, percent } from '../text.ts';
import type { EmbeddingFigures, ReportRow, RowLifts } from './report.ts';
import { comparedRows, oneSeed } from './rows.ts';
import { featuresName, interval, pValue, signedPoints, sourceName } from './text.ts';

export interface Column {
  readonly title: string;
  readonly kind: 'text' | 'number' | 'lift';
  readonly cell: (row: ReportRow) => Cell;
}

export interface Cell {
  readonly text: string;
  /** Standard deviation over seeds, `± 0.0012`; null for a single seed, and where there is none. */
  readonly spread: string | null;
  /** Why the figure is missing; null where it is not, or nothing belongs there. */
  readonly gap: string | null;
}

const features = name('Features', (row) => featuresName(row.features));
const embeddings = name('Embeddings', (row) => sourceName(row.source));
const start = name('Start', (row) => row.start);
const auc = metric('AUC', (row) => row.auc);
const gauc = metric('GAUC', (row) => row.gauc);
const ndcg = metric('NDCG@5', (row) => row.ndcg);
const logLoss = metric('Log loss', (row) => row.logLoss);
const calibration = metric('Calibration', (row) => row.calibration);
const lift: Column = { ...ofLift('Lift', ({ auc }) => auc.difference, signedPoints), kind: 'lift' };
const interval95 = ofLift('95 % interval', ({ auc }) => auc.ci95, interval);
const p = ofLift('p', ({ auc }) => auc.p, pValue);
const pCorrected = ofLift('p (Holm)', ({ auc }) => auc.pCorrected, pValue);

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

/** Of a second table: the same differences of the other metrics, for rows that have a lift. */
export const otherColumns: readonly Column[] = [
  features,
  embeddings,
  start,
  ...otherLift('GAUC', ({ gauc }) => gauc),
  ...otherLift('NDCG@5', ({ ndcg }) => ndcg),
  ...otherLift('Log loss', ({ logLoss }) => logLoss),
];
export const otherNote =
  'The same differences of other metrics, in hundredths; less log loss is better. Their p-values are not corrected.';

/** What the SimScore of each source tells of the clicks of each period: titles, and the cells of a source. */
export const embeddingTitles = [
  'Embeddings',
  'Items',
  'Candidates',
  'History',
  'Comparable',
  'AUC, older days',
  'newer days',
  'validation',
] as const;
export const embeddingNote =
  'What embeddings know: the share of items, of candidates and history places of the test period, and of test exposures of which both can be compared. Then the AUC of SimScore alone, in the older and the newer days of the training period and on validation. Rankers that began warm went on with the newer days; what an encoder learned by heart shows as a fall from the days that it has seen to the others.';

export function embeddingCells(periods: EmbeddingFigures): readonly string[] {
  const { source, items, candidates, history, comparable, older, newer, validation } = periods;
  const text = (figure: Measured, as: (value: number) => string) =>
    figure.kind === 'value' ? as(figure.value) : '–';
  return [
    sourceName(source),
    ...[items, candidates, history, comparable].map((figure) => text(figure, percent)),
    ...[older, newer, validation].map((figure) => text(figure, (auc) => decimals(auc, 3))),
  ];
}

/** What the titles of the narrow columns leave open. */
export function liftNote(rows: readonly ReportRow[]): string {
  const lift = 'Lift: difference of AUC to the row without images of the same start, in points (hundredths).';
  const alone = comparedRows(rows).filter(({ lift }) => lift.covers === 'users');
  return alone.length === 0 ? lift : `${lift} Where there is ${oneSeed}.`;
}
export const correctionNote = 'p (Holm): corrected for all lifts of the table; the intervals are not.';

/** Above the reasons for gaps. */
export const gapTitle = 'Why figures are missing:';

/** Why these columns have gaps, each reason once; also where validation could not choose the weights of the rankers. */
export function gapReasons(rows: readonly ReportRow[], shown: readonly Column[]): string[] {
  const reasons = rows.flatMap((row) => [
    ...shown.flatMap(({ cell }) => cell(row).gap ?? []),
    ...unchosen(row),
  ]);
  return [...new Set(reasons)].map((reason) => oneLine(reason, 600));
}

function unchosen({ validationAuc }: ReportRow): readonly string[] {
  return validationAuc.kind === 'value'
    ? []
    : [`Validation split: ${validationAuc.why} Every ranker kept the weights of its last step.`];
}

/** A cell with its spread, `0.8123 ± 0.0011`. */
export function cellText({ cell }: Column, row: ReportRow): string {
  const { text, spread } = cell(row);
  return spread === null ? text : `${text} ${spread}`;
}

function name(title: string, text: (row: ReportRow) => string): Column {
  return { title, kind: 'text', cell: (row) => ({ text: text(row), spread: null, gap: null }) };
}

function metric(title: string, summary: (row: ReportRow) => Measured<Summary>): Column {
  return {
    title,
    kind: 'number',
    cell: (row) =>
      measuredCell(summary(row), ({ mean, std }) => ({
        text: decimals(mean, 4),
        spread: std === null ? null : `± ${decimals(std, 4)}`,
        gap: null,
      })),
  };
}

function ofLift<T>(
  title: string,
  figure: (lifts: RowLifts) => Measured<T>,
  text: (value: T) => string,
): Column {
  return {
    title,
    kind: 'number',
    cell: ({ lifts }) =>
      lifts === null
        ? { text: '–', spread: null, gap: null }
        : measuredCell(figure(lifts), (value) => ({ text: text(value), spread: null, gap: null })),
  };
}

function otherLift(metric: string, lift: (lifts: RowLifts) => MeasuredLift): readonly Column[] {
  return [
    ofLift(metric, (lifts) => lift(lifts).difference, signedPoints),
    ofLift(`${metric} 95 % interval`, (lifts) => lift(lifts).ci95, interval),
    ofLift(`${metric} p`, (lifts) => lift(lifts).p, pValue),
  ];
}

function measuredCell<T>(measured: Measured<T>, cell: (value: T) => Cell): Cell {
  return measured.kind === 'value' ? cell(measured.value) : { text: '–', spread: null, gap: measured.why };
}

function withoutSpread({ title, kind, cell }: Column): Column {
  return { title, kind, cell: (row) => ({ ...cell(row), spread: null }) };
}
