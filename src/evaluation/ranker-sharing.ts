/** When processes are dealt rankers, and when all of them train each one together. */
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { RankerConfig } from '../rankers/config.ts';
import { fitsOneProcess } from '../rankers/embedding-table.ts';
import { mostTableRows, type RankerData } from '../rankers/fields.ts';
import { sparseOptimizers } from '../rankers/sparse-optimizers.ts';
import type { PlannedRow } from './ranker-trainer.ts';

/**
 * All together where dealing would leave half of the processes or more without work, and where the table of all ids may be
 * larger than one process can hold. What is dealt out is what shares clusters: the rows of a source, for a seed. Settings, data and the
 * number of processes decide, and not what is still missing, so a run that is gone on with is shared as it was.
 */
export function trainsTogether(
  data: RankerData,
  rows: readonly PlannedRow[],
  { seeds, ranker }: { readonly seeds: readonly number[]; readonly ranker: RankerConfig },
  { size }: Pick<ProcessGroup, 'size'>,
): boolean {
  if (size === 1) return false;
  const dealt = seeds.length * new Set(rows.map((row) => row?.source ?? null)).size;
  const { embeddingDimension: dimension, tableOptimizer } = ranker;
  const optimizer = sparseOptimizers[tableOptimizer];
  return 2 * dealt <= size || !fitsOneProcess({ rows: mostTableRows(data, ranker), dimension, optimizer });
}
