import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { type Colour, colours, type Look, patterns, shapes } from './looks.ts';
import { drawPhoto, renderPhoto } from './photo.ts';

const SIDE = 64;

async function pixelsOf(look: Look, seed: number): Promise<Buffer> {
  const photo = await renderPhoto(look, Random.seeded(seed, 'photo test'), SIDE);
  return sharp(photo).raw().toBuffer();
}

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

/** Hue in degrees of the mean of the colourful pixels. */
function hueOf(pixels: Buffer): number {
  const sum = [0, 0, 0];
  for (let i = 0; i < pixels.length; i += 3) {
    const rgb = [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!];
    if (Math.max(...rgb) - Math.min(...rgb) < 70) continue;
    for (let c = 0; c < 3; c++) sum[c]! += rgb[c]!;
  }
  const [r, g, b] = [sum[0]!, sum[1]!, sum[2]!];
  return ((Math.atan2(Math.sqrt(3) * (g - b), 2 * r - g - b) * 180) / Math.PI + 360) % 360;
}

describe('product photos', () => {
  it('show the colour of the look in every shape', async () => {
    const hues: Record<Colour, number> = { red: 4, amber: 40, green: 142, blue: 212, violet: 268, pink: 330 };
    for (const colour of colours) {
      for (const shape of shapes) {
        // The stand of the lamp is of wood and would count as amber.
        if (shape === 'lamp') continue;
        const hue = hueOf(await pixelsOf({ shape, colour, pattern: 'plain' }, 5));
        const apart = Math.abs(((hue - hues[colour] + 540) % 360) - 180);
        expect(apart, `${colour} ${shape}`).toBeLessThan(16);
      }
    }
  });

  it('differ by pattern and by shape under the same conditions', async () => {
    const seen = await Promise.all(
      patterns.map((pattern) => pixelsOf({ shape: 'mug', colour: 'blue', pattern }, 1)),
    );
    const turned = await Promise.all(
      shapes.map((shape) => pixelsOf({ shape, colour: 'blue', pattern: 'plain' }, 1)),
    );
    for (const photos of [seen, turned]) {
      for (const [i, a] of photos.entries()) {
        for (const b of photos.slice(0, i)) expect(meanDifference(a, b)).toBeGreaterThan(3);
      }
    }
  });

  it('differ as much between two photos of one look as between two patterns', async () => {
    const look: Look = { shape: 'cushion', colour: 'green', pattern: 'dots' };
    const other: Look = { ...look, pattern: 'checks' };
    let [within, between] = [0, 0];
    for (let seed = 0; seed < 6; seed++) {
      const photo = await pixelsOf(look, seed);
      within += meanDifference(photo, await pixelsOf(look, seed + 100));
      between += meanDifference(photo, await pixelsOf(other, seed));
    }
    expect(within).toBeGreaterThan(between);
  });

  it('are drawn from the look and the random generator alone', async () => {
    const look: Look = { shape: 'vase', colour: 'pink', pattern: 'stripes' };
    expect(drawPhoto(look, Random.seeded(1, 'a'), 64)).toBe(drawPhoto(look, Random.seeded(1, 'a'), 64));
    expect(drawPhoto(look, Random.seeded(1, 'a'), 64)).not.toBe(drawPhoto(look, Random.seeded(1, 'b'), 64));
    expect(await pixelsOf(look, 1)).toEqual(await pixelsOf(look, 1));
  });
});
