import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import { buildModel } from '../graph/onnx.ts';
import { initialValues, layoutOf, namedParts, parametersOf } from '../graph/parameters.ts';
import { constant, type FloatTensor, input, type Tensor } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { courierObjective, courierSettings } from './courier.ts';
import { clickFeeds, clickInputs, clickLoss } from './courier-click-loss.ts';
import { courierAxes, courierFeeds } from './courier-inputs.ts';
import { createReconstruction, excluded, type ReconstructionForm } from './reconstruction.ts';

/** Two clicks on photos 0 and 1; the second has one unclicked candidate and one earlier click less. */
const batch: ClickBatch = {
  photos: Int32Array.of(10, 11, 12, 13, 14),
  clicked: Int32Array.of(0, 1),
  candidates: Int32Array.of(0, 2, 1, 0),
  candidateMask: Float32Array.of(1, 1, 1, 0),
  history: Int32Array.of(3, 4, 4, 0),
  historyMask: Float32Array.of(1, 1, 1, 0),
  newest: Int32Array.of(3, 4),
};
const embeddings = Float32Array.from({ length: 20 }, (_, index) => Math.sin(1 + index * 1.3));

/** Parameters with fresh values. */
function bound(outputs: readonly FloatTensor[]) {
  const parameters = parametersOf(outputs);
  const layout = layoutOf(parameters);
  const parts = namedParts(layout, initialValues(parameters, Random.seeded(1, 'variants')));
  const values = layout.places.map(({ name }) => parts.get(name)!);
  const bindings = parameters.map((tensor, index): [Tensor, Tensor] => [
    tensor,
    constant('float32', values[index]!, tensor.shape),
  ]);
  return new Map(bindings);
}

describe('variants of COURIER', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  /** What is rebuilt of a history of three places, the last one padded, for a candidate. */
  async function rebuild(form: ReconstructionForm, candidate: readonly number[]) {
    const history = input('history', 'float32', [1, 3, 4]);
    const mask = constant('float32', Float32Array.of(1, 1, 0), [1, 3]);
    const queries = input('queries', 'float32', [1, 4]);
    const { rebuilt, attention } = createReconstruction({ form, heads: 2 }, 4)(queries, history, mask);
    const model = buildModel({ outputs: { rebuilt, attention }, bindings: bound([rebuilt]) });
    const session = await engine.load(model);
    const feeds = { queries: Float32Array.from(candidate), history: embeddings.slice(0, 12) };
    const results = await session.run(feeds);
    await session.release();
    return { rebuilt: [...floats(results, 'rebuilt')], attention: [...floats(results, 'attention')] };
  }

  it('the mean is the mean of the real places', async () => {
    const { rebuilt, attention } = await rebuild('mean', [1, 0, 0, 0]);
    expect(attention).toEqual([0.5, 0.5, 0]);
    for (const [index, value] of rebuilt.entries())
      expect(value).toBeCloseTo((embeddings[index]! + embeddings[4 + index]!) / 2, 6);
  });

  it('self-attention weighs the real places by each other, whatever the candidate', async () => {
    const { rebuilt, attention } = await rebuild('self-attention', [1, 0, 0, 0]);
    expect(attention[0]! + attention[1]!).toBeCloseTo(1, 6);
    expect(attention[0]).not.toBeCloseTo(0.5, 2);
    expect(attention[2]).toBe(0);
    expect(await rebuild('self-attention', [0, 1, 2, 3])).toEqual({ rebuilt, attention });
    const asked = await rebuild('projected-attention', [1, 0, 0, 0]);
    expect(await rebuild('projected-attention', [0, 1, 2, 3])).not.toEqual(asked);
  });

  it('only clicked photos compete where negatives are clicked', () => {
    const competing = (negatives: 'shown' | 'clicked') =>
      [...courierFeeds(batch, 5, negatives).candidateCounts].map((count) => count > excluded / 2);
    expect(competing('shown')).toEqual([true, true, true, false, false]);
    expect(competing('clicked')).toEqual([true, true, false, false, false]);
  });

  it('without contrast nothing but nearness counts: the loss is −1 − λ where all embeddings are the same', async () => {
    const config = courierSettings.parse({ heads: 2, contrast: false, sequenceWeight: 0.5 });
    const objective = courierObjective(config, { candidates: 2, history: 2 });
    const { loss } = objective.loss(input('embeddings', 'float32', [5, 4]), 2);
    const session = await engine.load(
      buildModel({ outputs: { loss }, bindings: bound([loss]), openAxes: courierAxes }),
    );
    const same = Float32Array.from({ length: 20 }, (_, index) => [0.6, 0, 0.8, 0][index % 4]!);
    const { whole } = objective.feeds(batch, 5);
    expect(floats(await session.run({ ...whole, embeddings: same }), 'loss')[0]).toBeCloseTo(-1.5, 5);
    expect(floats(await session.run({ ...whole, embeddings }), 'loss')[0]).toBeGreaterThan(-1.4);
  });

  it("the click loss takes a candidate's own photo out of its history, and a candidate with nothing else there out", () => {
    const shown = {
      ...batch,
      candidates: Int32Array.of(0, 3, 1, 4),
      candidateMask: Float32Array.of(1, 1, 1, 1),
    };
    const { candidateHistoryMask, candidateWeights } = clickFeeds(shown);
    expect([...candidateHistoryMask]).toEqual([1, 1, 0, 1, 1, 0, 0, 0]);
    expect([...candidateWeights]).toEqual([1, 1, 1, 0].map((share) => Math.fround(share / 3)));
  });

  it('the click loss is the cross-entropy of every real candidate, the first of each sample being clicked', async () => {
    const reconstruct = createReconstruction({ form: 'mean', heads: 2 }, 4);
    const table = input('embeddings', 'float32', [5, 4]);
    const loss = clickLoss(table, clickInputs(2, { candidates: 2, history: 2 }), reconstruct);
    // All weights 0 but the last bias: every logit is that bias.
    const zero = new Map(
      parametersOf([loss]).map((tensor): [Tensor, Tensor] => {
        const size = tensor.shape.reduce((a, b) => a * b);
        const value = tensor.shape.length === 1 && size === 1 ? 0.7 : 0;
        return [tensor, constant('float32', new Float32Array(size).fill(value), tensor.shape)];
      }),
    );
    const session = await engine.load(buildModel({ outputs: { loss }, bindings: zero }));
    const value = floats(await session.run({ embeddings, ...clickFeeds(batch) }), 'loss')[0];
    const [clicked, not] = [Math.log(1 + Math.exp(-0.7)), Math.log(1 + Math.exp(0.7))];
    expect(value).toBeCloseTo((2 * clicked + not) / 3, 5);
  });

  it('the click loss sees each candidate with the history of its own user', () => {
    const { candidateHistory, candidateHistoryMask } = clickFeeds(batch);
    expect([...candidateHistory]).toEqual([3, 4, 3, 4, 4, 0, 4, 0]);
    expect([...candidateHistoryMask]).toEqual([1, 1, 1, 1, 1, 0, 1, 0]);
  });
});
