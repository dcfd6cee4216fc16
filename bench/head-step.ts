/** A whole training step of COURIER with a head on features that were computed before, up to the paper's batch. */
import { availableParallelism } from 'node:os';
import type { ClickBatch } from '../src/data/click-sampler.ts';
import { featureHead } from '../src/encoders/feature-head.ts';
import { createOptimizer } from '../src/graph/optimizers.ts';
import { initialValues, layoutOf } from '../src/graph/parameters.ts';
import { gradientState, scalarFeeds } from '../src/graph/training-step.ts';
import { courierObjective, courierSettings } from '../src/objectives/courier.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import { usableMemory } from '../src/runtime/memory.ts';
import { createStep } from '../src/training/contrastive-step.ts';
import { isFused, type StepDescription, stepParameters } from '../src/training/step-models.ts';
import { planStep } from '../src/training/step-plan.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const [components, hidden, candidates, places] = [512, 512, 5, 5];

/** Samples of a batch and the distinct photos that they name: those of a catalogue repeat. */
const cases = [
  { samples: 384, photos: 2253, dimension: 128 },
  { samples: 384, photos: 2253, dimension: 256 },
  { samples: 3072, photos: 11_000, dimension: 256 },
  { samples: 3072, photos: 30_720, dimension: 256 },
];

/** Rounds that are not counted: memory is taken. */
const warmUp = 2;

export const headStep: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const each of cases) {
    const title = `${each.samples} samples, ${each.photos} photos, ${each.dimension} numbers`;
    if (!title.includes(only)) continue;
    const seconds = await secondsOf(each, warmUp + rounds);
    const counted = seconds.slice(warmUp);
    rows.push(
      rowOf(title, 's a step', 'lower', counted, {}),
      rowOf(
        title,
        'photos/s',
        'higher',
        counted.map((taken) => each.photos / taken),
        {},
      ),
    );
    for (const row of rows.slice(-2)) say(describeRow(row));
  }
  return { rows, missing: [] };
};

async function secondsOf({ samples, photos, dimension }: (typeof cases)[number], rounds: number) {
  const description: StepDescription<ClickBatch> = {
    encoder: featureHead({ head: { name: 'both', hidden, dropout: 0 }, components, grids: [], dimension }),
    objective: courierObjective(courierSettings.parse({}), { candidates, history: places }),
    samples,
    photos,
    augmented: false,
    update: {
      optimizer: createOptimizer({ name: 'adamw', weightDecay: 0.01 }),
      clipNorm: 1,
      averageDecay: null,
    },
  };
  const random = Random.seeded(1, 'bench');
  const named = (length: number) => Int32Array.from({ length }, () => random.integer(photos));
  const ones = (length: number) => new Float32Array(length).fill(1);
  const history = named(samples * places);
  const batch: ClickBatch = {
    photos: Int32Array.from({ length: photos }, (_, row) => row),
    clicked: named(samples),
    candidates: named(samples * candidates),
    candidateMask: ones(samples * candidates),
    history,
    historyMask: ones(samples * places),
    newest: history.filter((_, place) => place % places === 0),
  };
  const features = Float32Array.from({ length: photos * components }, () => random.normal());
  const tensors = stepParameters(description);
  const layout = layoutOf(tensors);
  const engine = Engine.start({ threads: availableParallelism() });
  try {
    const plan = await planStep(engine, layout, description, usableMemory() / 2);
    const { optimizer } = description.update;
    const zeros = () => new Float32Array(layout.size);
    const state = await engine.createState({
      parameters: initialValues(tensors, random),
      ...Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros()])),
      ...(isFused(description, plan) ? {} : { [gradientState]: zeros() }),
    });
    const step = await createStep(engine, state, layout, description, plan);
    const read = (from: number, to: number) => {
      const some = new Float32Array((to - from) * components);
      some.set(features.subarray(from * components, to * components));
      return some;
    };
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const start = performance.now();
      await step(batch, { count: photos, read, draws: {} }, scalarFeeds(optimizer, round, 1e-3));
      seconds.push((performance.now() - start) / 1000);
    }
    return seconds;
  } finally {
    await engine.close();
  }
}
