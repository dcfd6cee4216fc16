/**
 * The part of a step in parts that knows the embeddings of all photos: what the samples say of them, a block after the other.
 *
 * Letters in shapes: U distinct photos, those that fill the last chunk included, d length of an embedding.
 */

import type { ProcessGroup } from '../collectives/process-group.ts';
import { evenShares, ownShare } from '../collectives/shares.ts';
import { addPart, addTo, type ParameterLayout } from '../graph/parameters.ts';
import { type EngineState, floats, type ModelLoader, type Session } from '../runtime/engine.ts';
import { inTurn, type Span, spans } from './spans.ts';
import { contrastModel, embeddingGradient, lossBlock, type StepDescription } from './step-models.ts';

/** What the samples of a process say. */
export interface Contrasted {
  /** Of the embeddings. (U, d) */
  readonly gradient: Float32Array;
  /** Of the objective's own parameters; null where it has none. */
  readonly own: Float32Array | null;
  /** The sum of each loss. */
  readonly losses: Float64Array;
}

export class Contrast<Batch> {
  readonly #description: StepDescription<Batch>;
  readonly #layout: ParameterLayout;
  readonly #model: ReturnType<typeof contrastModel<Batch>>;
  readonly #session: Session;
  readonly #blocks: readonly Span[];

  private constructor(
    description: StepDescription<Batch>,
    layout: ParameterLayout,
    model: ReturnType<typeof contrastModel<Batch>>,
    session: Session,
    group: ProcessGroup,
  ) {
    this.#description = description;
    this.#layout = layout;
    this.#model = model;
    this.#session = session;
    this.#blocks = ownBlocks(description, group);
  }

  /** @param group the processes that share the samples: each contrasts its own with all photos */
  static async load<Batch>(
    engine: ModelLoader,
    state: EngineState,
    layout: ParameterLayout,
    description: StepDescription<Batch>,
    group: ProcessGroup,
  ): Promise<Contrast<Batch>> {
    const model = contrastModel(description, layout);
    return new Contrast(description, layout, model, await engine.load(model.model, state), group);
  }

  /** @param embeddings (U, d) */
  async run(batch: Batch, embeddings: Float32Array): Promise<Contrasted> {
    const { objective, encoder } = this.#description;
    const block = lossBlock(this.#description);
    let gradient: Float32Array | null = null;
    let own: Float32Array | null = null;
    const losses = new Float64Array(this.#model.losses.length);
    await this.#session.hold({ embeddings });
    const feeds = objective.feeds(batch, embeddings.length / encoder.dimension);
    await inTurn(
      this.#blocks,
      ({ from }) => feeds.block(from, block),
      (values) => this.#session.run(values),
      (_, results) => {
        const found = floats(results, embeddingGradient);
        gradient = gradient === null ? found : sumOf(gradient, found);
        if (this.#model.own.size > 0) {
          const ofOwn = floats(results, 'gradient');
          own = own === null ? ofOwn : sumOf(own, ofOwn);
        }
        for (const [place, name] of this.#model.losses.entries()) losses[place]! += floats(results, name)[0]!;
      },
    );
    await this.#session.hold({});
    return { gradient: gradient ?? new Float32Array(embeddings.length), own, losses };
  }

  /** Adds what was found of the objective's own parameters to the gradient of all. (P) */
  addOwn({ own }: Contrasted, total: Float32Array): void {
    if (own !== null) addPart(this.#layout, total, this.#model.own, own);
  }

  /** Losses by their names. */
  named(losses: Float64Array): Record<string, number> {
    return Object.fromEntries(this.#model.losses.map((name, place) => [name, losses[place]!]));
  }
}

/** Adds in place. */
export function sumOf(before: Float32Array, values: Float32Array): Float32Array {
  addTo(before, values);
  return before;
}

/** The blocks of samples that this process contrasts. */
function ownBlocks<Batch>(description: StepDescription<Batch>, group: ProcessGroup): readonly Span[] {
  const all = spans({ from: 0, to: description.samples }, lossBlock(description));
  const { from, to } = ownShare(evenShares(all.length, group), group);
  return all.slice(from, to);
}
