/**
 * A command of the first process, for which it asks the others now and then: they do nothing else until it ends. Where it fails, it leaves as every process
 * does, and the others with it.
 */
import type { ProcessGroup } from './process-group.ts';
import { broadcastJson, receiveJson } from './texts.ts';

/** What the others can be asked for. */
export interface Errand {
  readonly name: string;
  /** Their part, while the first one does its own. */
  run(group: ProcessGroup): Promise<void>;
}

type Told<T> =
  | { readonly kind: 'errand'; readonly name: string }
  | { readonly kind: 'the end'; readonly result: T };

/** In the first process: has all others begin with an errand, in which this one then takes its part. */
export async function askOthers(group: ProcessGroup, { name }: Errand): Promise<void> {
  await broadcastJson<Told<never>>(group, { kind: 'errand', name });
}

/** In the first process: lets the others go. @returns the result, which they return too */
export async function endErrands<T>(group: ProcessGroup, result: T): Promise<T> {
  await broadcastJson<Told<T>>(group, { kind: 'the end', result });
  return result;
}

/** What the others do until the first one has ended. @returns what that ended with */
export async function doErrands<T>(group: ProcessGroup, errands: readonly Errand[]): Promise<T> {
  for (;;) {
    const told = await receiveJson<Told<T>>(group);
    if (told.kind === 'the end') return told.result;
    const errand = errands.find(({ name }) => name === told.name);
    if (errand === undefined) throw new Error(`there is no errand ${told.name}`);
    await errand.run(group);
  }
}
