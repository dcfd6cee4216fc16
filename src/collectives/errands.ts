/** A command of the first process, for which it asks the others now and then: they do nothing else until it ends. */
import type { ProcessGroup } from './process-group.ts';
import { broadcastJson } from './texts.ts';

type Told<T> =
  | { readonly kind: 'errand'; readonly name: string }
  | { readonly kind: 'the end'; readonly result: T };

/** In the first process: has all others begin with an errand, in which this one then takes its part. */
export async function askOthers(group: ProcessGroup, name: string): Promise<void> {
  await broadcastJson<Told<never>>(group, { kind: 'errand', name });
}

/** In the first process: lets the others go. @returns the result, which they return too */
export async function endErrands<T>(group: ProcessGroup, result: T): Promise<T> {
  await broadcastJson<Told<T>>(group, { kind: 'the end', result });
  return result;
}

/**
 * What the others do until the first one has ended.
 * @param errands by their names
 * @returns what that ended with
 */
export async function doErrands<T>(
  group: ProcessGroup,
  errands: ReadonlyMap<string, (group: ProcessGroup) => Promise<void>>,
): Promise<T> {
  for (;;) {
    const told = await broadcastJson<Told<T>>(group, { kind: 'errand', name: '' });
    if (told.kind === 'the end') return told.result;
    const errand = errands.get(told.name);
    if (errand === undefined) throw new Error(`there is no errand ${told.name}`);
    await errand(group);
  }
}
