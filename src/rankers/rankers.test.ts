import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itemCodes, type TinyLog, tinyLog } from '../../test/support/tiny-log.ts';
import { noNumbers } from '../data/counters/numeric-rows.ts';
import { NONE } from '../data/dataset.ts';
import type { VisualInputs } from '../features/feature.ts';
import { createFeature, featureSet } from '../features/index.ts';
import { Engine } from '../runtime/engine.ts';
import { BatchAssembler } from './batch.ts';
import { rankerConfig } from './config.ts';
import { rowsOfSplit } from './fields.ts';
import { weighsPlaces } from './index.ts';
import { RankerModel } from './model.ts';

const { data, embeddings } = tinyLog();
const inputs: VisualInputs = { embeddings, clusters: [itemCodes('cluster_4', 4, data)], semanticIds: [] };
const trainRows = rowsOfSplit(data, 'train');
const rows = trainRows.slice(0, 40);

describe.each(rankerConfig.shape.ranker.def.innerType.options)('the ranker %s', (name) => {
  const config = rankerConfig.parse({
    ranker: name,
    minimumCount: 2,
    batchSize: 32,
    embeddingDimension: 4,
    hiddenWidths: [8],
    attentionWidth: 6,
    crossLayers: 2,
  });
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  function assembler(features: string | null, log: TinyLog = data) {
    const feature = features === null ? null : createFeature(featureSet(features), log, inputs);
    return new BatchAssembler(log, feature, trainRows, config);
  }

  /** Scores after a few steps of training, so that nothing is zero any more. */
  async function scores(features: string | null, log: TinyLog): Promise<Float32Array> {
    const trained = assembler(features);
    const model = await RankerModel.create(trained, config, 3, engine);
    for (let from = 0; from < 320; from += 32) {
      await model.train(await model.prepare(trained.assemble(trainRows.subarray(from, from + 32))));
    }
    const state = await model.state();
    await model.release();
    const shown = await RankerModel.create(assembler(features, log), config, 3, engine, state);
    const values = await shown.scorer.score(rows);
    await shown.release();
    return values;
  }

  /** The log with other histories. */
  function withHistory(change: (place: number, item: number) => number): TinyLog {
    const { pageViews } = data;
    const history = pageViews.history.map((item, index) => change(index % pageViews.historyLength, item));
    return { ...data, pageViews: { ...pageViews, history } };
  }

  it.each([null, 'cluster-id'])(
    'does not depend on the order of the history, with features %s',
    async (set) => {
      const { history, historyLength } = data.pageViews;
      const reversed = history.slice();
      for (let from = 0; from < history.length; from += historyLength) {
        reversed.subarray(from, from + historyLength).reverse();
      }
      const swapped = { ...data, pageViews: { ...data.pageViews, history: reversed } };
      const [one, other] = [await scores(set, data), await scores(set, swapped)];
      for (const [row, value] of one.entries()) expect(other[row]).toBeCloseTo(value, 5);
    },
  );

  it('sees the history, and takes an empty one', async () => {
    const full = await scores(null, data);
    const empty = await scores(
      null,
      withHistory(() => NONE),
    );
    expect(empty.every(Number.isFinite)).toBe(true);
    expect(empty).not.toEqual(full);
  });

  const seen = ['vector', 'sim-score+cluster-id', 'sim-tier+sim-retrieved'];
  it.each(weighsPlaces[name] ? [...seen, 'attention-cosine', 'attention-cosine+cluster-id'] : seen)(
    'goes on with %s from where it was without images',
    async (set) => {
      const blind = assembler(null);
      const small = await RankerModel.create(blind, config, 3, engine);
      for (let from = 0; from < 320; from += 32) {
        await small.train(await small.prepare(blind.assemble(trainRows.subarray(from, from + 32))));
      }
      const before = await small.scorer.score(rows);
      const state = await small.state();
      await small.release();
      const large = await RankerModel.create(assembler(set), config, 4, engine, state);
      const after = await large.scorer.score(rows);
      // The factorisation machine crosses the fresh, small embeddings of codes with the others.
      const digits = name === 'deepfm' ? 2 : 6;
      for (const [row, value] of before.entries()) expect(after[row]).toBeCloseTo(value, digits);
      const loss = await large.train(
        await large.prepare(assembler(set).assemble(trainRows.subarray(320, 352))),
      );
      expect(Number.isFinite(loss)).toBe(true);
      expect(await large.scorer.score(rows)).not.toEqual(after);
      await large.release();
    },
  );

  it.runIf(!weighsPlaces[name])('refuses nearness, which it would not look at', async () => {
    await expect(RankerModel.create(assembler('attention-cosine'), config, 3, engine)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(name),
      remedy: expect.stringContaining('din'),
    });
  });

  it('works without base features and categories', async () => {
    const bare: TinyLog = {
      ...data,
      catalogue: { ...data.catalogue, categories: [] },
      exposures: { ...data.exposures, numeric: noNumbers, context: [] },
    };
    const model = await RankerModel.create(assembler('sim-score', bare), config, 3, engine);
    expect((await model.scorer.score(rows)).every((score) => score > 0 && score < 1)).toBe(true);
    await model.release();
  });
});
