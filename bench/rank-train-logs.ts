/** The logs on which rankers are trained beside FuxiCTR's, as both sides take them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { settings } from './our-ranker.ts';
import { rankLog, writeColumns } from './rank-log.ts';

/** Batches of a pass. */
export const batchesAPass = 1000;
const heldOutBatches = 50;

/** FuxiCTR's optimiser goes through all embeddings at each step, ours through those of the batch. */
const sizes = [
  { users: 10_000, items: 10_000 },
  { users: 100_000, items: 100_000 },
];

async function prepare(size: { readonly users: number; readonly items: number }, folder: string) {
  const trained = batchesAPass * settings.batchSize;
  const rows = trained + heldOutBatches * settings.batchSize;
  const data = rankLog({ ...size, rows });
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const columns = await writeColumns(data, folder);
  const shared = { ...columns, ...settings, trained, threads: availableParallelism() };
  return { data, train: all.subarray(0, trained), heldOut: all.subarray(trained), shared };
}

export type PreparedLog = Awaited<ReturnType<typeof prepare>>;

/** Generates a log after the other, those whose name holds the text `only`, and uses it. */
export async function forEachLog(
  only: string,
  use: (name: string, log: PreparedLog) => Promise<void>,
): Promise<void> {
  for (const size of sizes) {
    const name = `DIN, ${size.users} users, ${size.items} items`;
    if (!name.includes(only)) continue;
    const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
    try {
      await use(name, await prepare(size, folder));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
