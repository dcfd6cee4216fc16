/**
 * One step of contrastive training that keeps the activations of all photos between its two passes, each core those of its own:
 * it encodes its share of the photos with one thread, and goes back through them once the loss says what their embeddings
 * should change. Cores that share every operator instead wait for each other at its end, and find little of what it reads in
 * their own caches. Several processes do the same with their cores, and meet for the embeddings, the loss and the gradient.
 * Photos that are computed together, such as those of a head, are one share of a process, for all of its cores.
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
import { free } from '../runtime/hand-over.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import { Contrast, sumOf } from './contrast.ts';
import { type ContrastiveStep, numbersOf, photoFeeds } from './contrastive-step.ts';
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
  const shares = await sharesOf(engine, state, models, layout, count);
  const contrast = await Contrast.load(engine, state, layout, description, group);
  const memory = new SharedMemory();
  const update = await engine.load(buildUpdate(layout, description.update), state);

  return async (batch, photos, scalars) => {
    const exchange = new Exchange(group);
    const { rows, parts, own } = dealtPhotos(photos.count, plan, group);
    const dealt = spans(own, (own.to - own.from) / count);
    const lengths = parts.map((part) => part * dimension);
    const parameters = count === 1 ? {} : memory.taken(await state.read(['parameters']));
    const embeddings = memory.floats('embeddings', rows * dimension);
    const seen = await Promise.all(
      shares.map(async (share, index) => {
        const { from, to } = dealt[index]!;
        const feeds = { ...share.memory.taken(photoFeeds(photos, from, to)), ...parameters };
        await share.encode(feeds, embeddings.subarray(from * dimension, to * dimension));
        return feeds;
      }),
    );
    await exchange.wait(group.allGather(embeddings, lengths));

    const contrasted = await contrast.run(batch, embeddings);
    const { gradient, losses } = contrasted;
    const [seeds] = await Promise.all([exchange.parts(gradient, lengths), group.allReduce(losses)]);
    free([gradient]);

    const seedOf = ({ from, to }: Span) =>
      seeds.subarray((from - own.from) * dimension, (to - own.from) * dimension);
    const found = await Promise.all(
      shares.map((share, index) => share.back({ ...seen[index]!, seed: seedOf(dealt[index]!) })),
    );
    free([seeds]);
    const total = found.reduce(sumOf);
    contrast.addOwn(contrasted, total);
    await exchange.sum(total);
    const updated = await update.run({ ...scalars, [gradientState]: total });
    return {
      ...contrast.named(losses),
      ...numbersOf(updated, ['gradientNorm']),
      ...(group.size > 1 ? exchange.figures : {}),
    };
  };
}

/** One share is computed with all cores, and with the parameters where they are; several have an engine each, which is fed them. */
function sharesOf(
  engine: SharedLoader,
  state: EngineState,
  models: ReturnType<typeof shareModels>,
  layout: ParameterLayout,
  count: number,
): Promise<readonly Share[]> {
  if (count === 1) return Promise.all([Share.load(engine, state, models, layout)]);
  return Promise.all(
    engine.perCore(count).map(async (core) => Share.load(core, await core.createState({}), models, layout)),
  );
}

/** Some photos, with their activations between the two passes over them. */
class Share {
  readonly memory = new SharedMemory();
  readonly #forward: Session;
  readonly #backward: Session;
  readonly #gradient: Float32Array;

  private constructor(forward: Session, backward: Session, { size }: ParameterLayout) {
    this.#forward = forward;
    this.#backward = backward;
    this.#gradient = this.memory.floats('gradient', size);
  }

  /** @param state with which stays what the first model keeps for the second */
  static async load(
    core: ModelLoader,
    state: EngineState,
    { forward, backward }: ReturnType<typeof shareModels>,
    layout: ParameterLayout,
  ) {
    return new Share(await core.load(forward, state), await core.load(backward, state), layout);
  }

  /** Photos, and parameters where the state has none → `place`, the embeddings (N · c, d). */
  async encode(feeds: NamedValues, place: Float32Array): Promise<void> {
    const embeddings = floats(await this.#forward.run(feeds), 'embeddings');
    place.set(embeddings);
    free([embeddings]);
  }

  /** The same, and the gradients of the embeddings → that of the parameters (P), which lasts until the next. */
  async back(feeds: NamedValues): Promise<Float32Array> {
    await this.#backward.run(feeds, {}, { gradient: this.#gradient });
    return this.#gradient;
  }
}
