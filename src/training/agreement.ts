/** What the processes of one training have to be at one about. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { bytesOf, type ProcessGroup } from '../collectives/process-group.ts';
import { allGatherTexts } from '../collectives/texts.ts';
import { CourierError } from '../errors.ts';
import type { EngineState } from '../runtime/engine.ts';

/**
 * Looks whether all have the same parameters and the same state of the optimiser, to the last bit.
 * @throws CourierError PROCESSES_DIFFER
 */
export async function requireSameState(group: ProcessGroup, state: EngineState, step: number): Promise<void> {
  if (group.size === 1) return;
  const vectors = Object.entries(await state.read()).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256');
  for (const [name, values] of vectors) hash.update(name).update(bytesOf(values));
  const [hashes, hosts] = [
    await allGatherTexts(group, hash.digest('hex')),
    await allGatherTexts(group, hostname()),
  ];
  const other = hashes.findIndex((found) => found !== hashes[0]);
  if (other < 0) return;
  throw new CourierError(
    'PROCESSES_DIFFER',
    `After step ${step}, process ${other + 1} on ${hosts[other]} has other parameters than the first one on ${hosts[0]}.`,
    'Use machines with processors of one kind and the same versions of courier and MPI; the last checkpoint is that of the first process.',
  );
}

/** Whether any of them was asked to stop: all stop after the same step then. */
export async function anyStops(group: ProcessGroup, signal: AbortSignal | undefined): Promise<boolean> {
  const asked = Float32Array.of(signal?.aborted === true ? 1 : 0);
  await group.allReduce(asked);
  return asked[0]! > 0;
}
