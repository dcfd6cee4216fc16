/** What every objective has to do, see index.ts. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { type Dataset, NONE, splits } from '../data/dataset.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';
import { loadDataset } from '../data/store.ts';
import { createEncoder } from '../encoders/index.ts';
import { gradients } from '../graph/differentiate.ts';
import { buildModel } from '../graph/onnx.ts';
import { createOptimizer, type Optimizer } from '../graph/optimizers.ts';
import { bindToVector, initialValues, layoutOf, parametersOf } from '../graph/parameters.ts';
import { input } from '../graph/tensor.ts';
import { gradientState, scalarFeeds } from '../graph/training-step.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';

import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { createStep } from '../training/create-step.ts';
import { checkpointFile } from '../training/run-start.ts';
import { isFused, type StepDescription, type StepPlan, stepParameters } from '../training/step-models.ts';
import { encoderFile } from '../training/written-encoder.ts';
import { type ObjectiveConfig, objectiveNames, objectiveSettings, withLesson } from './index.ts';
import type { Lesson, PhotoBatch } from './objective.ts';

const dimension = 16;
const lessonConfig = { batchSize: 8, candidates: 3, history: 3, seed: 1, dimension };

/** Settings with which an objective uses all that it has, in the small. */
const variants: Readonly<Record<string, ObjectiveConfig>> = Object.fromEntries([
  ...objectiveNames
    .filter((name) => name !== 'courier')
    .map((name) => [name, objectiveSettings.parse(name === 'scl' ? { name, queue: 12 } : { name })]),
  ...[
    {},
    { form: 'full-attention' },
    { form: 'self-attention' },
    { form: 'mean' },
    { contrast: false },
    { negatives: 'clicked' },
    { projectionHead: true },
    { clickWeight: 0.5 },
  ].map((settings) => [
    `courier ${JSON.stringify(settings)}`,
    objectiveSettings.parse({ heads: 2, temperature: 0.2, ...settings }),
  ]),
]);
const none: readonly number[] = [];
/** Objectives whose losses are taken of the first numbers of embeddings, too. */
const cut = ['scl', 'simclr', 'clip', 'courier {}', 'courier {"form":"full-attention"}'];
const trained = [
  ...Object.entries(variants).map(([title, objective]) => ({ title, objective, prefixes: none })),
  ...cut.map((title) => ({ title: `${title}, prefixes`, objective: variants[title]!, prefixes: [4, 8] })),
];

describe('objectives', () => {
  let folder: string;
  let path: string;
  let dataset: Dataset;
  let engine: Engine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    path = await tinyDataset(folder);
    dataset = await loadDataset(path);
    engine = Engine.start({ threads: 1 });
  });
  afterAll(async () => {
    dataset.images.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** An embedding for each photo that nothing learns. */
  const embedAnyhow = async (photos: Int32Array) =>
    Float32Array.from({ length: photos.length * dimension }, (_, place) =>
      Math.sin(1 + photos[Math.floor(place / dimension)]! * 7.3 + (place % dimension) * 1.7),
    );

  interface Training {
    readonly optimizer: Optimizer;
    readonly learningRate: number;
    readonly steps: number;
    /** Whether every step sees the same batch. */
    readonly again: boolean;
    readonly plan: StepPlan;
  }

  /** Some steps, their losses, and what they did to the parameters. */
  async function train<Batch extends PhotoBatch>(
    { objective, sampler, photos, memory }: Lesson<Batch>,
    { optimizer, learningRate, steps, again, plan }: Training,
  ) {
    const encoder = createEncoder({ head: 'mean', side: 16, ...tinyPretraining.encoder });
    const description: StepDescription<Batch> = {
      encoder,
      objective,
      samples: sampler.batchSize,
      photos,
      augmented: false,
      processes: 1,
      update: { optimizer, clipNorm: 1, averageDecay: null },
    };
    const tensors = stepParameters(description);
    const layout = layoutOf(tensors);
    const parameters = initialValues(tensors, Random.seeded(2, 'parameters'));
    const zeros = () => new Float32Array(layout.size);
    const sum = isFused(description, plan) ? {} : { [gradientState]: zeros() };
    const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros()]));
    const state = await engine.createState({ parameters, ...slots, ...sum });
    const step = await createStep(engine, state, layout, description, plan);
    const losses: number[] = [];
    const first = sampler.next();
    for (let t = 1; t <= steps; t++) {
      const batch = again || t === 1 ? first : sampler.next();
      await memory?.recall(batch, embedAnyhow);
      const read = (from: number, to: number) =>
        dataset.images.read(batch.photos.subarray(from, to), to - from);
      const feeds = { count: batch.photos.length, read, draws: {} };
      losses.push((await step(batch, feeds, scalarFeeds(optimizer, t, learningRate)))['loss']!);
    }
    const after = (await state.read())['parameters']!;
    return { update: after.map((value, index) => value - parameters[index]!), losses };
  }

  it.each(trained)(
    'the loss of a batch falls when it is learned again and again: $title',
    async ({ objective, prefixes }) => {
      const optimizer = createOptimizer({ name: 'adamw', weightDecay: 0 });
      const training = {
        optimizer,
        learningRate: 0.01,
        steps: 60,
        again: true,
        plan: { chunk: 8, group: 100 },
      };
      const { losses } = await withLesson(objective, { ...lessonConfig, prefixes }, dataset, (lesson) =>
        train(lesson, training),
      );
      expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.03);
    },
  );

  it.each(trained)(
    'the update does not depend on how a step is cut: $title',
    async ({ objective, prefixes }) => {
      const optimizer = createOptimizer({ name: 'sgd', momentum: 0, weightDecay: 0 });
      const run = (plan: StepPlan) =>
        withLesson(objective, { ...lessonConfig, prefixes }, dataset, (lesson) =>
          train(lesson, { optimizer, learningRate: 0.1, steps: 2, again: false, plan }),
        );
      const whole = await run({ chunk: 8, group: 100 });
      const cut = await run({ chunk: 3, group: 2 });
      const longest = Math.max(...whole.update.map(Math.abs));
      expect(longest).toBeGreaterThan(1e-4);
      // An update is the difference of parameters of up to about 1, which float32 rounds.
      const rounding = 2 ** -23;
      for (const [index, value] of cut.update.entries())
        expect(Math.abs(value - whole.update[index]!)).toBeLessThan(1e-5 * longest + rounding);
      for (const [t, loss] of cut.losses.entries()) expect(loss).toBeCloseTo(whole.losses[t]!, 5);
    },
  );

  /** The loss of a batch as a function of its embeddings (U, d) and all other parameters (P), with its gradient. */
  async function lossOf<Batch extends PhotoBatch>({ objective, sampler, memory }: Lesson<Batch>) {
    const batch = sampler.next();
    await memory?.recall(batch, embedAnyhow);
    const rows = batch.photos.length;
    const embeddings = input('embeddings', 'float32', [rows, dimension]);
    const { loss } = objective.loss(embeddings, sampler.batchSize);
    const parameters = parametersOf([loss]);
    const layout = layoutOf(parameters);
    const vector = input('parameters', 'float32', [Math.max(1, layout.size)]);
    const bindings = parameters.length === 0 ? new Map() : bindToVector(parameters, layout, vector);
    const [first, ...rest] = gradients(loss, [embeddings, ...parameters]);
    const named = rest.map((gradient, index) => [`gradient${index}`, gradient] as const);
    const outputs = { loss, gradient: first!, ...Object.fromEntries(named) };
    const session = await engine.load(buildModel({ outputs, bindings, openAxes: objective.openAxes ?? {} }));
    const { whole } = objective.feeds(batch, rows);
    const start = [await unitRows(rows), initialValues(parameters, Random.seeded(3, 'parameters'))] as const;
    return {
      start: Float32Array.of(...start[0], ...start[1]),
      /** Names of the values of `start`, the embeddings' own first. */
      names: [
        ...Array<string>(rows * dimension).fill('embeddings'),
        ...layout.places.flatMap(({ name, size }) => Array<string>(size).fill(name)),
      ],
      async at(point: Float32Array) {
        const parts = {
          embeddings: point.slice(0, rows * dimension),
          parameters: point.slice(rows * dimension),
        };
        const results = await session.run({ ...whole, ...parts });
        const all = [floats(results, 'gradient'), ...named.map(([name]) => floats(results, name))];
        return {
          loss: floats(results, 'loss')[0]!,
          gradient: Float32Array.from(all.flatMap((values) => [...values])),
        };
      },
    };
  }

  const unitRows = async (rows: number) => {
    const vectors = await embedAnyhow(Int32Array.from({ length: rows }, (_, row) => row));
    for (let row = 0; row < rows; row++) {
      const vector = vectors.subarray(row * dimension, (row + 1) * dimension);
      const length = Math.hypot(...vector);
      for (let column = 0; column < dimension; column++) vector[column]! /= length;
    }
    return vectors;
  };

  it.each(trained)(
    'the gradient is what central differences give: $title',
    async ({ title, objective, prefixes }) => {
      const loss = await withLesson(objective, { ...lessonConfig, prefixes }, dataset, lossOf);
      const { gradient } = await loss.at(loss.start);
      const random = Random.seeded(4, 'directions');
      for (let trial = 0; trial < 6; trial++) {
        // Along half of the gradient, which half being left to chance: wrong entries cannot make up for each other.
        const part = gradient.map((value, place) => {
          // SimSiam's gradient leaves out, by design, that what is predicted also depends on the encoder.
          const differentiable = title !== 'simsiam' || loss.names[place]!.startsWith('predictor');
          return differentiable && random.uniform() < 0.5 ? value : 0;
        });
        const length = Math.hypot(...part);
        expect(length).toBeGreaterThan(1e-5);
        const step = 2e-3;
        const moved = (sign: number) =>
          loss.start.map((value, place) => value + (sign * step * part[place]!) / length);
        const [after, before] = [await loss.at(moved(1)), await loss.at(moved(-1))];
        const difference = (after.loss - before.loss) / (2 * step);
        expect(Math.abs(difference - length)).toBeLessThan(0.01 * length + 2e-4);
      }
    },
  );

  /** The dataset with everything changed that comes after the training period. */
  function changedLater(): Dataset {
    const { catalogue, pageViews, exposures } = dataset;
    const train = splits.indexOf('train');
    const history = pageViews.history.slice();
    const [item, clicked] = [exposures.item.slice(), exposures.clicked.slice()];
    const known = new Set(trainingPhotos(dataset));
    for (const [pageView, split] of pageViews.split.entries()) {
      if (split === train) continue;
      history.fill(NONE, pageView * pageViews.historyLength, (pageView + 1) * pageViews.historyLength);
      for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
        item[row] = (item[row]! + 1) % catalogue.ids.length;
        clicked[row] = 1 - clicked[row]!;
      }
    }
    const titles = catalogue.titles.map((title, index) =>
      known.has(catalogue.photo[index]!) ? title : 'changed changed',
    );
    return {
      ...dataset,
      catalogue: { ...catalogue, titles },
      pageViews: { ...pageViews, history },
      exposures: { ...exposures, item, clicked },
    };
  }

  it.each(trained)(
    'batches know nothing of what comes after the training period: $title',
    ({ objective, prefixes }) => {
      const feedsOf = (source: Dataset) =>
        withLesson(objective, { ...lessonConfig, prefixes }, source, ({ objective: taught, sampler }) =>
          Array.from({ length: 30 }, () => {
            const batch = sampler.next();
            return { batch, feeds: taught.feeds(batch, batch.photos.length).whole };
          }),
        );
      expect(feedsOf(changedLater())).toEqual(feedsOf(dataset));
    },
  );

  it.each([
    [{ name: 'simsiam' }, [4], 'simsiam has no contrastive loss'],
    [{ name: 'supervised' }, [4], 'supervised has no contrastive loss'],
    [{ contrast: false }, [4], 'courier without contrast has no contrastive loss'],
    [{ projectionHead: true }, [4], 'projection head see all numbers of an embedding mixed'],
    [{ heads: 2 }, [8, 16, 20], 'asks for the first 16, 20 of 16 numbers'],
  ])('prefixes that cannot be learned are refused in words: %j, %j', (objective, prefixes, message) => {
    const parsed = objectiveSettings.parse(objective);
    const teach = () => withLesson(parsed, { ...lessonConfig, prefixes }, dataset, () => null);
    expect(teach).toThrow(message);
  });

  describe.each(objectiveNames)('%s', (name) => {
    const objective = Object.values(variants).find((config) => config.name === name)!;
    const settings = { ...tinyPretraining, objective, patience: null };

    it('stopped anywhere, goes on to the bytes that the same seed gives undisturbed', async () => {
      const [whole, stopped] = [await temporaryFolder(), await temporaryFolder()];
      const shorter = { ...settings, dataset: path, steps: 7, validateEvery: 3, checkpointEvery: 2 };
      await pretrain({ ...shorter, out: whole });
      for (const end of [3, 5]) {
        const stop = new AbortController();
        const listen = (event: { kind: string; done?: number }) => {
          if (event.kind === 'advance' && event.done === end) stop.abort();
        };
        const run = pretrain({ ...shorter, out: stopped }, { progress: listen, signal: stop.signal });
        await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
      }
      await pretrain({ ...shorter, out: stopped });
      for (const file of [checkpointFile, encoderFile]) {
        const [expected, found] = await Promise.all(
          [whole, stopped].map((folder) => readFile(join(folder, file))),
        );
        expect(found!.equals(expected!), file).toBe(true);
      }
    });
  });
});
