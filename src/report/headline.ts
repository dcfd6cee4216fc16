/** The result in one plain sentence, and what a careful reader has to know beside it. */
import type { Lift, Report, ReportRow } from './report.ts';
import { decimals, featuresName, integer, interval, objectiveName, pValue, signedPoints } from './text.ts';

interface LiftedRow extends ReportRow {
  readonly lift: Lift;
}

/** The sentence a report opens with; it claims a lift only when the 95 % interval excludes zero. */
export function headline(report: Report): string {
  const row = headlineRow(report);
  if (row === undefined) return withoutComparison(report);
  const subject = `${capital(objectiveName(row.objective))} embeddings`;
  const size = decimals(100 * Math.abs(row.lift.auc), digitsFor(row.lift));
  const evidence = `95 % interval ${interval(row.lift, digitsFor(row.lift))}, ${pText(row.lift)}`;
  switch (verdict(row.lift)) {
    case 'better':
      return `${subject} lift test AUC by ${size} points over the model without images (${evidence}).`;
    case 'worse':
      return `${subject} lower test AUC by ${size} points against the model without images (${evidence}).`;
    case 'unclear': {
      const change = signedPoints(row.lift.auc, digitsFor(row.lift));
      return `${subject} make no measurable difference to test AUC: ${change} points against the model without images (${evidence}).`;
    }
  }
}

/** Sentences that put the headline into proportion: rows chosen among, best rival, size of the test. */
export function context(report: Report): string[] {
  const row = headlineRow(report);
  const size = `Measured on ${integer(report.testRows)} test exposures of ${integer(report.testUsers)} users.`;
  if (row === undefined) return [size];
  const own = liftedRows(report).filter((other) => other.objective === row.objective);
  const rival = best(liftedRows(report).filter((other) => other.objective !== row.objective));
  const sentences = [`The ranker sees the embeddings as ${featuresName(row.features)}.`];
  if (own.length > 1) {
    sentences.push(
      `This is the best of ${own.length} such rows, and the interval does not allow for that choice.`,
    );
  }
  if (rival !== undefined) {
    const name = `${objectiveName(rival.objective)} as ${featuresName(rival.features)}`;
    sentences.push(
      `The best row of any other source, ${name}, changes AUC by ${signedPoints(rival.lift.auc)} points.`,
    );
  }
  return [...sentences, size];
}

/** The row that the report is about: the best of COURIER's, or of all where COURIER was not run. */
export function headlineRow(report: Report): LiftedRow | undefined {
  const rows = liftedRows(report);
  return best(rows.filter((row) => row.objective === 'courier')) ?? best(rows);
}

export function verdict({ ci95: [low, high] }: Lift): 'better' | 'worse' | 'unclear' {
  if (low > 0) return 'better';
  return high < 0 ? 'worse' : 'unclear';
}

function liftedRows(report: Report): LiftedRow[] {
  return report.rows.flatMap((row) => (row.lift === null ? [] : [{ ...row, lift: row.lift }]));
}

function best(rows: readonly LiftedRow[]): LiftedRow | undefined {
  return rows.toSorted((a, b) => b.lift.auc - a.lift.auc)[0];
}

/** Two decimals for a narrow interval or a limit that one decimal would round to zero, else one. */
function digitsFor({ ci95: [low, high] }: Lift): number {
  return high - low < 0.005 || Math.min(Math.abs(low), Math.abs(high)) < 0.001 ? 2 : 1;
}

function pText({ p }: Lift): string {
  const text = pValue(p);
  return text.startsWith('<') ? `p ${text}` : `p = ${text}`;
}

function withoutComparison(report: Report): string {
  const [baseline] = report.rows;
  if (baseline === undefined) return 'No model was evaluated.';
  return `The model without images reaches a test AUC of ${decimals(baseline.auc.mean, 4)}; no embeddings were compared with it.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
