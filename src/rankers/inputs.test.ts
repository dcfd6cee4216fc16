import { afterAll, beforeAll, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { createFeature, featureSet } from '../features/index.ts';
import { buildModel } from '../graph/onnx.ts';
import { parametersOf } from '../graph/parameters.ts';
import { input } from '../graph/tensor.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { BatchAssembler } from './batch.ts';
import { separateParts } from './embedded-parts.ts';
import { rowsOfSplit } from './fields.ts';
import { rankerInputs } from './inputs.ts';

let engine: Engine;
beforeAll(() => {
  engine = Engine.start({ threads: 1 });
});
afterAll(() => engine.close());

it('nearness is seen as the share of each of 20 pieces that lies below it, through the gate, in closed form', async () => {
  const { data, embeddings } = tinyLog();
  const feature = createFeature(featureSet('attention-cosine'), data, {
    embeddings,
    clusters: [],
    semanticIds: [],
  });
  const options = {
    ids: 'own',
    minimumCount: 2,
    idBuckets: null,
    gateCategory: null,
    numericPieces: 0,
  } as const;
  const train = rowsOfSplit(data, 'train');
  const assembler = new BatchAssembler(data, feature, train, { ...options, batchSize: 8 });
  const embedded = separateParts(assembler.fields.layout, 8, 4);
  const { nearness } = rankerInputs(assembler, embedded, 4);
  const [logits] = parametersOf([nearness!]);
  const model = buildModel({
    outputs: { seen: nearness! },
    bindings: new Map([[logits!, input('logits', 'float32', logits!.shape)]]),
  });
  const session = await engine.load(model);
  const batch = assembler.assemble(rowsOfSplit(data, 'test').subarray(0, 8));
  const gates = Float32Array.of(0.3, -1, 2);
  const fed = { nearness: batch.nearness, category: batch.category, logits: gates };
  const seen = floats(await session.run(fed), 'seen');
  expect(new Set(batch.category).size).toBeGreaterThan(1);
  expect(batch.nearness.some((value) => value > 1)).toBe(true);
  for (const [index, value] of batch.nearness.entries()) {
    const open = 1 / (1 + Math.exp(-gates[batch.category[Math.floor(index / 5)]!]!));
    for (let piece = 0; piece < 20; piece++) {
      const share = Math.min(1, Math.max(0, 10 * value - piece));
      expect(seen[20 * index + piece]).toBeCloseTo(open * share, 5);
    }
  }
});

it('base features are seen as they are and as the share of each piece that lies below them, in closed form', async () => {
  const { data } = tinyLog();
  const train = rowsOfSplit(data, 'train');
  const options = {
    ids: 'own',
    minimumCount: 2,
    idBuckets: null,
    gateCategory: null,
    batchSize: 64,
  } as const;
  const assembler = new BatchAssembler(data, null, train, { ...options, numericPieces: 5 });
  const embedded = separateParts(assembler.fields.layout, 64, 4);
  const { dense } = rankerInputs(assembler, embedded, 4);
  const { width, pieces } = assembler.columns;
  expect(dense!.shape).toEqual([64, width + 5 * width]);
  const session = await engine.load(buildModel({ outputs: { seen: dense! } }));
  const batch = assembler.assemble(rowsOfSplit(data, 'test').subarray(0, 64));
  const seen = floats(await session.run({ dense: batch.dense }), 'seen');
  for (let row = 0; row < 64; row++) {
    const at = row * 6 * width;
    for (let column = 0; column < width; column++) {
      const value = batch.dense[row * width + column]!;
      expect(seen[at + column]).toBe(value);
      for (let piece = 0; piece < 5; piece++) {
        const place = 5 * column + piece;
        const share = Math.min(1, Math.max(0, (value - pieces!.lower[place]!) * pieces!.scale[place]!));
        expect(seen[at + width + place]).toBeCloseTo(share, 5);
      }
    }
  }
});
