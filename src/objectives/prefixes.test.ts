import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import { buildModel } from '../graph/onnx.ts';
import { constant, type FloatTensor, input } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { courierObjective, courierSettings } from './courier.ts';
import { type InfoNce, infoNce } from './info-nce.ts';
import { firstNumbers } from './prefixes.ts';

const random = Random.seeded(11, 'prefixes');
const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
const dimension = 8;

/** The first numbers of each row, as they are. */
const cutTo = (length: number, rows: Float32Array, width = dimension) =>
  Float32Array.from({ length: (rows.length / width) * length }, (_, place) => {
    return rows[Math.floor(place / length) * width + (place % length)]!;
  });

/** Each row brought to unit length, as keys have to be. */
const ofUnitLength = (rows: Float32Array, width = dimension) =>
  rows.map((value, place) => {
    const from = place - (place % width);
    return value / Math.hypot(...rows.subarray(from, from + width));
  });

/** Rows of unit length of which the first 3 numbers, and the first 6, are as long in each: cuts differ from unit vectors by a factor. */
const alikeWhenCut = (count: number) => {
  const rows = draw(count * dimension);
  for (let row = 0; row < count; row++) {
    for (const [from, to] of [
      [0, 3],
      [3, 6],
      [6, 8],
    ] as const) {
      const part = rows.subarray(row * dimension + from, row * dimension + to);
      part.set(part.map((value) => value / Math.hypot(...part) / Math.sqrt(3)));
    }
  }
  return rows;
};

describe('losses of the first numbers of embeddings', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  async function lossValue(loss: FloatTensor, feeds: Readonly<Record<string, Float32Array | Int32Array>>) {
    const session = await engine.load(buildModel({ outputs: { loss } }));
    const value = floats(await session.run({ ...feeds }), 'loss')[0]!;
    await session.release();
    return value;
  }

  it('cuts rows and brings them to unit length', async () => {
    const rows = draw(3 * dimension);
    const session = await engine.load(
      buildModel({ outputs: { loss: firstNumbers(input('x', 'float32', [3, dimension]), 3) } }),
    );
    const found = floats(await session.run({ x: rows.slice() }), 'loss');
    const cut = cutTo(3, rows);
    for (const [place, value] of found.entries()) {
      const row = cut.subarray(Math.floor(place / 3) * 3, Math.floor(place / 3) * 3 + 3);
      expect(value).toBeCloseTo(cut[place]! / Math.hypot(...row), 6);
    }
  });

  it('are the mean of the closed form over all lengths', async () => {
    const [anchors, positives] = [draw(2 * dimension), draw(2 * dimension)];
    const keys = ofUnitLength(draw(4 * dimension));
    const [counts, weights, temperature] = [[1, 2, 1, 3], [0.25, 0.75], 0.2];
    const tensor = (values: Float32Array, rows: number) => constant('float32', values, [rows, dimension]);
    const terms: InfoNce = {
      anchors: tensor(anchors, 2),
      positives: tensor(positives, 2),
      keys: tensor(keys, 4),
      own: constant('int32', Int32Array.of(0, 3), [2]),
      logCounts: constant('float32', Float32Array.from(counts, Math.log), [4, 1]),
      weights: constant('float32', Float32Array.from(weights), [2, 1]),
      temperature,
      prefixes: [2, 5],
    };
    const cosine = (n: number, a: Float32Array, i: number, b: Float32Array, j: number) => {
      const [x, y] = [
        a.subarray(i * dimension, i * dimension + n),
        b.subarray(j * dimension, j * dimension + n),
      ];
      return x.reduce((sum, value, k) => sum + value * y[k]!, 0) / (Math.hypot(...x) * Math.hypot(...y));
    };
    const closed = [dimension, 2, 5].map((n) =>
      [0, 1].reduce((sum, row) => {
        const right = Math.exp(cosine(n, anchors, row, positives, row) / temperature);
        const others = counts.map((count, key) =>
          key === [0, 3][row] ? 0 : count * Math.exp(cosine(n, anchors, row, keys, key) / temperature),
        );
        const all = others.reduce((total, value) => total + value, right);
        return sum - weights[row]! * Math.log(right / all);
      }, 0),
    );
    const mean = closed.reduce((sum, value) => sum + value, 0) / 3;
    expect(await lossValue(infoNce(terms), {})).toBeCloseTo(mean, 5);
  });

  it('of COURIER are the mean of its losses of embeddings that are cut before', async () => {
    const config = courierSettings.parse({ form: 'mean', heads: 1, temperature: 0.2, sequenceWeight: 0.5 });
    const batch: ClickBatch = {
      photos: Int32Array.from({ length: 6 }, (_, photo) => photo),
      clicked: Int32Array.of(0, 1),
      candidates: Int32Array.of(0, 2, 1, 3),
      candidateMask: Float32Array.of(1, 1, 1, 1),
      history: Int32Array.of(4, 5, 5, 2),
      historyMask: Float32Array.of(1, 1, 1, 1),
      newest: Int32Array.of(4, 5),
    };
    const embeddings = alikeWhenCut(6);
    const lossOf = (values: Float32Array, width: number, prefixes: readonly number[]) => {
      const objective = courierObjective(config, { candidates: 2, history: 2 }, prefixes);
      const { loss } = objective.loss(input('embeddings', 'float32', [6, width]), 2);
      return lossValue(loss, { ...objective.feeds(batch, 6).whole, embeddings: ofUnitLength(values, width) });
    };
    const apart = await Promise.all([dimension, 3, 6].map((n) => lossOf(cutTo(n, embeddings), n, [])));
    const mean = apart.reduce((sum, value) => sum + value, 0) / 3;
    expect(await lossOf(embeddings, dimension, [3, 6])).toBeCloseTo(mean, 5);
    expect(await lossOf(embeddings, dimension, [])).toBeCloseTo(apart[0]!, 6);
  });
});
