/** Either way to call ONNX Runtime: its C interface, in place, and its binding for Node. Calls alone, and whole pieces of work. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportUntrainedEncoder } from '../src/encoders/export.ts';
import { createEncoder } from '../src/encoders/index.ts';
import type { PresetName } from '../src/encoders/presets.ts';
import { buildModel } from '../src/graph/onnx.ts';
import { add } from '../src/graph/operators/index.ts';
import { createOptimizer } from '../src/graph/optimizers.ts';
import { input } from '../src/graph/tensor.ts';
import { scalarFeeds } from '../src/graph/training-step.ts';
import { median } from '../src/metrics/quantile.ts';
import { embed as embedCatalogue } from '../src/pipelines/embed/index.ts';
import { Random } from '../src/random.ts';
import { type Binding, bindings } from '../src/runtime/binding.ts';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { startRanker } from './our-ranker.ts';
import { startStep } from './our-step.ts';
import { drawPhotos } from './photos.ts';
import { rankLog } from './rank-log.ts';
import { describeRow, type Row, rowOf } from './report.ts';

/** One side of a case, ready to be measured. */
interface Side {
  call(): Promise<unknown>;
  stop(): Promise<unknown>;
}

interface Case {
  readonly name: string;
  /** Calls of a round, of which the median counts. */
  readonly calls: number;
  start(threads: number): Promise<Side>;
}

const cases: readonly Case[] = [
  { name: 'an Adam step, 4 M parameters', calls: 20, start: adamStep },
  { name: '12 in, 12 out, 64 kB each', calls: 500, start: (threads) => doubling(threads, 12, 16_384) },
  { name: '1 in, 1 out, 4 bytes', calls: 1000, start: (threads) => doubling(threads, 1, 1) },
  { name: '1 in, 1 out, 16 MB', calls: 20, start: (threads) => doubling(threads, 1, 4_000_000) },
  step('vit-nano', 256, true),
  step('vit-nano', 256, false),
  step('vit-nano', 1024, true),
  step('swin-nano', 256, true),
  { name: '100 steps of a DIN', calls: 1, start: din },
  { name: '1,000 JPEG files of 128 px embedded', calls: 1, start: embedding },
];

/** Three vectors of the state are read and written; the gradient is held. */
async function adamStep(threads: number): Promise<Side> {
  const size = 4_000_000;
  const optimizer = createOptimizer({ name: 'adam', weightDecay: 0 });
  const vector = (name: string) => input(name, 'float32', [size]);
  const updated = optimizer.update(
    vector('parameters'),
    vector('gradient'),
    optimizer.slots.map(vector),
    (name) => input(name, 'float32', []),
    vector('decays'),
  );
  const slots = optimizer.slots.map((name, index) => [`next.${name}`, updated.slots[index]!] as const);
  const outputs = { 'next.parameters': updated.parameters, ...Object.fromEntries(slots) };
  const zeros = () => new Float32Array(size);
  const engine = Engine.start({ threads });
  const state = await engine.createState({
    parameters: zeros(),
    ...Object.fromEntries(optimizer.slots.map((name) => [name, zeros()])),
  });
  const session = await engine.load(buildModel({ outputs }), state);
  await session.hold({ gradient: zeros().fill(1) });
  let count = 0;
  return {
    call: () => session.run(scalarFeeds(optimizer, ++count, 1e-3)),
    stop: () => engine.close(),
  };
}

async function doubling(threads: number, count: number, size: number): Promise<Side> {
  const inputs = Array.from({ length: count }, (_, index) => input(`x${index}`, 'float32', [size]));
  const outputs = Object.fromEntries(inputs.map((x, index) => [`y${index}`, add(x, x)]));
  const engine = Engine.start({ threads });
  const session = await engine.load(buildModel({ outputs }));
  const feeds = Object.fromEntries(
    inputs.map((_, index) => [`x${index}`, new Float32Array(size).fill(index)]),
  );
  return { call: () => session.run(feeds), stop: () => engine.close() };
}

/** @param fused whether the batch is one graph, or four sessions take turns */
function step(encoder: PresetName, photos: number, fused: boolean): Case {
  const chunk = 32;
  return {
    name: `a training step, ${encoder}, ${photos} photos${fused ? '' : ', cut'}`,
    calls: 3,
    async start(threads) {
      const plan = { chunk, group: fused ? photos / chunk : 2 };
      const { round, stop } = await startStep(
        { encoder, side: 64, photos, samples: photos / 8, threads },
        plan,
      );
      await round();
      return { call: round, stop };
    },
  };
}

async function din(threads: number): Promise<Side> {
  const rows = 200_000;
  const data = rankLog({ users: 10_000, items: 10_000, rows });
  const engine = Engine.start({ threads });
  const ranker = await startRanker(
    data,
    Int32Array.from({ length: rows }, (_, row) => row),
    1,
    engine,
  );
  await ranker.train(20);
  return { call: () => ranker.train(100), stop: () => engine.close() };
}

async function embedding(): Promise<Side> {
  const [folder, side] = [await mkdtemp(join(tmpdir(), 'courier-bench-')), 64];
  const [photos, path] = [join(folder, 'photos'), join(folder, 'encoder.onnx')];
  await drawPhotos(photos, 1000, 128);
  const encoder = createEncoder({ name: 'vit-nano', side, head: 'mean', dimension: 128 });
  await writeFile(path, exportUntrainedEncoder(encoder, Random.seeded(1, 'bench')).encode('standard'));
  let count = 0;
  return {
    call: () => embedCatalogue({ photos, encoder: path, out: join(folder, `${count++}.parquet`) }),
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

export const bindingsBench: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const each of cases) {
    if (!each.name.includes(only)) continue;
    say(each.name);
    const taken: Record<Binding, number[]> = { 'c-api': [], node: [] };
    for (let round = 0; round < rounds; round++) {
      for (const binding of bindings) taken[binding].push(await measure(each, binding));
    }
    rows.push(rowOf(each.name, 'ms', 'lower', taken['c-api'], { node: taken.node }));
    say(describeRow(rows.at(-1)!));
  }
  return { rows, missing: [] };
};

/**
 * Milliseconds of a call. Its engine is a new one: one that has computed just now would still keep a core busy, waiting for
 * more.
 */
async function measure({ calls, start }: Case, binding: Binding): Promise<number> {
  process.env['COURIER_BINDING'] = binding;
  const { call, stop } = await start(availableParallelism());
  const times: number[] = [];
  for (let index = 0; index < calls; index++) {
    const begin = performance.now();
    await call();
    times.push(performance.now() - begin);
  }
  await stop();
  return median(times);
}
