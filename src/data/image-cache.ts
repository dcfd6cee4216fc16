/** Decoded photos as one uint8 block [M, S, S, 3]. */

export interface ImageCache {
  /** Side S of the square photos in pixels. */
  readonly side: number;
  readonly count: number;
  /** Pixels, row-major, RGB, 0 to 255. (M, S, S, 3) */
  readonly pixels: Uint8Array;
}
