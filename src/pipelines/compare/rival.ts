/** Is COURIER better than the best of the other sources, and not only than no images at all? */

import { type RankerRun, scoredRows, type TableData } from '../../evaluation/table.ts';
import { correctionOver, type MeasuredLift, measureLift } from '../../metrics/lift.ts';
import { known } from '../../metrics/measured.ts';
import { aucInfluence } from '../../metrics/user-influence.ts';
import type { ReportRow, Start, VersusBestOther } from '../../report/report.ts';
import { isWhole } from '../../report/sized-source.ts';

/**
 * For each start the best row of COURIER, by test lift, against the best row of any other source: as lifts
 * of the table, on the seeds that both have, with Holm's correction over the starts. Both rows are the best of several,
 * which the interval does not allow for.
 */
export function versusBestOther(
  rows: readonly ReportRow[],
  runs: readonly RankerRun[],
  dataset: TableData,
): readonly VersusBestOther[] {
  const scored = scoredRows(dataset, runs[0]?.result.testRows ?? new Int32Array());
  const found: (Omit<VersusBestOther, 'lift'> & { readonly lift: MeasuredLift })[] = [];
  for (const start of ['warm', 'scratch'] satisfies Start[]) {
    const lifted = rows.filter((row) => row.start === start && row.source !== null && isWhole(row));
    const own = best(lifted.filter(({ source }) => source === 'courier'));
    const other = best(lifted.filter(({ source }) => source !== 'courier'));
    if (own === undefined || other?.source == null) continue;
    const seeds = own.seeds.filter((seed) => other.seeds.includes(seed));
    if (seeds.length === 0) continue;
    const scores = (row: ReportRow) => seeds.map((seed) => scored(runOf(runs, row, seed).result.testScores));
    const lift = measureLift(aucInfluence, scores(other), scores(own));
    const { source, features } = other;
    found.push({ start, features: own.features, other: { source, features }, seeds, lift });
  }
  const corrected = correctionOver(found.map(({ lift }) => lift));
  return found.map((one) => ({ ...one, lift: corrected(one.lift) }));
}

/** Of the rows that have a lift. */
function best(rows: readonly ReportRow[]): ReportRow | undefined {
  return rows
    .flatMap((row) => {
      const lift = row.lifts && known(row.lifts.auc.difference);
      return lift === null ? [] : [{ row, lift }];
    })
    .toSorted((a, b) => b.lift - a.lift)[0]?.row;
}

function runOf(runs: readonly RankerRun[], row: ReportRow, seed: number): RankerRun {
  const run = runs.find(
    (run) =>
      run.source === row.source &&
      run.features === row.features &&
      run.start === row.start &&
      run.seed === seed,
  );
  if (run === undefined) throw new Error(`a row of the table lacks its seed ${seed}`);
  return run;
}
