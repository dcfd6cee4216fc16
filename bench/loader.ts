/** Photo files to pixels of the size that is trained on, as ingest reads them, against a DataLoader of PyTorch's with Pillow. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Findings } from '../src/data/findings.ts';
import { decodePhotos } from '../src/data/photos/photos.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { drawPhotos } from './photos.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const side = 64;
const form = 'pixels';
const before = { count: 0, index: null };

const cases = [
  { fileSide: 128, photos: 12_000 },
  { fileSide: 640, photos: 2000 },
];

export const loader: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  let isMissing = false;
  for (const { fileSide, photos } of cases) {
    const title = `${photos} JPEG files of ${fileSide} px to ${side} px`;
    if (!title.includes(only)) continue;
    const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
    try {
      const images = join(folder, 'photos');
      await drawPhotos(images, photos, fileSide);
      const inputs = Array.from({ length: photos }, (_, photo) => {
        return { kind: 'file', path: join(images, `${photo}.jpg`) } as const;
      });
      const peer = await Peer.start('pytorch', 'loader.py', { folder: images, side, workers: 2 });
      isMissing ||= peer === null;
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let round = -1; round < rounds; round++) {
        const start = performance.now();
        const place = { path: join(folder, 'images.bin'), side, form, before } as const;
        const { count } = await decodePhotos(inputs, place, new Findings());
        if (count !== photos) throw new Error(`${count} photos instead of ${photos}`);
        if (round >= 0) ours.push((1000 * photos) / (performance.now() - start));
        const seconds = await peer?.round();
        if (seconds !== undefined && round >= 0) theirs.push(photos / seconds);
      }
      peer?.stop();
      rows.push(rowOf(title, 'photos/s', 'higher', ours, theirs.length > 0 ? { pytorch: theirs } : {}));
      say(describeRow(rows.at(-1)!));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { rows, missing: isMissing ? ['pytorch'] : [] };
};
