import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { decodePhoto } from './decode-photo.ts';
import { fitIntoSquare } from './fit.ts';
import { PhotoPool } from './photo-pool.ts';
import { plainJpegSize } from './plain-jpeg.ts';

/** A picture with edges and gradients, as raw pixels. */
function picture(width: number, height: number, seed = 1) {
  const random = Random.seeded(seed, 'pictures');
  const [slope, edge] = [1 + random.integer(5), random.integer(width)];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y, channel] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width), at % 3];
    return (x * slope + y * (channel + 1) + (x > edge ? 90 : 0)) % 256;
  });
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

describe('plain JPEG files', () => {
  it('are decoded to the bytes that libvips gives, whatever their size, quality, sampling and order', async () => {
    const kinds = fc.record({
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 1, max: 90 }),
      quality: fc.integer({ min: 30, max: 100 }),
      chromaSubsampling: fc.constantFrom('4:2:0', '4:4:4'),
      progressive: fc.boolean(),
      seed: fc.nat(50),
    });
    await fc.assert(
      fc.asyncProperty(kinds, async ({ width, height, seed, ...options }) => {
        fc.pre(Math.max(width, height) <= 24 * Math.min(width, height));
        const bytes = await picture(width, height, seed).jpeg(options).toBuffer();
        expect(plainJpegSize(bytes)).toEqual({ width, height });
        const reference = await sharp(bytes).raw().toBuffer();
        const { pixels, format } = await decodePhoto(bytes, 24);
        expect(format).toBe('jpeg');
        expect(Buffer.compare(pixels, fitIntoSquare(reference, width, height, 24))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('are none that are turned, have a profile, other colours, or are of another format', async () => {
    const plain = picture(20, 10);
    for (const [name, bytes] of Object.entries({
      turned: await plain.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      profile: await plain.clone().withIccProfile('p3').jpeg().toBuffer(),
      grey: await plain.clone().greyscale().toColourspace('b-w').jpeg().toBuffer(),
      cmyk: await plain.clone().toColourspace('cmyk').jpeg().toBuffer(),
      png: await plain.clone().png().toBuffer(),
      header: (await plain.clone().jpeg().toBuffer()).subarray(0, 40),
      nothing: Buffer.alloc(0),
    }))
      expect([name, plainJpegSize(bytes)]).toEqual([name, null]);
  });

  it('that are turned are turned all the same', async () => {
    const bytes = await picture(20, 10).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { pixels } = await decodePhoto(bytes, 20);
    // Higher than wide now: white at the left, and a picture at the top.
    expect([...pixels.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect([...pixels.subarray(30, 33)]).not.toEqual([255, 255, 255]);
  });

  it('that end early are refused, and the next one is read', async () => {
    const bytes = await picture(60, 60).jpeg().toBuffer();
    await expect(decodePhoto(bytes.subarray(0, bytes.length - 200), 24)).rejects.toThrow('damaged');
    expect((await decodePhoto(bytes, 24)).pixels).toHaveLength(24 * 24 * 3);
  });

  it('that are decoded at the same time do not get into each other, in one thread or in several', async () => {
    const files = await Promise.all(
      Array.from({ length: 24 }, (_, seed) => picture(40, 40, seed).jpeg().toBuffer()),
    );
    const alone: Uint8Array[] = [];
    for (const bytes of files) alone.push((await decodePhoto(bytes, 16)).pixels);
    const together = await Promise.all(files.map((bytes) => decodePhoto(bytes, 16)));
    expect(together.map(({ pixels }) => pixels)).toEqual(alone);
    const pool = PhotoPool.start(2);
    try {
      const sent = files.map((bytes, place) => ({ kind: 'bytes', name: `${place}.jpg`, bytes }) as const);
      const halves = await Promise.all([
        pool.store(sent.slice(0, 12), 16, 'pixels'),
        pool.store(sent.slice(12), 16, 'pixels'),
      ]);
      expect(halves.flat()).toMatchObject(alone.map((bytes) => ({ kind: 'stored', bytes })));
      const text = { kind: 'bytes', name: 'a.jpg', bytes: Buffer.from('no photo') } as const;
      expect(await pool.store([text], 16, 'pixels')).toMatchObject([
        { kind: 'failed', reason: expect.stringContaining('not a photo') },
      ]);
    } finally {
      await pool.close();
    }
  });
});
