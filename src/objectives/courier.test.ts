import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceDir } from '../../test/support/reference.ts';
import { gradients } from '../graph/differentiate.ts';
import { buildModel } from '../graph/onnx.ts';
import { add, gather, l2Normalize, matmul, multiply, reshape, split } from '../graph/operators/index.ts';
import { parametersOf } from '../graph/parameters.ts';
import { constant, type FloatTensor, input, type Tensor } from '../graph/tensor.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { floatTensor, readSafeTensors, type SafeTensors } from '../storage/safetensors.ts';
import { inBlocks } from './batch-feeds.ts';
import { contrastClickSequences, courierLoss, courierSettings, createComparison } from './courier.ts';
import { courierAxes, courierFeeds, courierInputs } from './courier-inputs.ts';
import { infoNce } from './info-nce.ts';
import { createReconstruction, excluded } from './reconstruction.ts';

const [users, candidateCount, places, dimension, heads, temperature] = [6, 20, 5, 32, 4, 0.05];

function integersOf(reference: SafeTensors, name: string): Int32Array {
  const data = reference.tensors.get(name)?.data;
  if (!(data instanceof BigInt64Array)) throw new Error(`no integers ${name}`);
  return Int32Array.from(data, Number);
}

const range = (length: number) => Int32Array.from({ length }, (_, index) => index);
const int32 = (values: Int32Array) => constant('int32', values, [values.length]);
const float = (values: Iterable<number>, shape: readonly number[]) =>
  constant('float32', Float32Array.from(values), shape);

/** The released form on the reference's inputs: one row per click, as the paper's formula sums them. */
function lossOf(reference: SafeTensors, masked: boolean) {
  const history = input('history', 'float32', [users, places, dimension]);
  const candidates = input('candidates', 'float32', [candidateCount, dimension]);
  const owner = integersOf(reference, 'owner');
  const lengths = integersOf(reference, 'history_length');
  const clicked = integersOf(reference, 'clicked');
  const maskValues = Array.from({ length: users * places }, (_, place) =>
    Number(!masked || place % places < lengths[Math.floor(place / places)]!),
  );
  const mask = float(maskValues, [users, places]);
  const reconstruct = createReconstruction({ form: 'full-attention', heads }, dimension);

  const { rebuilt, attention } = reconstruct(
    candidates,
    gather(history, int32(owner)),
    gather(mask, int32(owner)),
  );
  const clicks = clicked.reduce((a, b) => a + b, 0);
  const pageViewLoss = infoNce({
    anchors: rebuilt,
    positives: candidates,
    keys: l2Normalize(candidates),
    own: int32(range(candidateCount)),
    logCounts: float(Array(candidateCount).fill(0), [candidateCount, 1]),
    weights: float(
      Array.from(clicked, (value) => value / clicks),
      [candidateCount, 1],
    ),
    temperature,
  });
  const [newest] = split(history, [1, places - 1], 1);
  const takesPart = Array.from(range(users), (user) => Number(!masked || lengths[user]! > 1));
  const part = takesPart.reduce((a, b) => a + b, 0);
  const sequenceLoss = contrastClickSequences(
    {
      history,
      mask,
      keys: l2Normalize(reshape(newest!, [users, dimension])),
      own: int32(range(users)),
      logCounts: float(
        takesPart.map((value) => (value === 1 ? 0 : excluded)),
        [users, 1],
      ),
      weights: float(
        takesPart.map((value) => value / part),
        [users, 1],
      ),
    },
    reconstruct,
    createComparison(courierSettings.parse({ temperature })),
  );
  const similarity = matmul(l2Normalize(candidates), l2Normalize(rebuilt), { transposeB: true });
  return {
    history,
    candidates,
    rebuilt,
    attention,
    similarity,
    pageViewLoss,
    sequenceLoss,
    loss: add(pageViewLoss, sequenceLoss),
  };
}

/** PyTorch keeps the projections of query, key and value in one matrix. */
function parameterValue(reference: SafeTensors, name: string, prefix: string): Float32Array {
  const [, part = '', kind = ''] = name.split('.');
  if (part === 'output') return floatTensor(reference, `${prefix}attention.out_proj.${kind}`).data;
  const { data } = floatTensor(reference, `${prefix}attention.in_proj_${kind}`);
  const third = data.length / 3;
  const index = ['query', 'key', 'value'].indexOf(part);
  return data.slice(index * third, (index + 1) * third);
}

function expectClose(actual: Float32Array, expected: Float32Array, relative: number): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  for (const [index, value] of expected.entries())
    expect(Math.abs(actual[index]! - value)).toBeLessThan(relative * scale);
}

describe('the COURIER loss', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it.each([
    { form: 'unmasked', masked: false },
    { form: 'masked', masked: true },
  ])('in the released form, $form, has the reference values and gradients', async ({ form, masked }) => {
    const reference = await readSafeTensors(join(referenceDir(), 'courier-loss.safetensors'), 'Reference');
    const tensors = lossOf(reference, masked);
    const parameters = parametersOf([tensors.loss]);
    expect(parameters.length).toBe(8);
    const targets = [tensors.history, tensors.candidates, ...parameters];
    const named = gradients(tensors.loss, targets).map((tensor, index) => [`g${index}`, tensor] as const);
    const values = new Map<Tensor, FloatTensor>();
    const names = parameters.map(({ source }) => (source.kind === 'parameter' ? source.name : ''));
    for (const [index, tensor] of parameters.entries()) {
      values.set(tensor, float(parameterValue(reference, names[index]!, ''), tensor.shape));
    }
    const { rebuilt, attention, similarity, pageViewLoss, sequenceLoss, loss } = tensors;
    const outputs = {
      rebuilt,
      attention,
      similarity,
      pageViewLoss,
      sequenceLoss,
      loss,
      ...Object.fromEntries(named),
    };
    const session = await engine.load(buildModel({ outputs, bindings: values }));
    const results = await session.run({
      history: floatTensor(reference, 'history').data,
      candidates: floatTensor(reference, 'candidates').data,
    });
    const expected = (name: string) => floatTensor(reference, `${form}.${name}`).data;
    expectClose(floats(results, 'pageViewLoss'), expected('pv_loss'), 1e-5);
    expectClose(floats(results, 'sequenceLoss'), expected('sequence_loss'), 1e-5);
    expectClose(floats(results, 'loss'), expected('loss'), 1e-5);
    expectClose(floats(results, 'rebuilt'), expected('reconstruction'), 1e-4);
    expectClose(floats(results, 'attention'), expected('attention'), 1e-4);
    expectClose(floats(results, 'similarity'), expected('similarity'), 1e-4);
    expectClose(floats(results, 'g0'), expected('grad.history'), 1e-3);
    expectClose(floats(results, 'g1'), expected('grad.candidates'), 1e-3);
    for (const [index, name] of names.entries()) {
      // The key's bias shifts all scores of a row alike, so its gradient is 0 but for rounding.
      const gradient = floats(results, `g${index + 2}`);
      const wanted = parameterValue(reference, name, `${form}.grad.`);
      if (name === 'reconstruction.key.bias') expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-4);
      else expectClose(gradient, wanted, 1e-3);
    }
  });

  it('ignores what stands in padded places', async () => {
    const config = { form: 'projected-attention', heads: 2 } as const;
    const build = () => {
      const history = input('history', 'float32', [2, 3, 4]);
      const queries = input('queries', 'float32', [2, 4]);
      const { rebuilt, attention } = createReconstruction(config, 4)(
        queries,
        history,
        float([1, 1, 0, 1, 0, 0], [2, 3]),
      );
      const start = new Map(
        parametersOf([rebuilt]).map((tensor): [Tensor, Tensor] => {
          if (tensor.source.kind !== 'parameter') throw new Error('not a parameter');
          return [
            tensor,
            constant('float32', tensor.source.initialize(tensor.shape, { normal: () => 0 }), tensor.shape),
          ];
        }),
      );
      return buildModel({ outputs: { rebuilt, attention }, bindings: start });
    };
    const session = await engine.load(build());
    const queries = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0);
    const history = Float32Array.from({ length: 24 }, (_, index) => Math.sin(index));
    const other = history.slice();
    for (const place of [8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]) other[place] = 1e3;
    const [a, b] = [await session.run({ queries, history }), await session.run({ queries, history: other })];
    expect([...floats(a, 'rebuilt')]).toEqual([...floats(b, 'rebuilt')]);
    const attention = floats(a, 'attention');
    expect([attention[2], attention[3], attention[4], attention[5]]).toEqual([0, 1, 0, 0]);
  });

  it('in the default form rebuilds within the span of the history: one click is rebuilt as itself', async () => {
    const history = input('history', 'float32', [1, 2, 4]);
    const { rebuilt } = createReconstruction({ form: 'projected-attention', heads: 2 }, 4)(
      input('queries', 'float32', [1, 4]),
      history,
      float([1, 0], [1, 2]),
    );
    const fixed = new Map(
      parametersOf([rebuilt]).map((p): [Tensor, Tensor] => [
        p,
        float(Array(p.shape.reduce((a, b) => a * b)).fill(0.3), p.shape),
      ]),
    );
    const session = await engine.load(
      buildModel({ outputs: { rebuilt: multiply(rebuilt, rebuilt) }, bindings: fixed }),
    );
    const out = await session.run({
      queries: Float32Array.of(1, 2, 3, 4),
      history: Float32Array.of(1, 2, 3, 4, 9, 9, 9, 9),
    });
    for (const [index, value] of [1, 4, 9, 16].entries())
      expect(floats(out, 'rebuilt')[index]).toBeCloseTo(value, 5);
  });

  describe('over a batch of distinct photos', () => {
    const [photoCount, width] = [7, 8];
    const config = courierSettings.parse({ heads: 2, temperature: 0.2, sequenceWeight: 0.5 });
    /** Three clicks; photo 4 is shown to all of them, the last user has a single earlier click. */
    const batch = {
      clicked: [0, 1, 4],
      candidates: [0, 4, 1, 4, 4, 5],
      candidateMask: [1, 1, 1, 1, 1, 0],
      history: [2, 3, 6, 3, 5, 0],
      historyMask: [1, 1, 1, 1, 1, 0],
      newest: [2, 6, 5],
    };
    const start = Float32Array.from(
      { length: photoCount * width },
      (_, index) => 0.5 * Math.sin(1 + index * 1.7),
    );

    function build(samples: number) {
      const embeddings = input('embeddings', 'float32', [photoCount, width]);
      const losses = courierLoss(
        embeddings,
        courierInputs(samples, 2, photoCount),
        config,
        createReconstruction(config, width),
      );
      const [gradient] = gradients(losses.loss, [embeddings]);
      const bindings = new Map(
        parametersOf([losses.loss]).map((tensor, position): [Tensor, Tensor] => {
          const length = tensor.shape.reduce((a, b) => a * b);
          return [
            tensor,
            float(
              Array.from({ length }, (_, index) => 0.4 * Math.cos(index + position)),
              tensor.shape,
            ),
          ];
        }),
      );
      return buildModel({ outputs: { ...losses, gradient: gradient! }, bindings, openAxes: courierAxes });
    }

    function feedsOf(changed: Partial<typeof batch> = {}) {
      const all = { ...batch, ...changed };
      return courierFeeds(
        {
          photos: range(photoCount),
          clicked: Int32Array.from(all.clicked),
          candidates: Int32Array.from(all.candidates),
          candidateMask: Float32Array.from(all.candidateMask),
          history: Int32Array.from(all.history),
          historyMask: Float32Array.from(all.historyMask),
          newest: Int32Array.from(all.newest),
        },
        photoCount,
      );
    }

    async function run(embeddings: Float32Array, changed: Partial<typeof batch> = {}) {
      const session = await engine.load(build(3));
      const results = await session.run({ embeddings, ...feedsOf(changed) });
      await session.release();
      return results;
    }

    it('has the gradient that central differences give', async () => {
      const gradient = floats(await run(start), 'gradient');
      const session = await engine.load(build(3));
      const feeds = feedsOf();
      const lossAt = async (place: number, shift: number) => {
        const moved = start.slice();
        moved[place]! += shift;
        return floats(await session.run({ embeddings: moved, ...feeds }), 'loss')[0]!;
      };
      for (let place = 0; place < start.length; place++) {
        const difference = ((await lossAt(place, 1e-3)) - (await lossAt(place, -1e-3))) / 2e-3;
        expect(Math.abs(gradient[place]! - difference)).toBeLessThan(5e-3);
      }
    });

    it('does not let padding or copies of the clicked photo compete', async () => {
      const loss = floats(await run(start), 'pageViewLoss')[0]!;
      // Another photo in the padded place changes nothing.
      const padded = await run(start, { candidates: [0, 4, 1, 4, 4, 2] });
      expect(floats(padded, 'pageViewLoss')[0]).toBeCloseTo(loss, 6);
      // Photo 4 is the third click and shown to the other two: without those copies its loss stays the same.
      const third = { clicked: [4, 4, 4], history: [5, 0, 5, 0, 5, 0], historyMask: [1, 0, 1, 0, 1, 0] };
      const withCopies = await run(start, {
        ...third,
        candidates: [4, 0, 4, 1, 4, 0],
        candidateMask: [1, 1, 1, 1, 1, 0],
      });
      const oneKeyEach = await run(start, {
        ...third,
        candidates: [4, 0, 1, 1, 1, 0],
        candidateMask: [1, 1, 1, 0, 0, 0],
      });
      expect(floats(withCopies, 'pageViewLoss')[0]).toBeCloseTo(floats(oneKeyEach, 'pageViewLoss')[0]!, 5);
    });

    it('leaves users with a single earlier click out of the sequence loss', async () => {
      const loss = floats(await run(start), 'sequenceLoss')[0]!;
      const other = await run(start, { newest: [2, 6, 1], history: [2, 3, 6, 3, 1, 0] });
      expect(floats(other, 'sequenceLoss')[0]).toBeCloseTo(loss, 6);
    });

    it('is the sum of its blocks, in value and gradient, though two samples do not fill the last one', async () => {
      const whole = await run(start);
      const session = await engine.load(build(2));
      const { candidateCounts, newestKeys, newestCounts, ...perSample } = feedsOf();
      const feeds = inBlocks(3, perSample, { candidateCounts, newestKeys, newestCounts });
      const parts = await Promise.all(
        [0, 2].map((first) => session.run({ embeddings: start, ...feeds.block(first, 2) })),
      );
      for (const name of ['loss', 'pageViewLoss', 'sequenceLoss', 'gradient']) {
        for (const [index, value] of floats(whole, name).entries()) {
          const sum = parts.reduce((total, part) => total + floats(part, name)[index]!, 0);
          expect(sum, name).toBeCloseTo(value, 5);
        }
      }
    });

    it('is zero, not undefined, for click sequences when every user has a single earlier click', async () => {
      const single = await run(start, { historyMask: [1, 0, 1, 0, 1, 0] });
      expect(floats(single, 'sequenceLoss')[0]).toBe(0);
      expect(floats(single, 'gradient').every(Number.isFinite)).toBe(true);
    });
  });
});
