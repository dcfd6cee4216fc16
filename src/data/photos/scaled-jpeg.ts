/**
 * Large JPEG files decoded at a half, a quarter or an eighth of their sides: libjpeg-turbo leaves out the frequencies that a smaller
 * picture cannot show. libvips does that behind sharp too, but all of sharp's pipeline takes twice as long, and resizes by another
 * rule; so its loader is called through its C interface, in the library that sharp brings along.
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { loadKoffi } from '../../koffi.ts';
import type { Size } from './plain-jpeg.ts';

/** Pixels of which an edge may be missing: libvips leaves out what is only a part of one. */
export interface ScaledPicture extends Size {
  /** RGB (height, width, 3) */
  readonly pixels: Uint8Array;
}

/** Times the side wanted that the longer side has left at least, so that every pixel is still an average. */
const least = 1.25;

/** By how much libjpeg-turbo may divide the sides of a picture of which so many pixels a side are wanted; 1 for not at all. */
export function divisorOf({ width, height }: Size, side: number): number {
  return [8, 4, 2].find((divisor) => Math.max(width, height) >= least * side * divisor) ?? 1;
}

/**
 * Decodes a file that `plainJpegSize` knows, its sides divided. In the main thread without keeping the event
 * loop, in others at once.
 * @returns null where libvips cannot be called
 * @throws Error where the file is damaged
 */
export async function decodeScaledJpeg(bytes: Uint8Array, divisor: number): Promise<ScaledPicture | null> {
  loader ??= openLoader();
  return loader === 'none' ? null : loader(bytes, divisor);
}

type Loader = (bytes: Uint8Array, divisor: number) => Promise<ScaledPicture>;

/** Opened once for each thread. */
let loader: Loader | 'none' | null = null;

function openLoader(): Loader | 'none' {
  for (const path of librariesOfSharp()) {
    try {
      return loaderOf(path);
    } catch {
      // Of another C library, or there is no koffi for this platform: sharp itself remains.
    }
  }
  return 'none';
}

function librariesOfSharp(): readonly string[] {
  const sharp = createRequire(createRequire(import.meta.url).resolve('sharp'));
  return ['', 'musl'].flatMap((libc) => {
    try {
      return [sharp.resolve(`@img/sharp-libvips-${process.platform}${libc}-${process.arch}/binary`)];
    } catch {
      return [];
    }
  });
}

/** Files whose memory libvips reads, until their pictures are released. */
const beingRead = new Set<Uint8Array>();

/** As libvips numbers it: a file that is cut off or has wrong codes is refused. */
const failOnError = 2;

/** The library stays where it is once it is loaded, whatever becomes of the thread that did so. */
function loaderOf(path: string): Loader {
  const koffi = loadKoffi();
  const library = koffi.load(path);
  // As sharp does it, which may not be loaded yet; and as it is told to: no threads within a picture, nothing remembered.
  if (library.func('vips_init', 'int', ['str'])('courier') !== 0) throw new Error('libvips does not begin');
  library.func('vips_concurrency_set', 'void', ['int'])(1);
  library.func('vips_cache_set_max', 'void', ['int'])(0);
  const load = library.func('vips_jpegload_buffer', 'int', ['void *', 'size_t', 'void *', '...']);
  const width = library.func('vips_image_get_width', 'int', ['void *']);
  const height = library.func('vips_image_get_height', 'int', ['void *']);
  const write = library.func('vips_image_write_to_memory', 'void *', ['void *', 'void *']);
  const release = library.func('g_object_unref', 'void', ['void *']);
  const free = library.func('g_free', 'void', ['void *']);
  const clearErrors = library.func('vips_error_clear', 'void', []);
  const decode = (image: bigint, length: BigUint64Array) =>
    new Promise<bigint | null>((resolve, reject) => {
      if (!isMainThread) return resolve(write(image, length));
      write.async(image, length, (error: Error | null, memory: bigint | null) =>
        error === null ? resolve(memory) : reject(error),
      );
    });
  return async (bytes, divisor) => {
    const [made, length] = [new BigUint64Array(1), new BigUint64Array(1)];
    const options = ['str', 'shrink', 'int', divisor, 'str', 'fail-on', 'int', failOnError, 'void *', null];
    if (load(bytes, bytes.length, made, ...options) !== 0) {
      clearErrors();
      throw new Error('the JPEG file is damaged');
    }
    const image = made[0]!;
    beingRead.add(bytes);
    try {
      const memory = await decode(image, length);
      if (memory === null) {
        clearErrors();
        throw new Error('the JPEG file is damaged');
      }
      const pixels = new Uint8Array(koffi.view(memory, Number(length[0]))).slice();
      free(memory);
      const size = { width: width(image), height: height(image) };
      if (pixels.length !== size.width * size.height * 3)
        throw new Error(`decoded to ${pixels.length} values`);
      return { pixels, ...size };
    } finally {
      release(image);
      beingRead.delete(bytes);
    }
  };
}
