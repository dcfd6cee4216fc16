/**
 * One step of contrastive training on a batch of any size.
 *
 * A batch whose activations fit into memory is one graph: encode, contrast, differentiate, update. A larger one
 * goes through the gradient cache (Gao et al., 2021): every photo is encoded without remembering how; the loss
 * says what each embedding should change; then groups of photos are encoded again, and their share of the
 * gradient is added up; at last the optimiser runs. Memory then does not grow with the batch.
 *
 * Letters in shapes: U distinct photos, c photos of a chunk, N chunks, d length of an embedding.
 */

import type { ParameterLayout } from '../graph/parameters.ts';
import { buildUpdate } from '../graph/training-step.ts';
import { type EngineState, floats, type ModelLoader } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import {
  backwardModel,
  contrastModel,
  embeddingGradient,
  encodeModel,
  fusedModel,
  lossBlock,
  type StepDescription,
  type StepPlan,
  wholeChunks,
} from './step-models.ts';

/** Distinct photos and what is drawn for each of them, in the same order. */
export interface PhotoFeeds {
  /**
   * The photos from `from` to `to`, zeros beyond the last: (to - from, …) of what the encoder sees. They are handed over to the
   * engine, so what has been read once is gone unless it is read anew.
   */
  read(from: number, to: number): Uint8Array | Float32Array;
  /** By input name; none without augmentation. */
  readonly draws: Readonly<Record<string, Float32Array>>;
  readonly count: number;
}

/** Takes the photos of a batch and its samples, changes the parameters, and gives losses by name. */
export type ContrastiveStep<Batch> = (
  batch: Batch,
  photos: PhotoFeeds,
  scalars: NamedValues,
) => Promise<Readonly<Record<string, number>>>;

/** A step whose batch is one graph. @param state parameters and slots */
export async function fusedStep<Batch>(
  engine: ModelLoader,
  state: EngineState,
  description: StepDescription<Batch>,
  { chunk }: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  const { model, losses } = fusedModel(description, { chunk });
  const session = await engine.load(model, state);
  return async (batch, photos, scalars) => {
    const rows = wholeChunks(photos.count, chunk);
    const { whole } = description.objective.feeds(batch, rows);
    const results = await session.run({ ...whole, ...scalars }, photoFeeds(photos, 0, rows));
    return numbersOf(results, [...losses, 'gradientNorm']);
  };
}

/** A step in parts. @param state parameters, slots and `gradientState` */
export async function cutStep<Batch>(
  engine: ModelLoader,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  const { encoder, objective } = description;
  const { chunk, group } = plan;
  const { dimension } = encoder;
  const encode = await engine.load(encodeModel(description, layout), state);
  const contrast = await engine.load(contrastModel(description, layout), state);
  const backward = await engine.load(backwardModel(description, layout, plan), state);
  const update = await engine.load(buildUpdate(layout, description.update), state);

  return async (batch, photos, scalars) => {
    const rows = wholeChunks(photos.count, chunk);
    const embeddings = new Float32Array(rows * dimension);
    await inTurn(
      spans(rows, chunk),
      ({ from, to }) => photoFeeds(photos, from, to),
      (values) => encode.run({}, values),
      ({ from }, results) => embeddings.set(floats(results, 'embeddings'), from * dimension),
    );

    await contrast.hold({ embeddings });
    const feeds = objective.feeds(batch, rows);
    const gradient = new Float32Array(rows * dimension);
    const losses: Record<string, number> = {};
    const block = lossBlock(description);
    const blocks = spans(description.samples, block);
    await inTurn(
      blocks,
      ({ from }) => feeds.block(from, block),
      (values) => contrast.run(values),
      (_, results) => {
        for (const [name, values] of Object.entries(results)) {
          if (name === embeddingGradient) addTo(gradient, floats(results, name));
          else losses[name] = (losses[name] ?? 0) + Number(values[0]);
        }
      },
    );
    await contrast.hold({});

    await inTurn(
      spans(rows, chunk * group),
      ({ from, to }) => ({
        ...photoFeeds(photos, from, to),
        seed: gradient.slice(from * dimension, to * dimension),
      }),
      (values) => backward.run({}, values),
    );
    return { ...losses, ...numbersOf(await update.run(scalars), ['gradientNorm']) };
  };
}

/** The photos from `from` to `to` and their draws, zeros beyond the last: arrays that nobody else has. */
export function photoFeeds(photos: PhotoFeeds, from: number, to: number): NamedValues {
  const draws = Object.entries(photos.draws).map(([name, values]) => {
    const width = values.length / photos.count;
    const part = new Float32Array((to - from) * width);
    part.set(values.subarray(from * width, to * width));
    return [name, part];
  });
  return { photos: photos.read(from, to), ...Object.fromEntries(draws) };
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export function spans(count: number, size: number): readonly Span[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    from: index * size,
    to: Math.min((index + 1) * size, count),
  }));
}

/** Runs each span; while one runs in its thread, the values of the next are put together. */
async function inTurn(
  all: readonly Span[],
  prepare: (span: Span) => NamedValues,
  run: (values: NamedValues) => Promise<NamedValues>,
  use: (span: Span, results: NamedValues) => void = () => {},
): Promise<void> {
  let prepared = prepare(all[0]!);
  for (const [index, span] of all.entries()) {
    const running = run(prepared);
    const next = all[index + 1];
    if (next !== undefined) prepared = prepare(next);
    use(span, await running);
  }
}

export function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}

export function numbersOf(results: NamedValues, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, floats(results, name)[0]!]));
}
