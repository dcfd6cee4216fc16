/** The facts that the encoders are built on: what single operators cost inside a graph, and what instead. */
import { availableParallelism } from 'node:os';
import { buildModel } from '../src/graph/onnx.ts';
import { apply } from '../src/graph/operator.ts';
import {
  add,
  concatenate,
  linear,
  negate,
  project,
  reorder,
  reshape,
  rmsNormalize,
  sign,
  split,
  standardize,
  sum,
  sumAll,
  sumTo,
  transpose,
} from '../src/graph/operators/index.ts';
import { type FloatTensor, input, type Shape, sizeOf } from '../src/graph/tensor.ts';
import { median } from '../src/metrics/quantile.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

/** A graph that takes x and further tensors and gives as much as x. */
interface Variant {
  readonly shape: Shape;
  readonly others?: readonly Shape[];
  build(x: FloatTensor, others: readonly FloatTensor[]): FloatTensor;
}

interface Question {
  readonly name: string;
  /** What the microseconds are for, where not for one application. */
  readonly per?: 'MiB';
  readonly ours: Variant;
  readonly instead: Readonly<Record<string, Variant>>;
}

const [photos, places, width, heads] = [32, 64, 128, 4];
const rows = photos * places;
const wide: Shape = [rows, 4 * width];
const narrow: Shape = [rows, width];

const hardStep = (x: FloatTensor) =>
  apply(
    {
      type: 'HardSigmoid',
      inputs: [x],
      attributes: { alpha: { kind: 'float', value: 1e38 }, beta: { kind: 'float', value: 0 } },
      gradient: null,
    },
    'float32',
    x.shape,
  );

const gemm = (x: FloatTensor, weight: FloatTensor, bias: FloatTensor) =>
  apply(
    {
      type: 'Gemm',
      inputs: [x, weight, bias],
      attributes: { transB: { kind: 'int', value: 1 } },
      gradient: null,
    },
    'float32',
    [x.shape[0]!, weight.shape[0]!],
  );

const byHead = (x: FloatTensor) =>
  transpose(reshape(x, [photos, places, heads, width / heads]), [0, 2, 1, 3]);
const mixed = (parts: readonly FloatTensor[]) => reshape(add(add(parts[0]!, parts[1]!), parts[2]!), narrow);

const side = 8;
const rolled = (x: FloatTensor, axis: number) => {
  const [front, rest] = split(x, [side / 2, side / 2], axis);
  return concatenate([rest!, front!], axis);
};
const windowOrder = Array.from({ length: places }, (_, index) => {
  const [tile, place] = [Math.floor(index / 16), index % 16];
  const row = (Math.floor(tile / 2) * 4 + Math.floor(place / 4) + side / 2) % side;
  return row * side + (((tile % 2) * 4 + (place % 4) + side / 2) % side);
});

const questions: readonly Question[] = [
  {
    name: "ReLU's gradient: 1 where positive",
    ours: { shape: wide, build: hardStep },
    instead: { Sign: { shape: wide, build: (x) => sign(x) } },
  },
  {
    name: 'linear map with bias, there and back',
    ours: {
      shape: narrow,
      others: [[4 * width, width], [4 * width], [width, 4 * width], [width]],
      build: (x, [up, b, down, c]) => linear(linear(x, up!, b!), down!, c!),
    },
    instead: {
      Gemm: {
        shape: narrow,
        others: [[4 * width, width], [4 * width], [width, 4 * width], [width]],
        build: (x, [up, b, down, c]) => gemm(gemm(x, up!, b!), down!, c!),
      },
      'no bias': {
        shape: narrow,
        others: [
          [4 * width, width],
          [width, 4 * width],
        ],
        build: (x, [up, down]) => project(project(x, up!), down!),
      },
    },
  },
  {
    name: 'norm of rows',
    ours: { shape: narrow, build: rmsNormalize },
    instead: { LayerNormalization: { shape: narrow, build: (x) => standardize(x) } },
  },
  {
    name: 'query, key and value by head',
    ours: {
      shape: narrow,
      others: [
        [width, width],
        [width, width],
        [width, width],
      ],
      build: (x, weights) => mixed(weights.map((weight) => byHead(project(x, weight)))),
    },
    instead: {
      'one product, cut': {
        shape: narrow,
        others: [[3 * width, width]],
        build: (x, [weight]) => mixed(split(project(x, weight!), [width, width, width], 1).map(byHead)),
      },
    },
  },
  {
    name: 'shifted windows',
    ours: {
      shape: [photos, places, width],
      build: (x) => reorder(x, 1, windowOrder),
    },
    instead: {
      'roll and transpose': {
        shape: [photos, places, width],
        build(x) {
          const map = rolled(rolled(reshape(x, [photos, side, side, width]), 1), 2);
          const cut = reshape(map, [photos, 2, 4, 2, 4, width]);
          return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), x.shape);
        },
      },
    },
  },
  {
    name: 'sum over rows, added back',
    ours: { shape: narrow, build: (x) => add(x, sumTo(x, [width])) },
    instead: { ReduceSum: { shape: narrow, build: (x) => add(x, sum(x, [0])) } },
  },
  {
    name: 'pass over 4 MiB',
    per: 'MiB',
    ours: { shape: wide, build: negate },
    instead: { 'pass over 64 MiB': { shape: [16 * rows, 4 * width], build: negate } },
  },
];

export const operators: Benchmark = async ({ rounds, only, say }) => {
  const table: Row[] = [];
  for (const { name, per, ours, instead } of questions) {
    if (!name.includes(only)) continue;
    say(name);
    const engine = Engine.start({ threads: availableParallelism() });
    const sides = await Promise.all(
      Object.entries({ ours, ...instead }).map(async ([side, variant]) => ({
        side,
        measure: await costOf(engine, variant, per === undefined ? 1 : sizeOf(variant.shape) / 2 ** 18),
        micros: [] as number[],
      })),
    );
    for (let round = -1; round < rounds; round++) {
      for (const { measure, micros } of sides) {
        const cost = await measure();
        if (round >= 0) micros.push(cost);
      }
    }
    await engine.close();
    const [own, ...others] = sides;
    const peers = Object.fromEntries(others.map(({ side, micros }) => [side, micros]));
    table.push(rowOf(name, per === undefined ? 'µs' : `µs per ${per}`, 'lower', own!.micros, peers));
  }
  return { rows: table, missing: [] };
};

/**
 * What an operator costs where its input was just computed and its output is used at once: the difference between
 * a chain of many and a chain of one, so that neither the call nor what goes in and out counts.
 * @param units what the cost is divided by
 * @returns a function that measures it, in microseconds
 */
async function costOf(
  engine: Engine,
  { shape, others = [], build }: Variant,
  units: number,
): Promise<() => Promise<number>> {
  const [short, long] = [1, 21];
  const random = Random.seeded(1, 'bench');
  const filled = (size: number, scale: number) =>
    Float32Array.from({ length: size }, () => random.normal() * scale);
  const feeds: Record<string, Float32Array> = { x: filled(sizeOf(shape), 1) };
  for (const [index, other] of others.entries())
    feeds[`other${index}`] = filled(sizeOf(other), 1 / Math.sqrt(other.at(-1)!));
  const chains = await Promise.all(
    [short, long].map((count) => {
      const tensors = others.map((other, index) => input(`other${index}`, 'float32', other));
      let x: FloatTensor = input('x', 'float32', shape);
      for (let index = 0; index < count; index++) x = build(x, tensors);
      return engine.load(buildModel({ outputs: { y: sumAll(x) } }));
    }),
  );
  return async () => {
    const times: number[][] = [[], []];
    for (let repetition = 0; repetition < 5; repetition++) {
      for (const [index, chain] of chains.entries()) {
        const start = performance.now();
        await chain.run(feeds);
        times[index]!.push(performance.now() - start);
      }
    }
    return (1000 * (median(times[1]!) - median(times[0]!))) / (long - short) / units;
  };
}
