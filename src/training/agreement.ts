/** What the processes of one training have to be at one about. */
import type { ProcessGroup } from '../collectives/process-group.ts';

/** Whether any of them was asked to stop: all stop after the same step then. */
export async function anyStops(group: ProcessGroup, signal: AbortSignal | undefined): Promise<boolean> {
  const asked = Float32Array.of(signal?.aborted === true ? 1 : 0);
  await group.allReduce(asked);
  return asked[0]! > 0;
}
