/** Memory that every thread may read, the same from step to step. */
import { bytesOf, free } from '../runtime/hand-over.ts';
import type { NamedValues, Values } from '../runtime/protocol.ts';

export class SharedMemory {
  readonly #places = new Map<string, SharedArrayBuffer>();

  /** The same values, which the caller gives away. */
  taken(values: NamedValues): NamedValues {
    const copies = Object.entries(values).map(([name, array]) => [name, this.#copy(name, array)]);
    free(Object.values(values));
    return Object.fromEntries(copies);
  }

  /** Zeros. */
  floats(name: string, length: number): Float32Array {
    return new Float32Array(this.#place(name, 4 * length), 0, length).fill(0);
  }

  #copy(name: string, values: Values): Values {
    const place = this.#place(name, values.byteLength);
    new Uint8Array(place).set(bytesOf(values));
    if (values instanceof Uint8Array) return new Uint8Array(place, 0, values.length);
    if (values instanceof Float32Array) return new Float32Array(place, 0, values.length);
    throw new Error(`${name} is neither of bytes nor of floats`);
  }

  #place(name: string, bytes: number): SharedArrayBuffer {
    const known = this.#places.get(name);
    if (known !== undefined && known.byteLength >= bytes) return known;
    const place = new SharedArrayBuffer(bytes);
    this.#places.set(name, place);
    return place;
  }
}
