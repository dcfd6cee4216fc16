/** Which rows of the table belong together, which of them are the result, and what their lifts say. */
import { type Lift, type RowLift, wholeLift } from '../metrics/lift.ts';
import { known } from '../metrics/measured.ts';
import { oneLine } from '../text.ts';
import { type Report, type ReportRow, type Start, withoutLearning } from './report.ts';
import { signedPoints } from './text.ts';

/** A row whose lift of AUC can be told from chance or not: all of it is defined. */
export interface LiftedRow extends ReportRow {
  readonly lift: Lift;
}

/** A row with images, whatever is known of its lift. */
export interface ComparedRow extends ReportRow {
  readonly lift: RowLift;
}

export interface StartGroup<Row> {
  readonly start: Start;
  readonly title: string;
  readonly note: string;
  readonly rows: readonly Row[];
}

export type Verdict = 'better' | 'worse' | 'unclear';

/** A corrected p-value below this, with an interval on one side of zero, is taken for a difference. */
export const significance = 0.05;

/** What an interval and a p-value leave out that rest on a single seed. */
export const oneSeed = 'one seed: the chance of training is not in it';

/** The warm-started rows, which are the result, then those from scratch; a group without rows is left out. */
export function startGroups<Row extends Pick<ReportRow, 'start'>>(rows: readonly Row[]): StartGroup<Row>[] {
  const warm: StartGroup<Row> = {
    start: 'warm',
    title: 'Warm start',
    note: 'the result; a ranker trained without images went on with and without them',
    rows: rows.filter(({ start }) => start === 'warm'),
  };
  const scratch: StartGroup<Row> = {
    start: 'scratch',
    title: 'From scratch',
    note: 'every ranker was trained from nothing; such comparisons exaggerate',
    rows: rows.filter(({ start }) => start === 'scratch'),
  };
  return [warm, scratch].filter((group) => group.rows.length > 0);
}

/** The rows that the headline may speak of: those that began warm, or all where none did. */
export function resultRows({ rows }: Report): readonly ReportRow[] {
  return startGroups(rows)[0]?.rows ?? [];
}

/** The row without images that had the same start. */
export function baselineOf(rows: readonly ReportRow[], start: Start): ReportRow | undefined {
  return rows.find((row) => row.lifts === null && row.start === start && row.features !== withoutLearning);
}

/** The row of what is known without learning. */
export function unlearnedOf(rows: readonly ReportRow[], start: Start): ReportRow | undefined {
  return rows.find((row) => row.start === start && row.features === withoutLearning);
}

export function comparedRows(rows: readonly ReportRow[]): ComparedRow[] {
  return rows.flatMap((row) => (row.lifts === null ? [] : [{ ...row, lift: row.lifts.auc }]));
}

/** The rows whose lift can be judged. */
export function liftedRows(rows: readonly ReportRow[]): LiftedRow[] {
  return comparedRows(rows).flatMap((row) => {
    const lift = judged(row.lift);
    return lift === null ? [] : [{ ...row, lift }];
  });
}

/** @returns null where any of it is undefined */
export function judged(lift: RowLift): Lift | null {
  return known(wholeLift(lift));
}

/** Of a lift that cannot be judged: its size as far as it is known, and why no more is. */
export function unjudgedText({ difference, ci95 }: RowLift): string {
  if (difference.kind === 'undefined') return `cannot be told: ${oneLine(difference.why)}`;
  const why = ci95.kind === 'undefined' ? `: ${oneLine(ci95.why)}` : '.';
  return `is ${signedPoints(difference.value)} points, which cannot be told from chance${why}`;
}

/** Whether a lift can be told from chance: by several seeds, its interval, and its p-value among all that were looked at. */
export function verdict(lift: Lift): Verdict {
  return lift.covers === 'users and seeds' && lift.pCorrected < significance ? side(lift) : 'unclear';
}

/** What tells lifts from chance in a picture: the end of a sentence below it, and why all are grey where there is one seed. */
export function verdictNote(lifts: readonly Pick<Lift, 'covers'>[]): string {
  const by = 'by the interval and by the corrected p-value.';
  const alone = lifts.some(({ covers }) => covers === 'users');
  return alone ? `${by} Grey whatever these say where there is ${oneSeed}.` : by;
}

/** On which side of zero the 95 % interval lies; for a lift that stands alone or is only looked at. */
export function side({ ci95: [low, high] }: Pick<Lift, 'ci95'>): Verdict {
  if (low > 0) return 'better';
  return high < 0 ? 'worse' : 'unclear';
}
