/** Work that each process does for itself, and of which all know how it ended. */
import { CourierError, type ErrorCode, errorCodes, messageOf } from '../errors.ts';
import type { ProcessGroup } from './process-group.ts';
import { allGatherJson } from './texts.ts';

type Outcome<T> = { readonly kind: 'done'; readonly value: T } | ReturnType<typeof failureOf>;

/** Those that fall to this process when they are dealt out one after the other. */
export function dealt<T>(
  tasks: readonly T[],
  { rank, size }: Pick<ProcessGroup, 'rank' | 'size'>,
): readonly T[] {
  return tasks.filter((_, place) => place % size === rank);
}

/**
 * Ends in all processes when it has ended in each.
 * @param work its result goes through JSON
 * @returns the results of all, by rank
 * @throws what it threw here, else the first error that it threw elsewhere: so none waits for one that has given up
 */
export async function workTogether<T>(group: ProcessGroup, work: () => Promise<T>): Promise<readonly T[]> {
  if (group.size === 1) return [await work()];
  let thrown: unknown = null;
  const own = await work().then(
    (value): Outcome<T> => ({ kind: 'done', value }),
    (error: unknown): Outcome<T> => {
      thrown = error;
      return failureOf(error);
    },
  );
  const all = await allGatherJson(group, own);
  if (own.kind === 'failed') throw thrown;
  return all.map((outcome) => {
    if (outcome.kind === 'failed') throw errorOf(outcome);
    return outcome.value;
  });
}

/** Work that is the same in all: where it fails in one, it fails in all. @returns the own result */
export async function allOrNone<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  const own: T[] = [];
  await workTogether(group, async () => {
    own.push(await work());
    return null;
  });
  return own[0]!;
}

function failureOf(error: unknown) {
  const told =
    error instanceof CourierError ? { code: error.code, remedy: error.remedy } : { code: null, remedy: '' };
  return { kind: 'failed' as const, ...told, message: messageOf(error) };
}

function errorOf({ code, message, remedy }: ReturnType<typeof failureOf>): Error {
  const known: ErrorCode | undefined = errorCodes.find((one) => one === code);
  return known === undefined ? new Error(message) : new CourierError(known, message, remedy);
}
