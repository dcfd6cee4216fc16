/** How much of the machine's matrix-product speed arrives: flops of products over time, over the measured peak. */
import { availableParallelism } from 'node:os';
import { batchSize } from '../src/encoders/embed-rows.ts';
import { embeddingGraph, exportUntrainedEncoder } from '../src/encoders/export.ts';
import { encoderFileOf } from '../src/encoders/file.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { EncoderPool } from '../src/encoders/pool.ts';
import { gradients, nodesInOrder } from '../src/graph/differentiate.ts';
import { buildModel } from '../src/graph/onnx.ts';
import { matmul, sumAll } from '../src/graph/operators/index.ts';
import { parametersOf } from '../src/graph/parameters.ts';
import { type FloatTensor, input, type Node, openLength, sizeOf, type Tensor } from '../src/graph/tensor.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import { usableMemory } from '../src/runtime/memory.ts';
import type { Benchmark } from './benchmark.ts';
import { startStep } from './our-step.ts';
import { type Row, rowOf } from './report.ts';

const [encoderName, side, dimension, photos] = ['vit-nano', 64, 128, 1024] as const;

/** Rows, width and inner width of pairs of products: what ONNX Runtime is best at, squares and the encoder's own. */
const peakShapes: readonly (readonly [number, number, number])[] = [
  [512, 512, 512],
  [1024, 1024, 1024],
  [1024, 128, 512],
  [2048, 128, 512],
  [2048, 256, 1024],
];

export const gemmShare: Benchmark = async ({ rounds, say }) => {
  const threads = availableParallelism();
  const encoder = createEncoder({ name: encoderName, side, head: 'mean', dimension });
  const { embeddings } = embeddingGraph(encoder);
  const forward = productFlops([embeddings]) / openLength;
  const back = gradients(sumAll(embeddings), parametersOf([embeddings]));
  const training = productFlops([embeddings, ...back]) / openLength;
  say(
    `${encoderName}: ${(forward / 1e6).toFixed(0)} Mflop a photo forward, ${(training / 1e6).toFixed(0)} in training`,
  );

  const engine = Engine.start({ threads });
  const exported = exportUntrainedEncoder(encoder, Random.seeded(1, 'bench')).encode('standard');
  // As `courier embed` does it: an engine a core, each with batches of its own.
  const pool = await EncoderPool.open(encoderFileOf('vit-nano', exported));
  const pixels = new Uint8Array(batchSize * side * side * 3).map((_, index) => (index * 7919) % 256);
  const step = await startStep(
    { encoder: encoderName, side, photos, samples: photos / 8, threads },
    usableMemory() / 2,
  );
  const products = await Promise.all(peakShapes.map((shape) => productChain(engine, ...shape)));
  const peaks: number[] = [];
  const shares: Record<'train' | 'embed', number[]> = { train: [], embed: [] };
  for (let round = -2; round < rounds; round++) {
    const rates: number[] = [];
    for (const product of products) rates.push(await product());
    const peak = Math.max(...rates);
    const trainRate = (photos * training) / (await step.round());
    const batches = 10 * pool.size;
    const start = performance.now();
    await Promise.all(Array.from({ length: batches }, () => pool.embed(pixels)));
    const embedRate = (batches * batchSize * forward) / ((performance.now() - start) / 1000);
    if (round < 0) continue;
    peaks.push(peak / 1e9);
    shares.train.push(trainRate / peak);
    shares.embed.push(embedRate / peak);
  }
  await step.stop();
  await pool.close();
  await engine.close();
  const rows: Row[] = [
    rowOf('peak of matrix products, float32', 'GFLOPS', 'higher', peaks, {}),
    rowOf(`train ${encoderName}, ${photos} photos`, 'of peak', 'higher', shares.train, {}),
    rowOf(`embed ${encoderName}`, 'of peak', 'higher', shares.embed, {}),
  ];
  return { rows, missing: [] };
};

/**
 * Products one after the other inside one graph, there and back between two widths, so that nothing but products
 * is measured.
 * @returns a function that runs them some times and gives the best flops per second
 */
async function productChain(
  engine: Engine,
  rows: number,
  width: number,
  inner: number,
): Promise<() => Promise<number>> {
  const pairFlops = 4 * rows * width * inner;
  const pairs = Math.max(2, Math.round(2 ** 32 / pairFlops));
  const start = input('x', 'float32', [rows, width]);
  const [up, down] = [input('up', 'float32', [width, inner]), input('down', 'float32', [inner, width])];
  let x: FloatTensor = start;
  for (let pair = 0; pair < pairs; pair++) x = matmul(matmul(x, up), down);
  const session = await engine.load(buildModel({ outputs: { y: sumAll(x) } }));
  const feeds = {
    x: new Float32Array(rows * width).fill(1e-3),
    up: new Float32Array(width * inner).fill(1 / width),
    down: new Float32Array(width * inner).fill(1 / inner),
  };
  return async () => {
    const seconds: number[] = [];
    for (let repetition = 0; repetition < 8; repetition++) {
      const before = performance.now();
      await session.run(feeds);
      seconds.push((performance.now() - before) / 1000);
    }
    return (pairs * pairFlops) / Math.min(...seconds);
  };
}

/** Multiplications and additions of all matrix products that the tensors depend on. */
function productFlops(outputs: readonly Tensor[]): number {
  return nodesInOrder(outputs).reduce((total, node) => total + flopsOf(node), 0);
}

function flopsOf({ type, inputs, outputs, attributes }: Node): number {
  if (type !== 'FusedMatMul') return 0;
  const left = inputs[0]!.shape;
  const transposed = attributes['transA']?.kind === 'int' && attributes['transA'].value === 1;
  const inner = left[left.length - (transposed ? 2 : 1)]!;
  return 2 * sizeOf(outputs[0]!.shape) * inner;
}
