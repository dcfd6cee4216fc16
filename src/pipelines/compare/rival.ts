/** Is COURIER better than the best of the other sources, and not only than no images at all? */

import { type RankerRun, scoredRows, type TableData } from '../../evaluation/table.ts';
import { correctionOver, measureLift } from '../../metrics/lift.ts';
import { known } from '../../metrics/measured.ts';
import { aucInfluence } from '../../metrics/user-influence.ts';
import type { ReportRow, Start, VersusOther } from '../../report/report.ts';
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
): readonly VersusOther[] {
  const pairs = (['warm', 'scratch'] satisfies Start[]).map((start) => {
    const lifted = rows.filter((row) => row.start === start && row.source !== null && isWhole(row));
    const own = best(lifted.filter(({ source }) => source === 'courier'));
    const other = best(lifted.filter(({ source }) => source !== 'courier'));
    return { own, other };
  });
  return compared(pairs, runs, dataset);
}

/**
 * Every row of COURIER against each row of another source that is fed alike and had the same start: what one thing changed makes,
 * with Holm's correction over all of them.
 */
export function versusOthers(
  rows: readonly ReportRow[],
  runs: readonly RankerRun[],
  dataset: TableData,
): readonly VersusOther[] {
  const pairs = rows
    .filter(({ source }) => source === 'courier')
    .flatMap((own) =>
      rows
        .filter((other) => other.source !== null && other.source !== 'courier' && isWhole(other))
        .filter(({ features, start }) => features === own.features && start === own.start)
        .map((other) => ({ own, other })),
    );
  return compared(pairs, runs, dataset);
}

/** Pairs that lack a side, or seeds that both have, are left out. */
function compared(
  pairs: readonly { readonly own: ReportRow | undefined; readonly other: ReportRow | undefined }[],
  runs: readonly RankerRun[],
  dataset: TableData,
): readonly VersusOther[] {
  const scored = scoredRows(dataset, runs[0]?.result.testRows ?? new Int32Array());
  const found = pairs.flatMap(({ own, other }) => {
    if (own === undefined || other?.source == null) return [];
    const seeds = own.seeds.filter((seed) => other.seeds.includes(seed));
    if (seeds.length === 0) return [];
    const scores = (row: ReportRow) => seeds.map((seed) => scored(runOf(runs, row, seed).result.testScores));
    const lift = measureLift(aucInfluence, scores(other), scores(own));
    const { source, features } = other;
    return [{ start: own.start, features: own.features, other: { source, features }, seeds, lift }];
  });
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
