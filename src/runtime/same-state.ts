/** Whether the processes of one training have come to the same. */
import { createHash } from 'node:crypto';
import { requireSame } from '../collectives/agreement.ts';
import { bytesOf, type ProcessGroup } from '../collectives/process-group.ts';
import type { EngineState } from './session.ts';

/**
 * Looks whether all have the same parameters and the same state of the optimiser, to the last bit.
 * @throws CourierError PROCESSES_DIFFER
 */
export async function requireSameState(group: ProcessGroup, state: EngineState, step: number): Promise<void> {
  if (group.size === 1) return;
  const vectors = Object.entries(await state.read()).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256');
  for (const [name, values] of vectors) hash.update(name).update(bytesOf(values));
  await requireSame(
    group,
    hash.digest('hex'),
    `other parameters after step ${step}`,
    'Use machines with processors of one kind and the same versions of courier and MPI; the last checkpoint is that of the first process.',
  );
}
