/** Photos → embeddings as a pipeline: while one batch is computed, the next ones are read and decoded. */

import type { Findings } from '../../data/findings.ts';
import { decoding, type LoadedPhoto } from '../../data/photo-file.ts';
import { together } from '../../data/photo-pool.ts';
import { type BatchEncoder, batchSize } from '../../encoders/embed-rows.ts';
import { CourierError } from '../../errors.ts';
import { LargeMap } from '../../large-map.ts';
import { mapAhead } from '../../map-ahead.ts';
import type { Progress } from '../../progress.ts';
import type { PhotoSource } from './source.ts';
import type { EmbeddingStore } from './store.ts';

/** Batches for each compute thread: it starts one as soon as it is done with the other. */
const batchesEach = 2;

export interface EmbeddedPhotos {
  /** SHA-256 of each item's photo, whose embedding the store has; null where there is no usable photo. (n) */
  readonly hashes: readonly (string | null)[];
  /** Items whose photo was encoded now, and those whose embedding was there before. */
  readonly encoded: number;
  readonly reused: number;
}

/**
 * Sees to it that the store has the embedding of every photo of the source. Photos of equal content are
 * encoded once, and those that the store has already not at all. A photo that cannot be used is a finding.
 * @throws CourierError INTERRUPTED, with everything so far in the store
 */
export async function embedPhotos(
  source: PhotoSource,
  encoder: BatchEncoder,
  store: EmbeddingStore,
  findings: Findings,
  progress: Progress,
  signal?: AbortSignal,
): Promise<EmbeddedPhotos> {
  const hashes: (string | null)[] = [];
  const batches = new Batches(encoder, store);
  let [encoded, reused] = [0, 0];
  const count = source.ids.length;
  progress({ kind: 'start', stage: 'Embed', total: count, unit: 'photos' });
  // Where nothing was found, nothing is known but what this run encodes.
  const isKnown = store.found === 'same origin' ? (hash: string) => store.has(hash) : null;
  for await (const photo of loadedPhotos(source, isKnown)) {
    const item = hashes.length;
    const name = source.nameOf(item);
    hashes.push(photo.kind === 'failed' ? null : photo.hash);
    if (photo.kind === 'failed') {
      findings.add(photo.problem, photo.reason === undefined ? name : `${name}: ${photo.reason}`);
    } else if (photo.kind === 'known' && !batches.made(photo.hash)) {
      reused++;
    } else {
      encoded++;
      if (photo.kind === 'pixels' && !batches.made(photo.hash)) {
        noteFormat(photo.format, name, findings);
        await batches.add(photo.hash, photo.pixels);
      }
    }
    if (hashes.length % batchSize === 0) progress({ kind: 'advance', stage: 'Embed', done: hashes.length });
    if (signal?.aborted === true) break;
  }
  await batches.finish();
  if (hashes.length < count) throw interrupted(hashes.length, count);
  progress({ kind: 'advance', stage: 'Embed', done: count });
  progress({ kind: 'end', stage: 'Embed' });
  return { hashes, encoded, reused };
}

/** The photos of all items in their order, read ahead some at a time. */
async function* loadedPhotos(
  source: PhotoSource,
  isKnown: ((hash: string) => boolean) | null,
): AsyncGenerator<LoadedPhoto> {
  const count = source.ids.length;
  const load = (batch: number) => {
    const first = batch * together;
    return source.load(
      Array.from({ length: Math.min(together, count - first) }, (_, place) => first + place),
      isKnown,
    );
  };
  const bounds = { active: decoding.active, ahead: decoding.ahead / together };
  for await (const photos of mapAhead(Math.ceil(count / together), load, bounds)) yield* photos;
}

function noteFormat(format: string | undefined, name: string, findings: Findings): void {
  if (format === undefined) return;
  findings.add('Photos in another format than their name says, used', `${name}: ${format}`);
}

/** Collects photos into batches, computes them, and stores what comes out in the order of their coming. */
class Batches {
  readonly #encoder: BatchEncoder;
  readonly #store: EmbeddingStore;
  readonly #made = new LargeMap<string, true>();
  readonly #underWay: { readonly hashes: readonly string[]; readonly vectors: Promise<Float32Array> }[] = [];
  #hashes: string[] = [];
  #pixels: Uint8Array[] = [];

  constructor(encoder: BatchEncoder, store: EmbeddingStore) {
    this.#encoder = encoder;
    this.#store = store;
  }

  /** Whether the photo was encoded by this run. */
  made(hash: string): boolean {
    return this.#made.has(hash);
  }

  async add(hash: string, pixels: Uint8Array): Promise<void> {
    this.#made.set(hash, true);
    this.#hashes.push(hash);
    this.#pixels.push(pixels);
    if (this.#hashes.length === batchSize) await this.#start();
  }

  /** Returns when everything that was added is in the store. */
  async finish(): Promise<void> {
    if (this.#hashes.length > 0) await this.#start();
    while (this.#underWay.length > 0) await this.#settle();
  }

  async #start(): Promise<void> {
    if (this.#underWay.length === batchesEach * this.#encoder.size) await this.#settle();
    const vectors = this.#encoder.embed(Buffer.concat(this.#pixels));
    // Its error is heard when its turn comes.
    vectors.catch(() => {});
    this.#underWay.push({ hashes: this.#hashes, vectors });
    this.#hashes = [];
    this.#pixels = [];
  }

  async #settle(): Promise<void> {
    const oldest = this.#underWay.shift();
    if (oldest !== undefined) await this.#store.add(oldest.hashes, await oldest.vectors);
  }
}

function interrupted(done: number, count: number): CourierError {
  return new CourierError(
    'INTERRUPTED',
    `Stopped after ${done} of ${count} photos; everything up to there is saved.`,
    'Run the same command again to go on.',
  );
}
