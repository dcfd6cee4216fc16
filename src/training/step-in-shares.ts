/**
 * One step of contrastive training whose photos are shared out to the cores: each encodes its own with one thread, keeps the
 * activations, and goes back through them once the loss says what its embeddings should change. Cores that share every
 * operator instead wait for each other at its end, and find little of what it reads in their own caches.
 *
 * Letters in shapes: c photos of a chunk, N chunks of a share, d length of an embedding, P parameters.
 */
import { oneProcess } from '../collectives/one-process.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildUpdate, gradientState } from '../graph/training-step.ts';
import {
  type EngineState,
  floats,
  type ModelLoader,
  type Session,
  type SharedLoader,
} from '../runtime/engine.ts';
import { bytesOf } from '../runtime/hand-over.ts';
import type { NamedValues, Values } from '../runtime/protocol.ts';
import { addTo, Contrast } from './contrast.ts';
import { type ContrastiveStep, gradientOf, numbersOf, photoFeeds } from './contrastive-step.ts';
import { type Span, spans } from './spans.ts';
import { type StepDescription, type StepPlan, shareModels, wholeChunks, wholePhotos } from './step-models.ts';

/** @param state parameters, slots and `gradientState` */
export async function stepInShares<Batch>(
  engine: SharedLoader,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  const { dimension } = description.encoder;
  const { shares: count = 1 } = plan;
  const models = shareModels(description, layout, plan);
  const shares = await Promise.all(engine.perCore(count).map((core) => Share.load(core, models)));
  const contrast = await Contrast.load(engine, state, layout, description, oneProcess);
  const memory = new SharedMemory();
  const update = await engine.load(buildUpdate(layout, description.update), state);

  return async (batch, photos, scalars) => {
    const rows = wholeChunks(photos.count, wholePhotos(plan));
    const own = spans({ from: 0, to: rows }, rows / count);
    const parameters = memory.copies(await state.read(['parameters']));
    const embeddings = memory.floats('embeddings', rows * dimension);
    const seen = await Promise.all(
      shares.map(async (share, index) => {
        const { from, to } = own[index]!;
        const feeds = { ...share.memory.copies(photoFeeds(photos, from, to)), ...parameters };
        embeddings.set(await share.encode(feeds), from * dimension);
        return feeds;
      }),
    );

    const { gradient, losses } = await contrast.run(batch, embeddings);
    const total = await gradientOf(state);
    const seedOf = ({ from, to }: Span) => gradient.slice(from * dimension, to * dimension);
    const found = await Promise.all(
      shares.map((share, index) => share.back({ ...seen[index]!, seed: seedOf(own[index]!) })),
    );
    for (const part of found) addTo(total, part);
    const updated = await update.run({ ...scalars, [gradientState]: total });
    return { ...contrast.named(losses), ...numbersOf(updated, ['gradientNorm']) };
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

/** Memory that every thread may read, the same from step to step. */
class SharedMemory {
  readonly #places = new Map<string, SharedArrayBuffer>();

  copies(values: NamedValues): NamedValues {
    return Object.fromEntries(Object.entries(values).map(([name, array]) => [name, this.#copy(name, array)]));
  }

  /** Zeros. */
  floats(name: string, length: number): Float32Array {
    return new Float32Array(this.#place(name, 4 * length), 0, length).fill(0);
  }

  #copy(name: string, values: Values): Values {
    const place = this.#place(name, values.byteLength);
    new Uint8Array(place).set(bytesOf(values));
    if (values instanceof Uint8Array) return new Uint8Array(place, 0, values.length);
    if (values instanceof Float32Array) return new Float32Array(place, 0, values.length);
    throw new Error(`${name} is neither of bytes nor of floats`);
  }

  #place(name: string, bytes: number): SharedArrayBuffer {
    const known = this.#places.get(name);
    if (known !== undefined && known.byteLength >= bytes) return known;
    const place = new SharedArrayBuffer(bytes);
    this.#places.set(name, place);
    return place;
  }
}
