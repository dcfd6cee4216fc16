import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { decodePhoto } from './decode-photo.ts';
import { fitIntoSquare } from './fit.ts';
import { PhotoPool } from './photo-pool.ts';
import { decodeScaledJpeg, divisorOf } from './scaled-jpeg.ts';

const side = 32;

/** Waves of several lengths, two edges, and a little grain: what a photo has, but for its subject. */
function photo(width: number, height: number, seed = 1) {
  const random = Random.seeded(seed, 'large pictures');
  const waves = Array.from({ length: 6 }, () => ({
    x: random.normal() / 25,
    y: random.normal() / 25,
    height: 25 * random.uniform(),
    channel: random.integer(3),
  }));
  const edge = { x: random.integer(width), y: random.integer(height) };
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y, channel] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width), at % 3];
    const wave = waves.reduce(
      (sum, each) =>
        sum + (each.channel === channel ? 2 : 1) * each.height * Math.sin(x * each.x + y * each.y),
      0,
    );
    const value = 120 + wave / 2 + (x > edge.x ? 40 : 0) - (y > edge.y ? 40 : 0) + random.integer(5);
    return Math.min(255, Math.max(0, value));
  });
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Peak signal to noise, in dB. */
function likeness(pixels: Uint8Array, exact: Uint8Array): number {
  const squares = pixels.reduce((sum, value, at) => sum + (value - exact[at]!) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (squares / pixels.length));
}

describe('large JPEG files', () => {
  it('are divided by as much as leaves five quarters of the side, the longer one', () => {
    const divisors = [79, 80, 159, 160, 319, 320, 10_000].map((width) =>
      divisorOf({ width, height: 50 }, side),
    );
    expect(divisors).toEqual([1, 2, 2, 4, 4, 8, 8]);
    expect(divisorOf({ width: 10, height: 320 }, side)).toBe(8);
  });

  it('show what all of their pixels show, whatever their size, sampling and order', async () => {
    const kinds = fc.record({
      width: fc.integer({ min: 140, max: 420 }),
      height: fc.integer({ min: 140, max: 420 }),
      chromaSubsampling: fc.constantFrom('4:2:0', '4:4:4'),
      progressive: fc.boolean(),
      seed: fc.nat(50),
    });
    await fc.assert(
      fc.asyncProperty(kinds, async ({ width, height, seed, ...options }) => {
        const bytes = await photo(width, height, seed)
          .jpeg({ quality: 92, ...options })
          .toBuffer();
        const whole = await sharp(bytes).raw().toBuffer();
        const { pixels } = await decodePhoto(bytes, side);
        expect(likeness(pixels, fitIntoSquare(whole, width, height, side))).toBeGreaterThan(30);
      }),
      { numRuns: 15 },
    );
  });

  it('are nearer to all of their pixels than what sharp makes of them by itself', async () => {
    for (const [seed, length] of [200, 256, 321, 500].entries()) {
      const bytes = await photo(length, length, seed).jpeg({ quality: 92 }).toBuffer();
      const exact = fitIntoSquare(await sharp(bytes).raw().toBuffer(), length, length, side);
      const { pixels } = await decodePhoto(bytes, side);
      const bySharp = await sharp(bytes).resize(side, side).raw().toBuffer();
      expect(likeness(pixels, exact)).toBeGreaterThan(likeness(bySharp, exact));
    }
  });

  it('are the same pixels in the main thread, many at a time, and in others', async () => {
    const files = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => photo(300, 200, seed).jpeg().toBuffer()),
    );
    const alone: Uint8Array[] = [];
    for (const bytes of files) alone.push((await decodePhoto(bytes, side)).pixels);
    const together = await Promise.all(files.map((bytes) => decodePhoto(bytes, side)));
    expect(together.map(({ pixels }) => pixels)).toEqual(alone);
    const pool = PhotoPool.start(2);
    try {
      const sent = files.map((bytes, place) => ({ kind: 'bytes', name: `${place}.jpg`, bytes }) as const);
      const halves = await Promise.all([
        pool.decode(sent.slice(0, 6), side),
        pool.decode(sent.slice(6), side),
      ]);
      expect(halves.flat()).toMatchObject(alone.map((pixels) => ({ kind: 'pixels', pixels })));
    } finally {
      await pool.close();
    }
  });

  it('that end early, or have other bytes in the middle, are refused or read, and the next one is read', async () => {
    const bytes = await photo(300, 300).jpeg().toBuffer();
    await expect(decodePhoto(bytes.subarray(0, bytes.length / 2), side)).rejects.toThrow('damaged');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (place, value) => {
        const changed = Buffer.from(bytes);
        changed[place] = value;
        const pixels = await decodePhoto(changed, side).then(
          (decoded) => decoded.pixels.length,
          (error: unknown) => error instanceof Error,
        );
        expect([3 * side * side, true]).toContain(pixels);
      }),
      { numRuns: 60 },
    );
    expect((await decodePhoto(bytes, side)).pixels).toHaveLength(3 * side * side);
  });

  it('leave the event loop to others where that is the main thread', async () => {
    const bytes = await photo(1200, 1200).jpeg().toBuffer();
    const events: string[] = [];
    const decoding = decodeScaledJpeg(bytes, 2).then((picture) =>
      events.push(`${picture?.width} × ${picture?.height}`),
    );
    await new Promise((resolve) => setImmediate(resolve));
    events.push('another turn of the loop');
    await decoding;
    expect(events).toEqual(['another turn of the loop', '600 × 600']);
  });
});
