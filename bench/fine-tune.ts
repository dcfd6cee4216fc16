/** A training step of a head on a frozen network, and of the network's last blocks with it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTrainable } from '../src/backbones/trainable.ts';
import type { Encoder } from '../src/encoders/encoder.ts';
import { exportUntrainedEncoder } from '../src/encoders/export.ts';
import { featureHead } from '../src/encoders/feature-head.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { trainedBackbone } from '../src/encoders/trained-backbone.ts';
import { sizeOf } from '../src/graph/tensor.ts';
import { Random } from '../src/random.ts';
import type { Benchmark } from './benchmark.ts';
import { describeEncoder, noiseFeatures, startDescribed } from './our-step.ts';
import { type Row, rowOf } from './report.ts';

const [photos, samples, side, width] = [256, 32, 64, 192];

/** A transformer of six blocks, 2.7 million parameters and 64 tokens, exported and read again. */
const network = {
  ...({ name: 'vit', side, patch: 8, width, depth: 6, heads: 6, mlpRatio: 4 } as const),
  ...({ head: 'mean', dimension: width } as const),
};

const cases = [
  { name: 'the head alone', fineTune: null },
  { name: 'the last block', fineTune: { from: 1, lora: null } },
  { name: 'the last two blocks', fineTune: { from: 2, lora: null } },
  { name: 'changes of rank 8 of the last two blocks', fineTune: { from: 2, lora: 8 } },
  { name: 'all six blocks', fineTune: { from: 6, lora: null } },
] as const;

export const fineTune: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const rows: Row[] = [];
  try {
    const file = join(folder, 'network.onnx');
    const model = exportUntrainedEncoder(createEncoder(network), Random.seeded(1, 'network'));
    await writeFile(file, model.encode('standard'));
    for (const each of cases.filter(({ name }) => name.includes(only))) {
      say(each.name);
      const head = featureHead({
        head: { name: 'both', hidden: 512, dropout: 0 },
        components: width,
        grids: [],
        dimension: 128,
      });
      const encoder = each.fineTune === null ? head : await behind(file, each.fineTune, head);
      const read = noiseFeatures(sizeOf(encoder.sees.shape));
      const description = describeEncoder(encoder, photos, samples);
      const started = await startDescribed(description, availableParallelism(), 4 * 2 ** 30, read);
      const seconds: number[] = [];
      for (let round = -2; round < rounds; round++) {
        const took = await started.round();
        if (round >= 0) seconds.push(1000 * took);
      }
      await started.stop();
      rows.push(rowOf(`${each.name}, ${started.parameters} parameters`, 'ms', 'lower', seconds, {}));
    }
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function behind(
  file: string,
  fineTune: { readonly from: number; readonly lora: number | null },
  head: Encoder,
): Promise<Encoder> {
  const { frozen, forward } = await openTrainable({ file }, fineTune, side);
  const components = (features: Parameters<typeof forward>[0]) => features;
  return trainedBackbone({ given: frozen.width, tail: forward, beside: 0, components, head });
}
