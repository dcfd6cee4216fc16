/** The keys of the last batches, first in, first out (MoCo, He et al., CVPR 2020). */
import { NONE } from '../data/dataset.ts';
import type { SafeArray } from '../storage/safetensors.ts';

export class KeyQueue {
  /** Q */
  readonly length: number;
  /** d */
  readonly dimension: number;
  #keys: Float32Array;
  #photos: Int32Array;

  constructor(length: number, dimension: number) {
    this.length = length;
    this.dimension = dimension;
    this.#keys = new Float32Array(length * dimension);
    this.#photos = new Int32Array(length).fill(NONE);
  }

  /** Newest first, zeros in places that are still empty. (Q, d) */
  get keys(): Float32Array {
    return this.#keys;
  }

  /** What each key shows, as a row in the image cache, NONE in empty places. (Q) */
  get photos(): Int32Array {
    return this.#photos;
  }

  get arrays(): Readonly<Record<string, SafeArray>> {
    return { keys: this.#keys, keyPhotos: this.#photos };
  }

  restore({ keys, keyPhotos }: Readonly<Record<string, SafeArray>>): void {
    if (!(keys instanceof Float32Array) || !(keyPhotos instanceof Int32Array)) throw new Error('no keys');
    this.#keys = keys;
    this.#photos = keyPhotos;
  }

  /**
   * Puts keys in front, in their order; the oldest fall out.
   * @param keys (n, d), n at most Q
   * @param photos what they show (n)
   */
  push(keys: Float32Array, photos: Int32Array): void {
    const kept = this.length - photos.length;
    if (kept < 0) throw new Error(`${photos.length} keys do not fit into ${this.length} places`);
    const [nextKeys, nextPhotos] = [new Float32Array(this.#keys.length), new Int32Array(this.length)];
    nextKeys.set(keys);
    nextKeys.set(this.#keys.subarray(0, kept * this.dimension), keys.length);
    nextPhotos.set(photos);
    nextPhotos.set(this.#photos.subarray(0, kept), photos.length);
    this.#keys = nextKeys;
    this.#photos = nextPhotos;
  }
}
