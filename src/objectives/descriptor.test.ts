import { beforeAll, describe, expect, it } from 'vitest';
import type { Photos } from '../data/photos/image-cache.ts';
import { CourierError } from '../errors.ts';
import { type ProgressEvent, silent } from '../progress.ts';
import { Random } from '../random.ts';
import { type Descriptor, embedByDescriptor } from './descriptor.ts';
import { embedByHog, orientedGradients } from './hog.ts';
import { embedByPixelPca, thumbnail } from './pixel-pca.ts';

const SIDE = 16;

function photosOf(pixels: Uint8Array): Photos {
  const size = SIDE * SIDE * 3;
  return {
    count: pixels.length / size,
    side: SIDE,
    read(rows) {
      const block = new Uint8Array(rows.length * size);
      for (const [i, row] of rows.entries())
        block.set(pixels.subarray(row * size, (row + 1) * size), i * size);
      return block;
    },
  };
}

/** Photos of random blobs on random backgrounds. */
function blobs(count: number): Photos {
  const random = Random.seeded(1, 'descriptor test');
  const pixels = new Uint8Array(count * SIDE * SIDE * 3);
  for (let photo = 0; photo < count; photo++) {
    const [cx, cy] = [random.integer(SIDE), random.integer(SIDE)];
    const colours = Array.from({ length: 6 }, () => random.integer(256));
    for (let i = 0; i < SIDE * SIDE; i++) {
      const inside = Math.hypot((i % SIDE) - cx, Math.floor(i / SIDE) - cy) < 5;
      const start = (photo * SIDE * SIDE + i) * 3;
      for (let c = 0; c < 3; c++) pixels[start + c] = colours[inside ? c : c + 3]!;
    }
  }
  return photosOf(pixels);
}

const photos = blobs(40);
const half = Int32Array.from({ length: 20 }, (_, i) => i);

describe.each<[string, Descriptor, typeof embedByHog]>([
  ['HOG', orientedGradients, embedByHog],
  ['pixel PCA', thumbnail, embedByPixelPca],
])('embeddings by %s', (_name, descriptor, embed) => {
  const { components } = descriptor;
  let embeddings: Float32Array;
  beforeAll(async () => {
    embeddings = await embed(photos, half, silent);
  });

  it('are rows of length 1, one per photo', () => {
    expect(embeddings).toHaveLength(40 * components);
    for (let photo = 0; photo < 40; photo++) {
      const row = embeddings.subarray(photo * components, (photo + 1) * components);
      expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    }
  });

  it('are the same bits on every run, for any batch size', async () => {
    expect(await embedByDescriptor(descriptor, photos, half, silent, undefined, 7)).toEqual(embeddings);
  });

  it('learn nothing from photos outside the fitted rows', async () => {
    const pixels = photos.read(Array.from({ length: 40 }, (_, i) => i));
    pixels.fill(9, 30 * SIDE * SIDE * 3);
    const changed = await embed(photosOf(pixels), half, silent);
    const kept = 30 * components;
    expect(changed.subarray(0, kept)).toEqual(embeddings.subarray(0, kept));
    expect(changed.subarray(kept)).not.toEqual(embeddings.subarray(kept));
  });

  it('are zero, not NaN, when all photos are the same', async () => {
    const same = photosOf(new Uint8Array(5 * SIDE * SIDE * 3).fill(80));
    const blank = await embed(same, Int32Array.of(0, 1, 2), silent);
    expect(blank).toEqual(new Float32Array(5 * components));
  });

  it('stop when they are asked to', async () => {
    const stop = new AbortController();
    await expect(embed(photos, half, () => stop.abort(), stop.signal)).rejects.toThrow('abort');
  });

  it('need a photo to fit on', async () => {
    const failure = await embed(photos, new Int32Array(0), silent).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CourierError);
    expect(failure).toMatchObject({ code: 'SPLIT_EMPTY' });
  });
});

describe('embedding by a descriptor', () => {
  it('tells its progress up to the announced total', async () => {
    const events: ProgressEvent[] = [];
    await embedByPixelPca(photos, half, (event) => events.push(event));
    expect(events[0]).toMatchObject({ kind: 'start', total: 60 });
    expect(events.at(-2)).toMatchObject({ kind: 'advance', done: 60 });
    expect(events.at(-1)).toMatchObject({ kind: 'end' });
  });

  it('fits on no more photos than it needs', async () => {
    const many: Photos = { count: 9_000, side: 1, read: (rows) => Uint8Array.from(rows, (row) => row % 251) };
    const grey: Descriptor = {
      stage: 'grey',
      features: 2,
      components: 1,
      describe: (pixels) => Float32Array.from({ length: 2 * pixels.length }, (_, i) => pixels[i >> 1]! / 255),
    };
    const totals: number[] = [];
    const rows = Int32Array.from({ length: 9_000 }, (_, i) => i);
    const embedded = await embedByDescriptor(grey, many, rows, (event) => {
      if (event.kind === 'start') totals.push(event.total);
    });
    expect(totals).toEqual([8_192 + 9_000]);
    expect(embedded.every((value) => Math.abs(value) === 1)).toBe(true);
  });
});
