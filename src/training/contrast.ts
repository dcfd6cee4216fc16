/**
 * The part of a step in parts that knows the embeddings of all photos: what the samples say of them, a block after the other.
 *
 * Letters in shapes: U distinct photos, those that fill the last chunk included, d length of an embedding.
 */

import type { ProcessGroup } from '../collectives/process-group.ts';
import { evenShares, ownShare } from '../collectives/shares.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { type EngineState, floats, type ModelLoader, type Session } from '../runtime/engine.ts';
import { nextPrefix } from '../runtime/protocol.ts';
import { inTurn, type Span, spans } from './spans.ts';
import { contrastModel, embeddingGradient, lossBlock, type StepDescription } from './step-models.ts';

export class Contrast<Batch> {
  /** Of the losses, in the order in which their sums come. */
  readonly lossNames: readonly string[];
  readonly #description: StepDescription<Batch>;
  readonly #session: Session;
  readonly #blocks: readonly Span[];

  private constructor(
    description: StepDescription<Batch>,
    lossNames: readonly string[],
    session: Session,
    blocks: readonly Span[],
  ) {
    this.#description = description;
    this.lossNames = lossNames;
    this.#session = session;
    this.#blocks = blocks;
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
    const session = await engine.load(model, state);
    return new Contrast(
      description,
      Object.keys(model.outputs).filter(isLoss),
      session,
      ownBlocks(description, group),
    );
  }

  /**
   * Adds to the state's gradient what the samples change of the objective's own parameters.
   * @param embeddings (U, d)
   * @returns the gradients of the embeddings (U, d), and the sums of the losses
   */
  async run(batch: Batch, embeddings: Float32Array) {
    const { objective, encoder } = this.#description;
    const block = lossBlock(this.#description);
    const gradient = new Float32Array(embeddings.length);
    const losses = new Float64Array(this.lossNames.length);
    await this.#session.hold({ embeddings });
    const feeds = objective.feeds(batch, embeddings.length / encoder.dimension);
    await inTurn(
      this.#blocks,
      ({ from }) => feeds.block(from, block),
      (values) => this.#session.run(values),
      (_, results) => {
        addTo(gradient, floats(results, embeddingGradient));
        for (const [place, name] of this.lossNames.entries()) losses[place]! += floats(results, name)[0]!;
      },
    );
    await this.#session.hold({});
    return { gradient, losses };
  }

  /** Losses by their names. */
  named(losses: Float64Array): Record<string, number> {
    return Object.fromEntries(this.lossNames.map((name, place) => [name, losses[place]!]));
  }
}

function isLoss(output: string): boolean {
  return output !== embeddingGradient && !output.startsWith(nextPrefix);
}

/** The blocks of samples that this process contrasts. */
function ownBlocks<Batch>(description: StepDescription<Batch>, group: ProcessGroup): readonly Span[] {
  const all = spans({ from: 0, to: description.samples }, lossBlock(description));
  const { from, to } = ownShare(evenShares(all.length, group), group);
  return all.slice(from, to);
}

export function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}
