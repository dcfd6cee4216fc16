import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceDir } from '../../test/support/reference.ts';
import { gradients } from '../graph/differentiate.ts';
import { buildModel } from '../graph/onnx.ts';
import { concatenate, l2Normalize, stopGradient } from '../graph/operators/index.ts';
import { constant, type FloatTensor, input } from '../graph/tensor.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { floatTensor, readSafeTensors, type SafeTensors } from '../storage/safetensors.ts';
import { clipLoss } from './clip.ts';
import { negativeCosine } from './cosine.ts';
import { simclrLoss } from './simclr.ts';

const numbers = (length: number, of: (row: number) => number) =>
  Int32Array.from({ length }, (_, row) => of(row));
const column = (values: Int32Array) => constant('int32', values, [values.length, 1]);
const list = (values: Int32Array) => constant('int32', values, [values.length]);
const even = (length: number) => constant('float32', new Float32Array(length).fill(1 / length), [length, 1]);
const zeros = (length: number) => constant('float32', new Float32Array(length), [length, 1]);

describe('losses of the baselines', () => {
  let engine: Engine;
  let reference: SafeTensors;
  beforeAll(async () => {
    engine = Engine.start({ threads: 1 });
    reference = await readSafeTensors(join(referenceDir(), 'contrastive-losses.safetensors'), 'Reference');
  });
  afterAll(() => engine.close());

  /** Runs a loss of a and b, whose rows belong together, beside the reference of that name. */
  async function compare(
    name: string,
    build: (a: FloatTensor, b: FloatTensor, rows: number) => FloatTensor,
    sides: readonly ('a' | 'b')[],
  ) {
    const { shape, data } = floatTensor(reference, 'a');
    const [a, b] = [input('a', 'float32', shape), input('b', 'float32', shape)];
    const loss = build(a, b, shape[0]!);
    const targets = sides.map((side) => ({ a, b })[side]);
    const named = gradients(loss, targets).map((tensor, index) => [`gradient.${sides[index]}`, tensor]);
    const session = await engine.load(buildModel({ outputs: { loss, ...Object.fromEntries(named) } }));
    const results = await session.run({ a: data, b: floatTensor(reference, 'b').data });
    const expected = floatTensor(reference, `${name}.loss`).data[0]!;
    expect(Math.abs(floats(results, 'loss')[0]! / expected - 1)).toBeLessThan(1e-5);
    for (const side of sides) {
      const wanted = floatTensor(reference, `${name}.grad.${side}`).data;
      const scale = Math.max(...wanted.map(Math.abs));
      for (const [index, value] of floats(results, `gradient.${side}`).entries())
        expect(Math.abs(value - wanted[index]!)).toBeLessThan(1e-3 * scale);
    }
  }

  it('of SimCLR is NT-Xent in value and gradient', () =>
    compare(
      'simclr',
      (a, b, rows) => {
        const photoOf = numbers(2 * rows, (row) => row % rows);
        const inputs = {
          views: list(numbers(2 * rows, (row) => row)),
          partners: list(numbers(2 * rows, (row) => (row + rows) % (2 * rows))),
          weights: even(2 * rows),
          own: list(photoOf),
          shown: column(photoOf),
          logCounts: zeros(2 * rows),
        };
        return simclrLoss(l2Normalize(concatenate([a, b], 0)), inputs, 0.2);
      },
      ['a', 'b'],
    ));

  it('of CLIP goes both ways, in value and gradient', () =>
    compare(
      'clip',
      (a, b, rows) => {
        const titles = numbers(rows, (row) => row);
        const inputs = {
          rows: list(titles),
          own: list(titles),
          weights: even(rows),
          shown: column(titles),
          logCounts: zeros(rows),
        };
        return clipLoss(a, b, inputs, 0.1);
      },
      ['a', 'b'],
    ));

  it('of SimSiam moves the prediction, not what is predicted', async () => {
    const oneSide = (a: FloatTensor, b: FloatTensor, rows: number) =>
      negativeCosine(a, stopGradient(b), even(rows));
    await compare('simsiam', oneSide, ['a']);
    await expect(compare('simsiam', oneSide, ['b'])).rejects.toThrow('does not depend');
  });

  it('of CLIP does not set photos of the same title against each other', async () => {
    const rows = numbers(3, (row) => row);
    const titles = Int32Array.of(0, 0, 1);
    const [a, b] = [input('a', 'float32', [3, 2]), input('b', 'float32', [3, 2])];
    const onlyFirst = constant('float32', Float32Array.of(1, 0, 0), [3, 1]);
    const inputs = { rows: list(rows), own: list(titles), weights: onlyFirst };
    const loss = clipLoss(a, b, { ...inputs, shown: column(titles), logCounts: zeros(3) }, 0.1);
    const session = await engine.load(buildModel({ outputs: { loss } }));
    const lossOf = async (...second: [number, number]) => {
      const photos = Float32Array.of(1, 0, ...second, -1, 0);
      const texts = Float32Array.of(1, 0, ...second, 0, 1);
      return floats(await session.run({ a: photos, b: texts }), 'loss')[0]!;
    };
    expect(await lossOf(1, 0)).toBeCloseTo(await lossOf(-1, 0), 6);
  });
});
