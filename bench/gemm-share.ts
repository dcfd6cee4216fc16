/** How much of the machine's matrix-product speed arrives: flops of products over time, over the measured peak. */
import { availableParallelism } from 'node:os';
import { batchSize } from '../src/encoders/embed-rows.ts';
import { embeddingGraph, exportUntrainedEncoder } from '../src/encoders/export.ts';
import { encoderFileOf } from '../src/encoders/file.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { EncoderPool } from '../src/encoders/pool.ts';
import { gradients, nodesInOrder } from '../src/graph/differentiate.ts';
import { sumAll } from '../src/graph/operators/index.ts';
import { parametersOf } from '../src/graph/parameters.ts';
import { type Node, openLength, sizeOf, type Tensor } from '../src/graph/tensor.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import { usableMemory } from '../src/runtime/memory.ts';
import type { Benchmark } from './benchmark.ts';
import { startStep } from './our-step.ts';
import { startProducts } from './products.ts';
import { type Row, rowOf } from './report.ts';

const [encoderName, side, dimension, photos] = ['vit-nano', 64, 128, 1024] as const;

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
  const products = await startProducts(engine);
  const peaks: number[] = [];
  const shares: Record<'train' | 'embed', number[]> = { train: [], embed: [] };
  for (let round = -2; round < rounds; round++) {
    const peak = await products();
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
