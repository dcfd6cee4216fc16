/**
 * One step of contrastive training on a batch of any size.
 *
 * A batch whose activations fit into memory is one graph: encode, contrast, differentiate, update; or, where several cores or
 * processes share it, the step of kept-step.ts. A larger one goes through the gradient cache (Gao et al., 2021): every photo is
 * encoded without remembering how; the loss says what each embedding should change; then groups of photos are encoded again, and
 * their share of the gradient is added up; at last the optimiser runs. Memory then does not grow with the batch.
 *
 * Several processes share a step, cut or kept, and all know the whole batch: each encodes its share of the distinct photos,
 * gets the embeddings of all, contrasts its share of the samples with all photos, and gets the gradients of its own
 * embeddings from all; what its photos and samples change of the parameters is added up over the processes before each
 * makes the same update. So the negatives are those of the whole batch, and its photos are encoded once, whoever shows them.
 *
 * Letters in shapes: U distinct photos, c photos of a chunk, N chunks, d length of an embedding.
 */

import { Exchange } from '../collectives/exchange.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildUpdate, gradientState } from '../graph/training-step.ts';
import { type EngineState, floats, type ModelLoader } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import { Contrast } from './contrast.ts';
import { inTurn, type Span, spans } from './spans.ts';
import {
  backwardModel,
  dealtPhotos,
  encodeModel,
  fusedModel,
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

/**
 * A step in parts.
 * @param state parameters, slots and `gradientState`
 * @param group the processes that share the step, as many as the description says; all have the same state and give the same batches
 */
export async function cutStep<Batch>(
  engine: ModelLoader,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
  group: ProcessGroup,
): Promise<ContrastiveStep<Batch>> {
  const { chunk } = plan;
  const { dimension } = description.encoder;
  const encode = await engine.load(encodeModel(description, layout), state);
  const contrast = await Contrast.load(engine, state, layout, description, group);
  const backward = await engine.load(backwardModel(description, layout, plan), state);
  const update = await engine.load(buildUpdate(layout, description.update), state);

  return async (batch, photos, scalars) => {
    const exchange = new Exchange(group);
    const { rows, parts, own } = dealtPhotos(photos.count, plan, group);
    const lengths = parts.map((part) => part * dimension);
    const embeddings = new Float32Array(rows * dimension);
    await inTurn(
      spans(own, chunk),
      ({ from, to }) => photoFeeds(photos, from, to),
      (values) => encode.run({}, values),
      ({ from }, results) => embeddings.set(floats(results, 'embeddings'), from * dimension),
    );
    await exchange.wait(group.allGather(embeddings, lengths));

    const contrasted = await contrast.run(batch, embeddings);
    const { gradient, losses } = contrasted;
    const [seeds] = await Promise.all([exchange.parts(gradient, lengths), group.allReduce(losses)]);

    const seedOf = ({ from, to }: Span) =>
      seeds.slice((from - own.from) * dimension, (to - own.from) * dimension);
    await inTurn(
      spans(own, chunk * plan.group),
      (span) => ({ ...photoFeeds(photos, span.from, span.to), seed: seedOf(span) }),
      (values) => backward.run({}, values),
    );
    const total = (await state.read([gradientState]))[gradientState]!;
    contrast.addOwn(contrasted, total);
    const summed = { [gradientState]: await exchange.sum(total) };
    const updated = numbersOf(await update.run(scalars, summed), ['gradientNorm']);
    return { ...contrast.named(losses), ...updated, ...(group.size > 1 ? exchange.figures : {}) };
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

export function numbersOf(results: NamedValues, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, floats(results, name)[0]!]));
}
