/** The columns of the table of results, the same on the page, in the terminal and in Markdown. */
import type { ReportRow } from './report.ts';
import { featuresName, interval, meanAndStd, objectiveName, pValue, signedPoints } from './text.ts';

export interface Column {
  readonly title: string;
  readonly numeric: boolean;
  readonly cell: (row: ReportRow) => string;
}

export const columns: readonly Column[] = [
  { title: 'Features', numeric: false, cell: (row) => featuresName(row.features) },
  { title: 'Embeddings', numeric: false, cell: (row) => objectiveName(row.objective) },
  { title: 'AUC', numeric: true, cell: (row) => meanAndStd(row.auc) },
  { title: 'GAUC', numeric: true, cell: (row) => meanAndStd(row.gauc) },
  { title: 'Log loss', numeric: true, cell: (row) => meanAndStd(row.logLoss) },
  {
    title: 'Lift (points)',
    numeric: true,
    cell: ({ lift }) => (lift === null ? '–' : signedPoints(lift.auc)),
  },
  { title: '95 % interval', numeric: true, cell: ({ lift }) => (lift === null ? '–' : interval(lift)) },
  { title: 'p', numeric: true, cell: ({ lift }) => (lift === null ? '–' : pValue(lift.p)) },
];
