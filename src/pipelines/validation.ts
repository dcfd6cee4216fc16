/** What pre-training looks at on the validation period: SimScore AUC, and whether clicks are found again. */
import { type ClickBatch, clickBatch } from '../data/click-sampler.ts';
import type { Dataset } from '../data/dataset.ts';
import { photoAxis } from '../encoders/export.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildInference } from '../graph/training-step.ts';
import { courierRetrieval } from '../objectives/courier.ts';
import { Random } from '../random.ts';
import { type Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';
import type { PretrainConfig } from './pretrain-config.ts';
import { chooseScreening, type EmbedPhotos, type Screening, simScoreAuc } from './screening.ts';

/** Clicks that are looked for among each other's candidates. */
const retrievalSamples = 256;
/** k of recall@k. */
const among = 10;

/** Scores by the names that they have in metrics.jsonl; one that cannot be computed is left out. */
export interface ValidationScores {
  /** AUC of SimScore over chosen page views. */
  readonly validationAuc?: number;
  /** Share of clicks whose photo is among the ten nearest to what was rebuilt, of all candidates of a batch. */
  readonly validationRecall?: number;
}

export class Validation {
  readonly #screening: Screening;
  readonly #embed: EmbedPhotos;
  readonly #retrieval: Retrieval | null;

  private constructor(screening: Screening, embed: EmbedPhotos, retrieval: Retrieval | null) {
    this.#screening = screening;
    this.#embed = embed;
    this.#retrieval = retrieval;
  }

  /** @param vector name of the state vector that is judged: the parameters, or their average */
  static async create(
    config: PretrainConfig,
    dataset: Dataset,
    engine: Engine,
    layout: ParameterLayout,
    state: EngineState,
    embed: EmbedPhotos,
    vector: string,
  ): Promise<Validation> {
    const random = Random.seeded(config.seed, 'screening');
    const screening = chooseScreening(dataset, 'validation', config.validationPageViews, random);
    const shape = { ...config, batchSize: retrievalSamples };
    const batch = clickBatch(dataset, shape, 'validation', Random.seeded(config.seed, 'retrieval'));
    if (batch === null) return new Validation(screening, embed, null);
    const scores = courierRetrieval(
      config.objective,
      batch.clicked.length,
      config.history,
      config.encoder.dimension,
    );
    const openAxes = { embeddings: photoAxis };
    const session = await engine.load(buildInference({ scores }, layout, openAxes, vector), state);
    return new Validation(screening, embed, { batch, session });
  }

  async look(): Promise<ValidationScores> {
    const auc = await simScoreAuc(this.#screening, this.#embed);
    const recall = this.#retrieval === null ? null : await this.#recall(this.#retrieval);
    return {
      ...(auc === null ? {} : { validationAuc: auc }),
      ...(recall === null ? {} : { validationRecall: recall }),
    };
  }

  async #recall({ batch, session }: Retrieval): Promise<number> {
    const { photos, clicked, candidates, candidateMask, history, historyMask } = batch;
    const embeddings = await this.#embed(photos);
    const scores = floats(await session.run({ embeddings, clicked, history, historyMask }), 'scores');
    const shown = new Set(candidates.filter((_, place) => candidateMask[place] === 1));
    const found = clicked.filter((own, sample) => {
      const score = (photo: number) => scores[sample * photos.length + photo]!;
      let better = 0;
      for (const photo of shown) if (photo !== own && score(photo) >= score(own)) better++;
      return better < among;
    });
    return found.length / clicked.length;
  }
}

interface Retrieval {
  readonly batch: ClickBatch;
  readonly session: Session;
}
