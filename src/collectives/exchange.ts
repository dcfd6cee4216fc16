/** What the processes of a shared step bring to each other, and what that takes. */
import type { Lengths, ProcessGroup } from './process-group.ts';

export class Exchange {
  readonly #group: ProcessGroup;
  readonly #bytesBefore: number;
  #milliseconds = 0;
  #waiting = 0;
  #since = 0;

  constructor(group: ProcessGroup) {
    this.#group = group;
    this.#bytesBefore = group.traffic.bytes;
  }

  /** Time in which several are waited for counts once. */
  async wait(collective: Promise<void>): Promise<void> {
    if (this.#waiting++ === 0) this.#since = performance.now();
    try {
      await collective;
    } finally {
      if (--this.#waiting === 0) this.#milliseconds += performance.now() - this.#since;
    }
  }

  async sum(values: Float32Array): Promise<Float32Array> {
    await this.wait(this.#group.allReduce(values));
    return values;
  }

  /** The own part of the sum over all processes. */
  async parts(values: Float32Array, lengths: Lengths): Promise<Float32Array> {
    const part = new Float32Array(lengths[this.#group.rank]!);
    await this.wait(this.#group.reduceScatter(values, lengths, part));
    return part;
  }

  /** Milliseconds that were spent waiting, for others that were slower too, and bytes of the arrays that were brought. */
  get figures() {
    return {
      communicationMs: this.#milliseconds,
      communicationBytes: this.#group.traffic.bytes - this.#bytesBefore,
    };
  }
}
