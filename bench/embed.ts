/**
 * Photos in files to embeddings, decoding included, against PyTorch and transformers.js. The peers are started and warm; ours is a
 * whole command each time. So what its first photos take is a row of its own, and the rate is that of all the others.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Encoder } from '../src/encoders/encoder.ts';
import { exportUntrainedEncoder } from '../src/encoders/export.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { l2Normalize, transpose } from '../src/graph/operators/index.ts';
import { initialValues, layoutOf, parametersOf } from '../src/graph/parameters.ts';
import { input, openLength } from '../src/graph/tensor.ts';
import { buildExport } from '../src/graph/training-step.ts';
import { embed as embedCatalogue } from '../src/pipelines/embed/index.ts';

import { Random } from '../src/random.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { drawPhotos } from './photos.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const [name, side] = ['vit-nano', 64] as const;

/** Thumbnails, and photos as shops keep them. */
const catalogues = [
  { fileSide: 640, photos: 400 },
  { fileSide: 128, photos: 2000 },
];

/** A batch for each core. */
const firstPhotos = 32 * availableParallelism();

export const embed: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  const missing = new Set<string>();
  for (const catalogue of catalogues) {
    const title = `${name}, ${catalogue.photos} JPEG files of ${catalogue.fileSide} px`;
    if (!title.includes(only)) continue;
    say(title);
    const result = await embedOne(catalogue, rounds);
    rows.push(
      rowOf(title, 'photos/s', 'higher', result.ours, result.peers),
      rowOf(`${title}: its first ${firstPhotos}, from nothing`, 's', 'lower', result.startUp, {}),
    );
    for (const row of rows.slice(-2)) say(describeRow(row));
    for (const peer of result.missing) missing.add(peer);
  }
  return { rows, missing: [...missing] };
};

/** Photos per second of both sides, a number a round. */
async function embedOne({ fileSide, photos }: { fileSide: number; photos: number }, rounds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  try {
    const images = join(folder, 'photos');
    await drawPhotos(images, photos, fileSide);
    const few = join(folder, 'first');
    await drawPhotos(few, firstPhotos, fileSide);
    const encoder = createEncoder({ name, side, head: 'mean', dimension: 128 });
    const path = join(folder, 'encoder.onnx');
    await writeFile(path, exportUntrainedEncoder(encoder, Random.seeded(1, 'bench')).encode('standard'));
    const models = join(folder, 'models');
    await writeForTransformers(encoder, join(models, name));

    const threads = availableParallelism();
    const shared = { encoder: name, folder: images, side, threads, models, name };
    const peers = [
      { peer: 'pytorch', started: await Peer.start('pytorch', 'embed.py', { ...shared, workers: 2 }) },
      {
        peer: 'transformers.js',
        started: await Peer.start('transformers.js', 'transformers-js.mjs', shared),
      },
    ];
    const seconds: Record<string, number[]> = {};
    const ours: number[] = [];
    const startUp: number[] = [];
    const ownSeconds = async (from: string, out: string) => {
      const start = performance.now();
      await embedCatalogue({ photos: from, encoder: path, out: join(folder, out) });
      return (performance.now() - start) / 1000;
    };
    for (let round = -1; round < rounds; round++) {
      const first = await ownSeconds(few, `first-${round}.parquet`);
      const all = await ownSeconds(images, `embeddings-${round}.parquet`);
      if (round >= 0) {
        startUp.push(first);
        ours.push((photos - firstPhotos) / (all - first));
      }
      for (const { peer, started } of peers) {
        const taken = await started?.round();
        if (taken !== undefined && round >= 0) seconds[peer] = [...(seconds[peer] ?? []), taken];
      }
    }
    for (const { started } of peers) started?.stop();
    const rate = (values: readonly number[]) => values.map((value) => photos / value);
    const rates = Object.fromEntries(Object.entries(seconds).map(([peer, values]) => [peer, rate(values)]));
    const missing = peers.filter(({ started }) => started === null).map(({ peer }) => peer);
    return { ours, startUp, peers: rates, missing };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same encoder as transformers.js takes a vision transformer: pixels (B, 3, S, S), a processor beside it. */
async function writeForTransformers(encoder: Encoder, folder: string): Promise<void> {
  const pixels = input('pixel_values', 'float32', [openLength, 3, side, side]);
  const embeddings = l2Normalize(encoder.forward(transpose(pixels, [0, 2, 3, 1])));
  const parameters = parametersOf([embeddings]);
  const values = initialValues(parameters, Random.seeded(1, 'bench'));
  const open = { pixel_values: 'photos', last_hidden_state: 'photos' };
  const model = buildExport({ last_hidden_state: embeddings }, layoutOf(parameters), values, open);
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'model.onnx'), model.encode('standard'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'vit' }));
  const processor = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { height: side, width: side },
    resample: 2,
    do_rescale: false,
    do_normalize: false,
  };
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
}
