/** The embeddings that several processes make together: all know which there are, and the first one has them. */
import { gatherBytes } from '../../collectives/gather.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { broadcastJson } from '../../collectives/texts.ts';
import {
  digestBytes,
  digestsOf,
  type HashedBatch,
  HashedVectors,
  hashAt,
} from '../../data/embeddings/hashed-vectors.ts';
import { batchSize } from '../../encoders/embed-rows.ts';
import type { EmbeddingStore } from './store.ts';

export class SharedEmbeddings {
  /** Whether any were there before, of the same encoder. */
  readonly anyKnown: boolean;
  readonly #group: ProcessGroup;
  /** null in all processes but the first. */
  readonly #store: EmbeddingStore | null;
  /** Of each photo whose embedding is there nothing but the hash. */
  readonly #known: HashedVectors;
  readonly #dimension: number;
  /** What has been added since the last gathering. */
  #added: HashedBatch[] = [];

  private constructor(
    group: ProcessGroup,
    store: EmbeddingStore | null,
    known: HashedVectors,
    anyKnown: boolean,
    dimension: number,
  ) {
    this.#group = group;
    this.#store = store;
    this.#known = known;
    this.anyKnown = anyKnown;
    this.#dimension = dimension;
  }

  /**
   * What the store of the first process has, for all to know.
   * @param store null in the others
   */
  static async open(
    group: ProcessGroup,
    store: EmbeddingStore | null,
    dimension: number,
  ): Promise<SharedEmbeddings> {
    const own = store?.digests ?? new Uint8Array();
    const { found, length } = await broadcastJson(group, { found: store?.found, length: own.length });
    const known = new HashedVectors();
    if (group.size > 1) {
      const digests = store === null ? new Uint8Array(length) : own;
      await group.broadcast(digests);
      if (store === null) known.add({ digests, vectors: new Float32Array() });
    }
    return new SharedEmbeddings(group, store, known, found === 'same origin', dimension);
  }

  has(hash: string): boolean {
    return this.#store === null ? this.#known.get(hash) !== null : this.#store.has(hash);
  }

  /** Keeps a batch until it is gathered. (n), (n, d) */
  add(hashes: readonly string[], vectors: Float32Array): void {
    this.#added.push({ digests: digestsOf(hashes), vectors });
  }

  /**
   * Brings what all have added to the store of the first process: when this returns, killing them loses none of it. All call it
   * at the same time.
   * @param stopping whether this process was asked to stop
   * @returns whether any of them was
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  async gather(stopping: boolean): Promise<boolean> {
    const { size, rank } = this.#group;
    const digests = Buffer.concat(this.#added.map((batch) => batch.digests));
    const vectors = Buffer.concat(
      this.#added.map(
        (batch) => new Uint8Array(batch.vectors.buffer, batch.vectors.byteOffset, batch.vectors.byteLength),
      ),
    );
    this.#added = [];
    const told = new Float64Array(2 * size);
    told.set([digests.length / digestBytes, stopping ? 1 : 0], 2 * rank);
    await this.#group.allReduce(told);
    const counts = Array.from({ length: size }, (_, from) => told[2 * from]!);
    if (counts.some((count) => count > 0)) {
      const all = await gatherBytes(
        this.#group,
        digests,
        counts.map((count) => count * digestBytes),
      );
      const values = await gatherBytes(
        this.#group,
        vectors,
        counts.map((count) => 4 * count * this.#dimension),
      );
      for (const [from, own] of all.entries()) await this.#keep(own, new Float32Array(values[from]!.buffer));
    }
    return told.some((value, place) => place % 2 === 1 && value > 0);
  }

  /** In batches: what is written at once is bounded. */
  async #keep(digests: Uint8Array, vectors: Float32Array): Promise<void> {
    const count = digests.length / digestBytes;
    for (let from = 0; from < count; from += batchSize) {
      const to = Math.min(count, from + batchSize);
      const hashes = Array.from({ length: to - from }, (_, row) => hashAt(digests, from + row));
      await this.#store?.add(hashes, vectors.slice(from * this.#dimension, to * this.#dimension));
    }
  }
}
