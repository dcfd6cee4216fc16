/** What libvips takes for a thumbnail: to decode it, and to fit it to an encoder as well. */
import { availableParallelism } from 'node:os';
import sharp, { type Sharp } from 'sharp';
import { Random } from '../src/random.ts';
import { shapes, tastes } from '../src/shop/looks.ts';
import { renderPhoto } from '../src/shop/photo.ts';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const [fileSide, side, photos] = [128, 64, 300];

const ways: Readonly<Record<string, (file: Buffer) => Sharp>> = {
  'decode 128 px': (file) => sharp(file),
  'decode 128 px, resize to 64 px': (file) => sharp(file).resize(side, side, { fit: 'fill' }),
  'the same by linear interpolation': (file) =>
    sharp(file).resize(side, side, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false }),
};

export const decode: Benchmark = async ({ rounds }) => {
  const random = Random.seeded(1, 'bench photos');
  const files: Buffer[] = [];
  for (let photo = 0; photo < photos; photo++) {
    const look = { ...random.pick(tastes), shape: random.pick(shapes) };
    files.push(await renderPhoto(look, random, fileSide));
  }
  sharp.cache(false);
  const rates = new Map<string, number[]>(Object.keys(ways).map((way) => [way, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [way, build] of Object.entries(ways)) {
      const start = performance.now();
      const waiting = files.values();
      const work = async () => {
        for (const file of waiting) await build(file).raw().toBuffer();
      };
      await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
      if (round >= 0) rates.get(way)?.push((1000 * photos) / (performance.now() - start));
    }
  }
  const rows: Row[] = [...rates].map(([way, values]) => rowOf(way, 'photos/s', 'higher', values, {}));
  return { rows, missing: [] };
};
