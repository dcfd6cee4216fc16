/** The memory of WebAssembly, as arrays. */
import type { TableMemory } from './embedding-table-memory.ts';

const pageBytes = 65_536;
const pageLimit = 65_536;

/** Nothing lies at 0, which stands for what is not there. */
const firstByte = 64;

/**
 * One memory of at most 4 GiB in which arrays lie one after the other. It is shared: arrays stay where they are and stay
 * valid while it grows, and other threads could read them in place.
 */
export class LinearMemory implements TableMemory {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: pageLimit, shared: true });
  #end = firstByte;

  floats(length: number): Float32Array {
    const start = this.#place(4 * length);
    return new Float32Array(this.memory.buffer, start, length);
  }

  integers(length: number): Int32Array {
    const start = this.#place(4 * length);
    return new Int32Array(this.memory.buffer, start, length);
  }

  doubles(length: number): Float64Array {
    const start = this.#place(8 * length);
    return new Float64Array(this.memory.buffer, start, length);
  }

  /** @throws RangeError where there is no memory */
  #place(bytes: number): number {
    const start = this.#end;
    // Lines of the processor's cache.
    this.#end = start + 64 * Math.ceil(bytes / 64);
    const pages = Math.ceil(this.#end / pageBytes) - this.memory.buffer.byteLength / pageBytes;
    if (pages > 0) this.memory.grow(pages);
    return start;
  }
}
