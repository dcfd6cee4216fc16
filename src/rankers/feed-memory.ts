/**
 * Memory for the inputs of one run at a time, which runs after it use again. Taken anew for each, it is most of what a service
 * allocates, and JavaScript stops to collect it.
 */
export class FeedMemory {
  readonly #buffers = new Map<string, SharedArrayBuffer>();

  /** Room for an input, with whatever was there before. */
  floats(name: string, length: number): Float32Array {
    return new Float32Array(this.#room(name, length * Float32Array.BYTES_PER_ELEMENT), 0, length);
  }

  integers(name: string, length: number): Int32Array {
    return new Int32Array(this.#room(name, length * Int32Array.BYTES_PER_ELEMENT), 0, length);
  }

  #room(name: string, bytes: number): SharedArrayBuffer {
    const earlier = this.#buffers.get(name);
    if (earlier !== undefined && earlier.byteLength >= bytes) return earlier;
    const larger = new SharedArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
    this.#buffers.set(name, larger);
    return larger;
  }
}
