/** Who does something when. */
import type { ProcessGroup } from './process-group.ts';

/** The first process does it before the others: what it leaves on a disk that they share, they find there. */
export async function firstBeforeOthers<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  if (group.rank > 0) {
    await group.barrier();
    return work();
  }
  const done = await work();
  await group.barrier();
  return done;
}
