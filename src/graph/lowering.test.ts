import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { mapChunks } from './chunks.ts';
import { nodesInOrder } from './differentiate.ts';
import { lower } from './lowering.ts';
import { buildModel } from './onnx.ts';
import { cast, matmul, split } from './operators/index.ts';
import { type FloatTensor, input, type Shape, sizeOf, type Tensor } from './tensor.ts';

const products: readonly { readonly a: Shape; readonly b: Shape }[] = [
  { a: [3, 4], b: [4, 5] },
  { a: [2, 6, 3, 4], b: [2, 6, 4, 5] },
  { a: [6, 3, 4], b: [4, 5] },
];
const choices = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) => [1, 0.25].map((alpha) => ({ transposeA, transposeB, alpha }))),
);
const swapped = (shape: Shape) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

describe('lowering for WebGPU', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  /** The outputs in the plain form and in the form for WebGPU, both computed on the CPU. */
  async function bothForms(outputs: Readonly<Record<string, FloatTensor>>) {
    const model = buildModel({ outputs });
    const random = Random.seeded(1, 'lowering');
    const feeds = Object.fromEntries(
      Object.entries(model.inputs).map(([name, { shape }]) => [
        name,
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
      ]),
    );
    const results = (['fused', 'standard'] as const).map(async (target) => {
      const session = await engine.load({ ...model, encode: () => model.encode(target) });
      const values = await session.run(feeds);
      await session.release();
      return Object.keys(outputs).map((name) => floats(values, name));
    });
    return Promise.all(results);
  }

  it.each(choices)('keeps products as they are: $transposeA, $transposeB, $alpha', async (options) => {
    for (const { a, b } of products) {
      const left = input('a', 'float32', options.transposeA ? swapped(a) : a);
      const right = input('b', 'float32', options.transposeB ? swapped(b) : b);
      const [plain, lowered] = await bothForms({ y: matmul(left, right, options) });
      expect(plain![0]!.some((value) => value !== 0)).toBe(true);
      for (const [index, value] of plain![0]!.entries()) expect(lowered![0]![index]).toBeCloseTo(value, 5);
    }
  });

  it('keeps what a tensor is cut into, seven parts at a time', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.constantFrom(0, 1), async (lengths, axis) => {
        const total = lengths.reduce((a, b) => a + b, 0);
        const parts = split(input('x', 'float32', axis === 0 ? [total, 2] : [2, total]), lengths, axis);
        const [plain, lowered] = await bothForms(
          Object.fromEntries(parts.map((part, index) => [`part${index}`, part])),
        );
        expect(lowered).toEqual(plain);
        const [node] = nodesInOrder(parts);
        const nodes = nodesInOrder(lower(node!, 'standard') ?? parts);
        expect(Math.max(...nodes.map(({ outputs }) => outputs.length))).toBeLessThanOrEqual(7);
      }),
      { numRuns: 20 },
    );
  });

  it('reaches into the bodies of loops, and leaves the form for the CPU alone', () => {
    const weight = input('weight', 'float32', [4, 5]);
    const product = (chunk: Tensor<'uint8'>) => matmul(cast(chunk, 'float32'), weight);
    const { result } = mapChunks(input('x', 'uint8', [3, 2, 4]), [], product);
    const model = buildModel({ outputs: { result } });
    const [plain, lowered] = [Buffer.from(model.encode('fused')), Buffer.from(model.encode('standard'))];
    expect(plain.includes('FusedMatMul')).toBe(true);
    expect(lowered.includes('FusedMatMul')).toBe(false);
    expect(lowered.includes('Gemm')).toBe(true);
  });
});
