import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from '../graph/onnx.ts';
import { bindToVector, initialValues, layoutOf, parametersOf } from '../graph/parameters.ts';
import { input } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { rankerConfig } from './config.ts';
import { lookupsOf } from './fields.ts';
import { rankers } from './index.ts';

const layout = { situationFields: 2, itemFields: 2, historyLength: 3 };
const [batch, dimension, width] = [4, 5, 3];
const config = rankerConfig.parse({ embeddingDimension: dimension, hiddenWidths: [8], attentionWidth: 6 });
const lookups = lookupsOf(layout);
const historyStart = (layout.situationFields + layout.itemFields) * dimension;
const itemLength = layout.itemFields * dimension;

describe.each(Object.entries(rankers))('the ranker %s', (_, ranker) => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  async function scorer(withDense = true) {
    const dense = withDense ? input('dense', 'float32', [batch, width]) : null;
    const logits = ranker(
      {
        layout,
        embedded: input('embedded', 'float32', [batch, lookups, dimension]),
        historyMask: input('historyMask', 'float32', [batch, layout.historyLength]),
        dense,
      },
      config,
    );
    expect(logits.shape).toEqual([batch, 1]);
    const parameters = parametersOf([logits]);
    const places = layoutOf(parameters);
    const vector = input('parameters', 'float32', [places.size]);
    const session = await engine.load(
      buildModel({ outputs: { logits }, bindings: bindToVector(parameters, places, vector) }),
    );
    const values = { parameters: initialValues(parameters, Random.seeded(3, 'test')) };
    return async (embedded: Float32Array, historyMask: Float32Array) => {
      const numbers = withDense ? { dense: new Float32Array(batch * width).fill(0.3) } : {};
      return floats(await session.run({ ...values, embedded, historyMask, ...numbers }), 'logits');
    };
  }

  function embeddings(): Float32Array {
    const random = Random.seeded(4, 'embedded');
    return Float32Array.from({ length: batch * lookups * dimension }, () => random.normal());
  }

  /** The same embeddings with one history place of every exposure filled with another number. */
  function withPlace(embedded: Float32Array, place: number, value: number): Float32Array {
    const changed = embedded.slice();
    for (let row = 0; row < batch; row++) {
      const start = row * lookups * dimension + historyStart + place * itemLength;
      changed.fill(value, start, start + itemLength);
    }
    return changed;
  }

  it('ignores what lies in padded places of the history', async () => {
    const score = await scorer();
    const mask = Float32Array.from({ length: batch * layout.historyLength }, (_, i) => (i % 3 < 2 ? 1 : 0));
    const embedded = embeddings();
    const expected = await score(embedded, mask);
    expect(await score(withPlace(embedded, 2, 50), mask)).toEqual(expected);
    expect(await score(withPlace(embedded, 1, 50), mask)).not.toEqual(expected);
  });

  it('takes an empty history', async () => {
    const score = await scorer();
    const mask = new Float32Array(batch * layout.historyLength);
    const embedded = embeddings();
    const expected = await score(embedded, mask);
    expect(expected.every(Number.isFinite)).toBe(true);
    expect(await score(withPlace(embedded, 0, 9), mask)).toEqual(expected);
  });

  it('does not depend on the order of the history, whose items it weighs one by one', async () => {
    const score = await scorer();
    const mask = new Float32Array(batch * layout.historyLength).fill(1);
    const [one, other] = [embeddings(), embeddings()].map((embedded, index) =>
      withPlace(withPlace(embedded, index, 0.5), 1 - index, -0.7),
    );
    const [scores, swapped] = [await score(one!, mask), await score(other!, mask)];
    for (const [row, value] of scores.entries()) expect(swapped[row]).toBeCloseTo(value, 5);
  });

  it('works without dense columns', async () => {
    const score = await scorer(false);
    const mask = new Float32Array(batch * layout.historyLength).fill(1);
    expect((await score(embeddings(), mask)).every(Number.isFinite)).toBe(true);
  });
});
