/** Which rows of the table belong together, which of them are the result, and what their lifts say. */
import type { Lift, Report, ReportRow, RowLift, Start } from './report.ts';

export interface LiftedRow extends ReportRow {
  readonly lift: RowLift;
}

export interface StartGroup {
  readonly start: Start;
  readonly title: string;
  readonly note: string;
  readonly rows: readonly ReportRow[];
}

export type Verdict = 'better' | 'worse' | 'unclear';

/** A corrected p-value below this, with an interval on one side of zero, is taken for a difference. */
export const significance = 0.05;

/** The warm-started rows, which are the result, then those from scratch; a group without rows is left out. */
export function startGroups(rows: readonly ReportRow[]): StartGroup[] {
  const warm: StartGroup = {
    start: 'warm',
    title: 'Warm start',
    note: 'the result; a ranker trained without images went on with and without them',
    rows: rows.filter(({ start }) => start === 'warm'),
  };
  const scratch: StartGroup = {
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
  return rows.find((row) => row.lift === null && row.start === start);
}

export function liftedRows(rows: readonly ReportRow[]): LiftedRow[] {
  return rows.flatMap((row) => (row.lift === null ? [] : [{ ...row, lift: row.lift }]));
}

/** Whether a lift can be told from chance: by its interval, and by its p-value among all that were looked at. */
export function verdict(lift: RowLift): Verdict {
  return lift.pCorrected < significance ? side(lift) : 'unclear';
}

/** On which side of zero the 95 % interval lies; for a lift that stands alone or is only looked at. */
export function side({ ci95: [low, high] }: Lift): Verdict {
  if (low > 0) return 'better';
  return high < 0 ? 'worse' : 'unclear';
}
