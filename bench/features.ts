/**
 * Photo files to the frozen features of a pretrained network, decoding included, against ONNX Runtime in Python on the same file.
 * `--data` names a folder with `model.onnx`, which takes bytes (n, h, w, 3), and perhaps `images/` with photos of 128 px.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openBackbone } from '../src/backbones/backbone.ts';
import { FeatureRows } from '../src/backbones/feature-rows.ts';
import { Findings } from '../src/data/findings.ts';
import { ImageCache } from '../src/data/photos/image-cache.ts';
import { decodePhotos } from '../src/data/photos/photos.ts';
import { Engine } from '../src/runtime/engine.ts';
import { computeMissing, hashesOf } from '../src/training/backbone-features.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { drawPhotos } from './photos.ts';
import { describeRow, rowOf } from './report.ts';

const [side, most] = [128, 17_000] as const;
const before = { count: 0, index: null };

const answer = z.object({ seconds: z.number().positive(), photos: z.number(), mean: z.number() });

export const features: Benchmark = async ({ rounds, data, say }) => {
  if (data === null) throw new Error('name a folder with model.onnx by --data');
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const engine = Engine.start();
  try {
    const given = join(data, 'images');
    const images = existsSync(given) ? given : join(folder, 'images');
    if (images !== given) await drawPhotos(images, most, side);
    const names = (await readdir(images)).sort().slice(0, most);
    const file = join(data, 'model.onnx');
    const backbone = await openBackbone({ file }, side);
    const settings = { model: file, folder: images, photos: names.length, threads: availableParallelism() };
    const peer = await Peer.start('pytorch', 'features.py', settings);
    const inputs = names.map((name) => ({ kind: 'file', path: join(images, name) }) as const);
    const ours = async (round: number) => {
      const start = performance.now();
      const path = join(folder, `images-${round}.bin`);
      const { count } = await decodePhotos(inputs, { path, side, form: 'pixels', before }, new Findings());
      const photos = ImageCache.open(path, side, count);
      const kept = await FeatureRows.open(join(folder, `features-${round}.f16`), backbone.width);
      const hashes = await hashesOf(photos);
      const decoded = performance.now();
      await computeMissing({ backbone, photos, engine }, kept, hashes);
      const seconds = (performance.now() - start) / 1000;
      say(`decoded in ${((decoded - start) / 1000).toFixed(1)} s of ${seconds.toFixed(1)} s`);
      const some = await kept.read(hashes.slice(0, 256));
      await kept.close();
      photos.close();
      return { seconds, photos: count, mean: some.reduce((sum, value) => sum + value / some.length, 0) };
    };
    const seconds: { ours: number[]; python: number[] } = { ours: [], python: [] };
    for (let round = 0; round < rounds; round++) {
      const own = await ours(round);
      const theirs = await peer?.answer(answer);
      say(JSON.stringify({ own, theirs }));
      seconds.ours.push(own.seconds);
      if (theirs !== undefined) seconds.python.push(theirs.seconds);
    }
    peer?.stop();
    const title = `features of ${names.length} JPEG files of ${side} px`;
    const row = rowOf(
      title,
      's',
      'lower',
      seconds.ours,
      peer === null ? {} : { onnxruntime: seconds.python },
    );
    say(describeRow(row));
    return { rows: [row], missing: peer === null ? ['pytorch'] : [] };
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
};
