/** Photos → embeddings as a pipeline: while one batch is computed, the next ones are read and decoded. */

import { gatherBytes } from '../../collectives/gather.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { evenShares, ownShare } from '../../collectives/shares.ts';
import { allGatherJson, allGatherNumbers } from '../../collectives/texts.ts';
import { digestBytes, digestsOf, hashAt } from '../../data/embeddings/hashed-vectors.ts';
import { Findings } from '../../data/findings.ts';
import { decoding, type LoadedPhoto } from '../../data/photos/photo-file.ts';
import { together } from '../../data/photos/photo-pool.ts';
import { type BatchEncoder, batchSize } from '../../encoders/embed-rows.ts';
import { CourierError } from '../../errors.ts';
import { LargeMap } from '../../large-map.ts';
import { mapAhead } from '../../map-ahead.ts';
import type { Progress } from '../../progress.ts';
import type { SharedEmbeddings } from './shared-embeddings.ts';
import type { PhotoSource } from './source.ts';

/** Batches for each compute thread: it starts one as soon as it is done with the other. */
const batchesEach = 2;

export interface EmbeddedPhotos {
  /**
   * SHA-256 of each item's photo, whose embedding the store has; null where there is no usable photo. Of the photos of all, in the first
   * process; none in the others. (n)
   */
  readonly hashes: readonly (string | null)[];
  /** Items whose photo was encoded now, and those whose embedding was there before. */
  readonly encoded: number;
  readonly reused: number;
}

/**
 * Sees to it that the store has the embedding of every photo of the source; each process encodes those of a range of items. Photos of
 * equal content are encoded once by a process, and those that the store has already not at all. A photo that cannot be used is a finding.
 * @throws CourierError INTERRUPTED, with everything so far in the store
 */
export async function embedPhotos(
  group: ProcessGroup,
  source: PhotoSource,
  encoder: BatchEncoder,
  embeddings: SharedEmbeddings,
  findings: Findings,
  progress: Progress,
  signal?: AbortSignal,
): Promise<EmbeddedPhotos> {
  const count = source.ids.length;
  const shares = evenShares(count, group);
  const { from, to } = ownShare(shares, group);
  const hashes: (string | null)[] = [];
  const met = new Findings();
  const batches = new Batches(encoder, embeddings);
  let [encoded, reused] = [0, 0];
  progress({ kind: 'start', stage: 'Embed', total: count, unit: 'photos' });
  // A share that is longer by one may have a round more, in which the others take part.
  const rounds = Math.floor(Math.max(...shares) / batchSize);
  let [round, stopping] = [0, false];
  const endRound = async () => {
    const done = Math.min(count, ++round * batchSize * group.size);
    progress({ kind: 'advance', stage: 'Embed', done });
    stopping = await embeddings.gather(signal?.aborted === true);
  };
  // Where nothing was found, nothing is known but what this run encodes.
  const isKnown = embeddings.anyKnown ? (hash: string) => embeddings.has(hash) : null;
  for await (const photo of loadedPhotos(source, from, to, isKnown)) {
    const name = source.nameOf(from + hashes.length);
    hashes.push(photo.kind === 'failed' ? null : photo.hash);
    if (photo.kind === 'failed') {
      met.add(photo.problem, photo.reason === undefined ? name : `${name}: ${photo.reason}`);
    } else if (photo.kind === 'known' && !batches.made(photo.hash)) {
      reused++;
    } else {
      encoded++;
      if (photo.kind === 'pixels' && !batches.made(photo.hash)) {
        noteFormat(photo.format, name, met);
        await batches.add(photo.hash, photo.pixels);
      }
    }
    if (hashes.length % batchSize === 0) await endRound();
    if (stopping) break;
  }
  while (!stopping && round < rounds) await endRound();
  await batches.finish();
  await embeddings.gather(false);
  const whole = await gatherHashes(group, hashes);
  const all = await allGatherJson(group, { done: hashes.length, encoded, reused, met: met.list() });
  const done = sum(all.map((one) => one.done));
  if (done < count) throw interrupted(done, count);
  for (const one of all) findings.addAll(one.met);
  progress({ kind: 'advance', stage: 'Embed', done: count });
  progress({ kind: 'end', stage: 'Embed' });
  return {
    hashes: whole,
    encoded: sum(all.map((one) => one.encoded)),
    reused: sum(all.map((one) => one.reused)),
  };
}

/** The photos of a range of items in their order, read ahead some at a time. */
async function* loadedPhotos(
  source: PhotoSource,
  from: number,
  to: number,
  isKnown: ((hash: string) => boolean) | null,
): AsyncGenerator<LoadedPhoto> {
  const load = (batch: number) => {
    const first = from + batch * together;
    return source.load(
      Array.from({ length: Math.min(together, to - first) }, (_, place) => first + place),
      isKnown,
    );
  };
  const bounds = { active: decoding.active, ahead: decoding.ahead / together };
  for await (const photos of mapAhead(Math.ceil((to - from) / together), load, bounds)) yield* photos;
}

/** Those of all in the first process, in the order of items; none in the others. */
async function gatherHashes(
  group: ProcessGroup,
  hashes: readonly (string | null)[],
): Promise<readonly (string | null)[]> {
  if (group.size === 1) return hashes;
  const lengths = await allGatherNumbers(group, hashes.length);
  const usable = Uint8Array.from(hashes, (hash) => (hash === null ? 0 : 1));
  const digests = digestsOf(hashes.map((hash) => hash ?? ''));
  const all = await gatherBytes(
    group,
    digests,
    lengths.map((length) => length * digestBytes),
  );
  const flags = await gatherBytes(group, usable, lengths);
  return all.flatMap((own, rank) =>
    Array.from(flags[rank]!, (flag, row) => (flag === 1 ? hashAt(own, row) : null)),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function noteFormat(format: string | undefined, name: string, findings: Findings): void {
  if (format === undefined) return;
  findings.add('Photos in another format than their name says, used', `${name}: ${format}`);
}

/** Collects photos into batches, computes them, and keeps what comes out in the order of their coming. */
class Batches {
  readonly #encoder: BatchEncoder;
  readonly #embeddings: SharedEmbeddings;
  readonly #made = new LargeMap<string, true>();
  readonly #underWay: { readonly hashes: readonly string[]; readonly vectors: Promise<Float32Array> }[] = [];
  #hashes: string[] = [];
  #pixels: Uint8Array[] = [];

  constructor(encoder: BatchEncoder, embeddings: SharedEmbeddings) {
    this.#encoder = encoder;
    this.#embeddings = embeddings;
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

  /** Returns when everything that was added is computed. */
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
    if (oldest !== undefined) this.#embeddings.add(oldest.hashes, await oldest.vectors);
  }
}

function interrupted(done: number, count: number): CourierError {
  return new CourierError(
    'INTERRUPTED',
    `Stopped after ${done} of ${count} photos; everything up to there is saved.`,
    'Run the same command again to go on.',
  );
}
