/** Who does something when. */
import type { ProcessGroup } from './process-group.ts';
import { workTogether } from './together.ts';

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

/** The first process does it while the others wait, and all have its result, which goes through JSON. */
export async function doneByFirst<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  const [done = null] = await workTogether(group, async () =>
    group.rank === 0 ? { value: await work() } : null,
  );
  if (done === null) throw new Error('the first process did nothing');
  return done.value;
}
