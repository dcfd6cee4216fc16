/**
 * One step of contrastive training that keeps the activations of all photos between its two passes, each core those of its own:
 * it encodes its share of the photos with one thread, and goes back through them once the loss says what their embeddings
 * should change. Cores that share every operator instead wait for each other at its end, and find little of what it reads in
 * their own caches. Several processes do the same with their cores, and meet for the embeddings, the loss and the gradient.
 *
 * Letters in shapes: c photos of a chunk, N chunks of a share, d length of an embedding, P parameters.
 */
import { Exchange } from '../collectives/exchange.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildUpdate, gradientState } from '../graph/training-step.ts';
import {
  type EngineState,
  floats,
  type ModelLoader,
  type Session,
  type SharedLoader,
} from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import { addTo, Contrast } from './contrast.ts';
import { type ContrastiveStep, gradientOf, numbersOf, photoFeeds } from './contrastive-step.ts';
import { SharedMemory } from './shared-memory.ts';
import { type Span, spans } from './spans.ts';
import { dealtPhotos, type StepDescription, type StepPlan, shareModels } from './step-models.ts';

/**
 * @param state parameters, slots and `gradientState`
 * @param group the processes that share the step, as many as the description says; all have the same state and give the same batches
 */
export async function keptStep<Batch>(
  engine: SharedLoader,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
  group: ProcessGroup,
): Promise<ContrastiveStep<Batch>> {
  const { dimension } = description.encoder;
  const { shares: count = 1 } = plan;
  const models = shareModels(description, layout, plan);
  const cores = count === 1 ? [engine] : engine.perCore(count);
  const shares = await Promise.all(cores.map((core) => Share.load(core, models)));
  const contrast = await Contrast.load(engine, state, layout, description, group);
  const memory = new SharedMemory();
  const update = await engine.load(buildUpdate(layout, description.update), state);

  return async (batch, photos, scalars) => {
    const exchange = new Exchange(group);
    const { rows, parts, own } = dealtPhotos(photos.count, plan, group);
    const dealt = spans(own, (own.to - own.from) / count);
    const lengths = parts.map((part) => part * dimension);
    const parameters = memory.copies(await state.read(['parameters']));
    const embeddings = memory.floats('embeddings', rows * dimension);
    const seen = await Promise.all(
      shares.map(async (share, index) => {
        const { from, to } = dealt[index]!;
        const feeds = { ...share.memory.copies(photoFeeds(photos, from, to)), ...parameters };
        embeddings.set(await share.encode(feeds), from * dimension);
        return feeds;
      }),
    );
    await exchange.wait(group.allGather(embeddings, lengths));

    const { gradient, losses } = await contrast.run(batch, embeddings);
    const [seeds, total] = await Promise.all([
      exchange.parts(gradient, lengths),
      gradientOf(state),
      group.allReduce(losses),
    ]);

    const seedOf = ({ from, to }: Span) =>
      seeds.slice((from - own.from) * dimension, (to - own.from) * dimension);
    const found = await Promise.all(
      shares.map((share, index) => share.back({ ...seen[index]!, seed: seedOf(dealt[index]!) })),
    );
    for (const part of found) addTo(total, part);
    const summed = { [gradientState]: await exchange.sum(total) };
    const updated = numbersOf(await update.run(scalars, summed), ['gradientNorm']);
    return { ...contrast.named(losses), ...updated, ...(group.size > 1 ? exchange.figures : {}) };
  };
}

/** A core, with the activations of its photos between the two passes over them. */
class Share {
  readonly memory = new SharedMemory();
  readonly #forward: Session;
  readonly #backward: Session;

  private constructor(forward: Session, backward: Session) {
    this.#forward = forward;
    this.#backward = backward;
  }

  static async load(core: ModelLoader, { forward, backward }: ReturnType<typeof shareModels>) {
    // What the first model keeps for the second stays with a state that they have in common.
    const state = await core.createState({});
    return new Share(await core.load(forward, state), await core.load(backward, state));
  }

  /** Photos and parameters → embeddings (N · c, d). */
  async encode(feeds: NamedValues): Promise<Float32Array> {
    return floats(await this.#forward.run(feeds), 'embeddings');
  }

  /** The same photos and parameters, and the gradients of the embeddings → that of the parameters (P). */
  async back(feeds: NamedValues): Promise<Float32Array> {
    return floats(await this.#backward.run(feeds), 'gradient');
  }
}
