/** Who does something when. */
import type { ProcessGroup } from './process-group.ts';
import { allOrNone, workTogether } from './together.ts';

/**
 * The first process does it before the others: what it leaves on a disk that they share, they find there. Where it fails in one,
 * it fails in all.
 */
export async function firstBeforeOthers<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  if (group.size === 1) return work();
  const done: T[] = [];
  const isFirst = group.rank === 0;
  for (const turn of [true, false])
    await allOrNone(group, async () => {
      if (isFirst === turn) done.push(await work());
    });
  return done[0]!;
}

/** The first process does it while the others wait, and all have its result, which goes through JSON. */
export async function doneByFirst<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  const [done = null] = await workTogether(group, async () =>
    group.rank === 0 ? { value: await work() } : null,
  );
  if (done === null) throw new Error('the first process did nothing');
  return done.value;
}
