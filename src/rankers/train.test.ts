import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../test/support/measured.ts';
import { numbersOf } from '../../test/support/numbers.ts';
import { itemCodes, type TinyLog, tinyLog } from '../../test/support/tiny-log.ts';
import { numericRows } from '../data/counters/numeric-rows.ts';
import { type Split, splits } from '../data/dataset.ts';
import type { VisualInputs } from '../features/feature.ts';
import { createFeature, featureSet } from '../features/index.ts';
import { auc } from '../metrics/auc.ts';
import { type Progress, type ProgressEvent, silent } from '../progress.ts';
import { Engine } from '../runtime/engine.ts';
import { type RankerConfigInput, rankerConfig } from './config.ts';
import { rowsOfSplit } from './fields.ts';
import type { RankerState } from './model.ts';
import { type RankerResult, type RankerTraining, trainRanker } from './train.ts';

const { data, embeddings } = tinyLog();
const inputs: VisualInputs = { embeddings, clusters: [itemCodes('cluster_6', 6, data)], semanticIds: [] };
const small = {
  minimumCount: 2,
  batchSize: 250,
  epochs: 3,
  embeddingDimension: 4,
  learningRate: 0.005,
  hiddenWidths: [16],
};

/** All rows of a split clicked, or none of them. */
function oneClass(split: Split, label: number): TinyLog {
  const clicked = data.exposures.clicked.slice();
  for (const row of rowsOfSplit(data, split)) clicked[row] = label;
  return { ...data, exposures: { ...data.exposures, clicked } };
}

/** The page views of the validation split as test page views. */
function withoutValidation(): TinyLog {
  const split = data.pageViews.split.map((place) => (splits[place] === 'train' ? 0 : 2));
  return { ...data, pageViews: { ...data.pageViews, split } };
}

describe('training a ranker', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 2 });
  });
  afterAll(() => engine.close());

  async function trainWhole(
    features: string,
    options: RankerConfigInput = {},
    dataset = data,
    base: RankerState | null = null,
    progress: Progress = silent,
    seed = 1,
    course: RankerTraining['course'] = 'passes',
  ) {
    const feature = features === 'none' ? null : createFeature(featureSet(features), dataset, inputs);
    const config = rankerConfig.parse({ ...small, ...options });
    const rows = rowsOfSplit(dataset, 'train');
    const how = { rows, course, signal: undefined, checkpoint: null };
    const trained = await trainRanker({ dataset, feature, config, seed, engine, progress, base, ...how });
    await trained.model.release();
    return trained;
  }

  async function train(...words: Parameters<typeof trainWhole>): Promise<RankerResult> {
    return (await trainWhole(...words)).result;
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

  it('learns the same rule from cluster ids', async () => {
    expect(testAuc(await train('cluster-id', { epochs: 8 }))).toBeGreaterThan(0.9);
  });

  it('learns the same rule from nearness in attention alone, from nothing and warm', async () => {
    expect(testAuc(await train('attention-cosine', { epochs: 8 }))).toBeGreaterThan(0.9);
    const base = await trainWhole('none');
    const on = await train('attention-cosine', { epochs: 8 }, data, base.state);
    expect(testAuc(on)).toBeGreaterThan(0.9);
  });

  it.each(['sim-tier', 'sim-retrieved'])('learns from %s', async (set) => {
    // The rule is that of a page view's own history; what is retrieved from all clicks of a user does not tell it.
    const learned = testAuc(await train(set));
    if (set === 'sim-tier') expect(learned).toBeGreaterThan(0.95);
    expect(learned).toBeGreaterThan(0.4);
  });

  it('goes on from a ranker without images, and learns what images add', async () => {
    const base = await trainWhole('none');
    const [on, without] = [
      await train('sim-score', {}, data, base.state),
      await train('none', {}, data, base.state),
    ];
    expect(testAuc(on)).toBeGreaterThan(0.95);
    expect(testAuc(without)).toBeLessThan(0.8);
  });

  it('tells how far each category lets the visual side through', async () => {
    const { gates } = await train('sim-score');
    expect(gates.map(({ category }) => category).sort()).toEqual(['a', 'b', 'unknown']);
    expect(gates.reduce((sum, { exposures }) => sum + exposures, 0)).toBe(800);
    expect(gates.every(({ opening }) => opening > 0.5 && opening < 1)).toBe(true);
    expect((await train('none', { epochs: 1 })).gates).toEqual([]);
  });

  it('refuses a gate by a category that the dataset does not have', async () => {
    await expect(train('vector', { gateCategory: 'shade' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('shade'),
      remedy: expect.stringContaining('kind'),
    });
  });

  it('trains on columns of one value, which tell nothing', async () => {
    const { catalogue, pageViews, exposures } = data;
    const flat = {
      ...data,
      users: ['only'],
      catalogue: {
        ...catalogue,
        categories: [{ name: 'kind', values: ['unknown', 'a'], codes: catalogue.photo.map(() => 1) }],
      },
      pageViews: { ...pageViews, user: pageViews.user.map(() => 0) },
      exposures: {
        ...exposures,
        numeric: numericRows(exposures.numeric.names, numbersOf(exposures).fill(3)),
      },
    };
    const result = await train('sim-score', {}, flat);
    expect(testAuc(result)).toBeGreaterThan(0.95);
    expect(result.gates).toMatchObject([{ category: 'a', exposures: 800 }]);
  });

  it('refuses a training split of one class before anything is trained', async () => {
    for (const label of [0, 1]) {
      await expect(train('none', {}, oneClass('train', label))).rejects.toMatchObject({
        code: 'SPLIT_EMPTY',
        message: `The training split has ${label * 3600} clicked and ${(1 - label) * 3600} unclicked exposures; a ranker learns from both.`,
      });
    }
  });

  it('scores a test split in which nothing is clicked', async () => {
    const whole = await train('none', { epochs: 1 });
    const flat = await train('none', { epochs: 1 }, oneClass('test', 0));
    expect(flat.testScores).toEqual(whole.testScores);
  });

  it.each([
    [
      'in which every exposure is clicked',
      oneClass('validation', 1),
      'AUC is undefined: every row is clicked.',
    ],
    ['without exposures', withoutValidation(), 'AUC is undefined: there are no rows.'],
  ])('trains to the end and keeps the last weights with a validation split %s', async (_, dataset, why) => {
    const options = { epochs: 2, patience: 1, evaluationsPerEpoch: 3 };
    const details: (string | undefined)[] = [];
    const listen: Progress = (event) => event.kind === 'end' && details.push(event.detail);
    const { result, state } = await trainWhole('none', options, dataset, null, listen);
    expect(result.validationAuc).toEqual({ kind: 'undefined', why });
    expect(result.curve.map(({ validationAuc }) => validationAuc)).toEqual(Array(6).fill(null));
    expect([result.steps, state.step]).toEqual([30, 30]);
    expect(details).toEqual([`no validation AUC, the last weights are kept: ${why}`]);
  });

  it('gives identical scores for the same seed, others for another', async () => {
    const first = await train('vector', { epochs: 1 });
    const again = await train('vector', { epochs: 1 });
    expect(again.testScores).toEqual(first.testScores);
    expect(again.curve).toEqual(first.curve);
    const other = await train('vector', { epochs: 1 }, data, null, silent, 2);
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
    const aucs = result.curve.flatMap(({ validationAuc }) => validationAuc ?? []);
    const best = defined(result.validationAuc);
    expect(best).toBe(Math.max(...aucs));
    expect(aucs.indexOf(best)).toBe(aucs.length - 3);
    expect(result.curve.map(({ step }) => step)).toEqual(aucs.map((_, index) => 5 * (index + 1)));
    expect(result.steps).toBe(5 * aucs.length);
  });

  it('learns with Adam for the embeddings too', async () => {
    expect(testAuc(await train('sim-score', { tableOptimizer: 'adam' }))).toBeGreaterThan(0.95);
  });

  it('tells its progress in steps', async () => {
    const events: ProgressEvent[] = [];
    await train('none', { epochs: 1 }, data, null, (event) => events.push(event));
    expect(events[0]).toEqual({ kind: 'start', stage: 'Train din, none', total: 15, unit: 'steps' });
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'advance', 'advance', 'end']);
  });

  it('says that it diverged', async () => {
    const options = { learningRate: 1e30, tableLearningRate: 1e30 };
    await expect(train('vector', options)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
  });

  it('once goes over its exposures in the order of time, and keeps the last weights whatever their AUC', async () => {
    const looks = 3;
    const passes = await train('none', { epochs: 1, evaluationsPerEpoch: looks });
    const once = await train(
      'none',
      { epochs: 7, evaluationsPerEpoch: looks },
      data,
      null,
      silent,
      1,
      'once',
    );
    const perPass = passes.steps;
    expect([once.steps, once.curve.map(({ step }) => step)]).toEqual([perPass, [perPass]]);
    expect(passes.curve.length).toBeGreaterThan(1);
    // The order is that of the log, so nothing about it is drawn.
    const again = await train('none', { epochs: 1 }, data, null, silent, 1, 'once');
    expect(again.testScores).toEqual(once.testScores);
  });
});
