import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { visualFeatures } from '../features/index.ts';
import { auc } from '../metrics/auc.ts';
import { type ProgressEvent, silent } from '../progress.ts';
import { Engine } from '../runtime/engine.ts';
import { type RankerConfigInput, rankerConfig } from './config.ts';
import type { RankerData } from './fields.ts';
import { type RankerResult, trainRanker } from './train.ts';

const { data, embeddings } = tinyLog();
const small = {
  minimumCount: 2,
  batchSize: 250,
  epochs: 3,
  embeddingDimension: 4,
  learningRate: 0.005,
  hiddenWidths: [16],
};

describe('training a ranker', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 2 });
  });
  afterAll(() => engine.close());

  function train(
    feature: 'none' | keyof typeof visualFeatures,
    options: RankerConfigInput = {},
    dataset = data,
  ) {
    return trainRanker({
      dataset,
      feature: feature === 'none' ? null : visualFeatures[feature](dataset, embeddings),
      config: rankerConfig.parse({ ...small, ...options }),
      seed: 1,
      engine,
      progress: silent,
    });
  }

  function testAuc({ testRows, testScores }: RankerResult): number {
    return auc(
      testScores,
      Uint8Array.from(testRows, (row) => data.exposures.clicked[row]!),
    );
  }

  it('learns a rule that the visual feature shows, and nothing without it', async () => {
    expect(testAuc(await train('sim-score'))).toBeGreaterThan(0.95);
    const blind = testAuc(await train('none'));
    expect(blind).toBeGreaterThan(0.42);
    expect(blind).toBeLessThan(0.58);
  });

  it('gives identical scores for the same seed, others for another', async () => {
    const first = await train('vector', { epochs: 1 });
    const again = await train('vector', { epochs: 1 });
    expect(again.testScores).toEqual(first.testScores);
    expect(again.curve).toEqual(first.curve);
    const feature = visualFeatures.vector(data, embeddings);
    const config = rankerConfig.parse({ ...small, epochs: 1 });
    const other = await trainRanker({ dataset: data, feature, config, seed: 2, engine, progress: silent });
    expect(other.testScores).not.toEqual(first.testScores);
  });

  it('scores every test exposure once with a probability, the last incomplete batch included', async () => {
    const { testRows, testScores } = await train('sim-score', { epochs: 1, batchSize: 333 });
    expect([...testRows]).toEqual(Array.from({ length: 800 }, (_, index) => 4400 + index));
    expect(testScores).toHaveLength(800);
    expect(testScores.every((score) => score > 0 && score < 1)).toBe(true);
  });

  it('does not look at the labels of the test split', async () => {
    const clicked = data.exposures.clicked.map((label, row) => (row < 4400 ? label : 1 - label));
    const flipped = { ...data, exposures: { ...data.exposures, clicked } };
    const [one, other] = [
      await train('vector', { epochs: 1 }),
      await train('vector', { epochs: 1 }, flipped),
    ];
    expect(other.testScores).toEqual(one.testScores);
  });

  it('keeps the weights of the best evaluation and stops when none gets better', async () => {
    const result = await train('none', { epochs: 50, patience: 2, evaluationsPerEpoch: 3 });
    const aucs = result.curve.map(({ validationAuc }) => validationAuc);
    expect(result.validationAuc).toBe(Math.max(...aucs));
    expect(aucs.indexOf(result.validationAuc)).toBe(aucs.length - 3);
    expect(result.curve.map(({ step }) => step)).toEqual(aucs.map((_, index) => 5 * (index + 1)));
    expect(result.steps).toBe(5 * aucs.length);
  });

  it('learns with lazy Adam too', async () => {
    expect(testAuc(await train('sim-score', { tableOptimizer: 'adam' }))).toBeGreaterThan(0.95);
  });

  it('tells its progress in steps', async () => {
    const events: ProgressEvent[] = [];
    const config = rankerConfig.parse({ ...small, epochs: 1 });
    await trainRanker({
      dataset: data,
      feature: null,
      config,
      seed: 1,
      engine,
      progress: (event) => events.push(event),
    });
    expect(events[0]).toEqual({ kind: 'start', stage: 'Train din, none', total: 15, unit: 'steps' });
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'advance', 'advance', 'end']);
  });

  it('says that it diverged', async () => {
    const options = { learningRate: 1e30, tableLearningRate: 1e30 };
    await expect(train('vector', options)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
  });

  it('refuses a dataset with an empty split', async () => {
    const split = data.pageViews.split.map((value) => (value === 1 ? 0 : value));
    const dataset: RankerData = { ...data, pageViews: { ...data.pageViews, split } };
    await expect(train('none', {}, dataset)).rejects.toMatchObject({
      code: 'SPLIT_EMPTY',
      message: expect.stringContaining('validation'),
    });
  });
});
