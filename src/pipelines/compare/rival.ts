/** Is COURIER better than the best of the other sources, and not only than no images at all? */

import {
  replicatesFor,
  rowLift,
  scoredRows,
  type TableCell,
  type TableData,
} from '../../evaluation/table.ts';
import { holm } from '../../metrics/multiple-comparisons.ts';
import type { ReportRow, Start, VersusBestOther } from '../../report/report.ts';

/**
 * For each start the best row of COURIER, by test lift, against the best row of any other source: the bootstrap of
 * the table, on the seeds that both have, with Holm's correction over the starts. Both rows are the best of several,
 * which the interval does not allow for.
 */
export async function versusBestOther(
  rows: readonly ReportRow[],
  cells: readonly TableCell[],
  dataset: TableData,
  wanted: number | null,
  signal?: AbortSignal,
): Promise<readonly VersusBestOther[]> {
  const replicates = replicatesFor(wanted, rows.filter(({ lift }) => lift !== null).length);
  const scored = scoredRows(dataset, cells[0]?.result.testRows ?? new Int32Array());
  const found: VersusBestOther[] = [];
  for (const start of ['warm', 'scratch'] satisfies Start[]) {
    const lifted = rows.filter((row) => row.start === start && row.objective !== null);
    const own = best(lifted.filter(({ objective }) => objective === 'courier'));
    const other = best(lifted.filter(({ objective }) => objective !== 'courier'));
    if (own === undefined || other?.objective == null) continue;
    const seeds = own.seeds.filter((seed) => other.seeds.includes(seed));
    if (seeds.length === 0) continue;
    const scores = (row: ReportRow) =>
      seeds.map((seed) => scored(cellOf(cells, row, seed).result.testScores));
    const lift = await rowLift(scores(other), scores(own), replicates, signal);
    const { objective, features } = other;
    found.push({ start, features: own.features, other: { objective, features }, seeds, lift });
  }
  const corrected = holm(found.map(({ lift }) => lift.p));
  return found.map((one, place) => ({ ...one, lift: { ...one.lift, pCorrected: corrected[place]! } }));
}

function best(rows: readonly ReportRow[]): ReportRow | undefined {
  return rows.toSorted((a, b) => (b.lift?.auc ?? 0) - (a.lift?.auc ?? 0))[0];
}

function cellOf(cells: readonly TableCell[], row: ReportRow, seed: number): TableCell {
  const cell = cells.find(
    (cell) =>
      cell.source === row.objective &&
      cell.features === row.features &&
      cell.start === row.start &&
      cell.seed === seed,
  );
  if (cell === undefined) throw new Error(`a row of the table lacks its seed ${seed}`);
  return cell;
}
