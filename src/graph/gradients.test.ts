import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Engine, floats, type Session } from '../runtime/engine.ts';
import { gradients } from './differentiate.ts';
import { buildModel } from './onnx.ts';
import { operatorTable } from './operator.ts';
import * as op from './operators/index.ts';
import { constant, type FloatTensor, input, type Shape, sizeOf } from './tensor.ts';

interface Case {
  readonly shapes: readonly Shape[];
  readonly build: (...inputs: FloatTensor[]) => FloatTensor;
  /** Keeps the operator away from where it has no derivative. */
  readonly values?: (random: Random) => number;
}

const positive = (random: Random) => 0.5 + random.uniform();
const awayFromZero = (random: Random) => (random.uniform() < 0.5 ? -1 : 1) * positive(random);
const indices = constant('int32', Int32Array.of(2, 0, 2, 1, 2, 0), [2, 3]);

const larger = constant('float32', new Float32Array(24), [2, 3, 4]);
const table = constant('float32', new Float32Array(8), [4, 2]);

/** At least one case for every differentiable operator, under the operator's name. */
const cases: Record<string, readonly Case[]> = {
  add: [
    { shapes: [[2, 3], [3]], build: (a, b) => op.add(a!, b!) },
    {
      shapes: [
        [2, 1, 3],
        [4, 1],
      ],
      build: (a, b) => op.add(a!, b!),
    },
  ],
  subtract: [
    {
      shapes: [
        [2, 3],
        [2, 1],
      ],
      build: (a, b) => op.subtract(a!, b!),
    },
  ],
  multiply: [
    { shapes: [[2, 3], []], build: (a, b) => op.multiply(a!, b!) },
    { shapes: [[2, 3]], build: (a) => op.multiply(a!, a!) },
  ],
  divide: [{ shapes: [[2, 3], [3]], build: (a, b) => op.divide(a!, b!), values: awayFromZero }],
  negate: [{ shapes: [[5]], build: (a) => op.negate(a!) }],
  exponential: [{ shapes: [[5]], build: (a) => op.exponential(a!) }],
  logarithm: [{ shapes: [[5]], build: (a) => op.logarithm(a!), values: positive }],
  squareRoot: [{ shapes: [[5]], build: (a) => op.squareRoot(a!), values: positive }],
  sigmoid: [{ shapes: [[5]], build: (a) => op.sigmoid(a!) }],
  softplus: [{ shapes: [[5]], build: (a) => op.softplus(a!) }],
  relu: [{ shapes: [[6]], build: (a) => op.relu(a!), values: awayFromZero }],
  errorFunction: [{ shapes: [[6]], build: (a) => op.errorFunction(a!) }],
  hyperbolicTangent: [{ shapes: [[6]], build: (a) => op.hyperbolicTangent(a!) }],
  erfGate: [{ shapes: [[6]], build: (a) => op.erfGate(a!) }],
  padEnd: [
    { shapes: [[2, 3]], build: (a) => op.padEnd(a!, 1, 2) },
    { shapes: [[2, 3, 2]], build: (a) => op.padEnd(a!, 0, 1) },
  ],
  sum: [
    { shapes: [[2, 3, 4]], build: (a) => op.sum(a!, [1]) },
    { shapes: [[2, 3, 4]], build: (a) => op.sum(a!, [0, -1]) },
  ],
  mean: [{ shapes: [[2, 3, 4]], build: (a) => op.mean(a!, [0, 2]) }],
  logSumExp: [{ shapes: [[3, 4]], build: (a) => op.logSumExp(a!) }],
  reshape: [
    { shapes: [[2, 6]], build: (a) => op.reshape(a!, [3, 4]) },
    { shapes: [[2, 6]], build: (a) => op.reshape(a!, [3, 2, 2], { from: 1, to: 2 }) },
  ],
  transpose: [{ shapes: [[2, 3, 4]], build: (a) => op.transpose(a!, [2, 0, 1]) }],
  broadcastLike: [{ shapes: [[3, 1]], build: (a) => op.broadcastLike(a!, larger) }],
  concatenate: [
    {
      shapes: [
        [2, 3],
        [2, 1],
      ],
      build: (a, b) => op.concatenate([a!, b!], 1),
    },
  ],
  split: [
    { shapes: [[5, 2]], build: (a) => op.split(a!, [2, 3], 0)[1]! },
    { shapes: [[4, 2]], build: (a) => op.multiply(...halves(a!)) },
  ],
  matmul: [
    { shapes: [[2, 2, 3], [4, 3], [4]], build: (x, w, b) => op.linear(x!, w!, b!) },
    {
      shapes: [
        [2, 3],
        [3, 4],
      ],
      build: (a, b) => op.matmul(a!, b!, { alpha: 0.5 }),
    },
    {
      shapes: [
        [3, 2],
        [3, 4],
      ],
      build: (a, b) => op.matmul(a!, b!, { transposeA: true }),
    },
    {
      shapes: [
        [2, 2, 3],
        [2, 4, 3],
      ],
      build: (a, b) => op.matmul(a!, b!, { transposeB: true, alpha: 2 }),
    },
    {
      shapes: [
        [2, 3, 2],
        [4, 3],
      ],
      build: (a, b) => op.matmul(a!, b!, { transposeA: true, transposeB: true }),
    },
  ],
  softmax: [{ shapes: [[2, 3, 4]], build: (a) => op.softmax(a!) }],
  attend: [
    {
      shapes: [
        [2, 3, 4],
        [2, 4, 3],
      ],
      build: (scores, values) => op.attend(scores!, values!),
    },
    { shapes: [[2, 3, 3]], build: (x) => op.attend(x!, op.split(op.exponential(x!), [2, 1], 2)[0]!) },
    { shapes: [[2, 3, 3]], build: (x) => op.attend(x!, op.exponential(x!)) },
  ],
  standardize: [
    { shapes: [[2, 3, 5]], build: (x) => op.standardize(x!) },
    { shapes: [[2, 3, 5], [5], [5]], build: (x, scale, shift) => op.layerNorm(x!, scale!, shift!) },
  ],
  rmsNormalize: [{ shapes: [[2, 3, 5]], build: (x) => op.rmsNormalize(x!) }],
  reorder: [{ shapes: [[2, 3, 2]], build: (a) => op.reorder(a!, 1, [2, 0, 1]) }],
  gather: [{ shapes: [[3, 2]], build: (a) => op.gather(a!, indices) }],
  scatterAdd: [{ shapes: [[6, 2]], build: (a) => op.scatterAdd(a!, op.reshape(indices, [6]), table) }],
};

function halves(x: FloatTensor): [FloatTensor, FloatTensor] {
  const [first, second] = op.split(x, [2, 2], 0);
  return [first!, second!];
}

const step = 1e-2;

/** Numbers as float32 keeps them, so that finite differences perturb what the engine really sees. */
function draw(shape: Shape, random: Random, value: (random: Random) => number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => value(random));
}

async function lossAt(session: Session, values: readonly Float32Array[]): Promise<number> {
  const outputs = await session.run(Object.fromEntries(values.map((value, index) => [`x${index}`, value])));
  // Summed here in double precision: the loss itself must not drown the difference in rounding.
  const probe = floats(outputs, 'probe');
  return floats(outputs, 'output').reduce((total, value, index) => total + value * probe[index]!, 0);
}

describe('gradients', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it('are checked for every differentiable operator', () => {
    const differentiable = [...operatorTable]
      .filter(([, entry]) => entry.differentiable)
      .map(([name]) => name);
    expect(Object.keys(cases).sort()).toEqual(differentiable.sort());
  });

  const named = Object.entries(cases).flatMap(([name, list]) =>
    list.map((entry, index) => ({ name, index, entry })),
  );
  it.each(named)('of $name agree with central differences (case $index)', async ({ name, index, entry }) => {
    const random = Random.seeded(index, name);
    const inputs = entry.shapes.map((shape, position) => input(`x${position}`, 'float32', shape));
    const output = entry.build(...inputs);
    const probe = constant(
      'float32',
      draw(output.shape, random, () => random.normal()),
      output.shape,
    );
    const loss = op.sumAll(op.multiply(output, probe));
    const outputs = Object.fromEntries(
      gradients(loss, inputs).map((tensor, position) => [`g${position}`, tensor]),
    );
    const session = await engine.load(buildModel({ outputs: { ...outputs, output, probe } }));
    const values = entry.shapes.map((shape) => draw(shape, random, entry.values ?? (() => random.normal())));
    const feeds = Object.fromEntries(values.map((value, position) => [`x${position}`, value]));
    const analytic = await session.run(feeds);
    for (const [position, value] of values.entries()) {
      const gradient = floats(analytic, `g${position}`);
      expect(gradient.length).toBe(value.length);
      const largest = Math.max(...gradient.map(Math.abs));
      for (let place = 0; place < value.length; place++) {
        const shifted = (distance: number) => {
          const copy = value.slice();
          copy[place]! += distance;
          return values.map((other, at) => (at === position ? copy : other));
        };
        const difference = (await lossAt(session, shifted(step))) - (await lossAt(session, shifted(-step)));
        expect(Math.abs(gradient[place]! - difference / (2 * step))).toBeLessThan(
          2e-3 * Math.max(largest, 1),
        );
      }
    }
    await session.release();
  });

  it('name the operator that has no rule', () => {
    const x = input('x', 'float32', [2]);
    expect(() => gradients(op.sumAll(op.sign(x)), [x])).toThrow('Sign');
  });

  it('are refused for a loss that is not a scalar or does not depend on the target', () => {
    const x = input('x', 'float32', [2]);
    const y = input('y', 'float32', [2]);
    expect(() => gradients(x, [x])).toThrow('scalar');
    expect(() => gradients(op.sumAll(x), [y])).toThrow('does not depend');
  });
});
