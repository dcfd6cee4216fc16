/** The state of counters as arrays by name, in which it can be written and read again. */
import { safePlace } from '../../progress.ts';

export type StateArray = Float64Array | Int32Array | Uint8Array;

export type StateArrays = ReadonlyMap<string, StateArray>;

/** Rows that are put back without a pause: a service answers meanwhile. Some milliseconds. */
export const rowsBetweenPauses = 2 ** 16;

/** The arrays of a part under the name of the part. */
export function named(part: string, arrays: StateArrays): readonly (readonly [string, StateArray])[] {
  return [...arrays].map(([name, values]) => [`${part}/${name}`, values]);
}

/** The arrays of a part, under their own names. */
export function partOf(arrays: StateArrays, part: string): StateArrays {
  const prefix = `${part}/`;
  const own = [...arrays].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, values]) => [name.slice(prefix.length), values]));
}

/** @throws Error unless they are there, and all finite */
export async function doublesOf(arrays: StateArrays, name: string): Promise<Float64Array> {
  const found = arrays.get(name);
  if (!(found instanceof Float64Array)) throw new Error(`there are no doubles ${name}`);
  for (let place = 0; place < found.length; place++) {
    if (place % rowsBetweenPauses === 0) await safePlace(undefined);
    if (!Number.isFinite(found[place])) throw new Error(`${name} holds values that are not finite`);
  }
  return found;
}

/** @throws Error unless they are there */
export function integersOf(arrays: StateArrays, name: string): Int32Array {
  const found = arrays.get(name);
  if (found instanceof Int32Array) return found;
  throw new Error(`there are no integers ${name}`);
}

/** @throws Error unless they are there */
export function bytesOf(arrays: StateArrays, name: string): Uint8Array {
  const found = arrays.get(name);
  if (found instanceof Uint8Array) return found;
  throw new Error(`there are no bytes ${name}`);
}
