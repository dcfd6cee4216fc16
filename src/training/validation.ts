/** What pre-training looks at: SimScore AUC, whether what is wanted is found, and how embeddings are spread. */
import type { Dataset } from '../data/dataset.ts';
import { photoAxis } from '../encoders/export.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildInference } from '../graph/training-step.ts';
import type { EmbedPhotos, Retrieval } from '../objectives/objective.ts';
import { Random } from '../random.ts';
import { type EngineState, floats, type ModelLoader, type Session } from '../runtime/engine.ts';
import type { TrainingConfig } from './config.ts';
import { chooseScreening, type Screening, simScoreAucs } from './screening.ts';
import { SpreadWatch, type WatchedSpread } from './spread-watch.ts';

/** k of recall@k. */
const among = 10;

/** Scores by the names that they have in metrics.jsonl; one that cannot be computed is left out. */
export interface ValidationScores {
  /** AUC of SimScore over chosen page views of the validation period. */
  readonly validationAuc?: number;
  /** Share of what an objective looks for that is among the ten nearest, such as clicks rebuilt by COURIER. */
  readonly validationRecall?: number;
  /** AUC of SimScore by the first so many numbers of the embeddings, of each length that is learned. */
  readonly [first: `validationAucFirst${number}`]: number;
}

export interface Look {
  readonly scores: ValidationScores;
  /** Of photos of the training period; null where there are none to compare. */
  readonly spread: WatchedSpread | null;
}

/** The parameters that are judged. */
interface Judged {
  readonly engine: ModelLoader;
  readonly layout: ParameterLayout;
  readonly state: EngineState;
  /** Name of the vector: the parameters, or their average. */
  readonly vector: string;
  readonly embed: EmbedPhotos;
}

/** The page views that a run of pretrain is judged on, the same for the same seed. */
export function validationScreening(
  dataset: Dataset,
  { seed, validationPageViews }: Pick<TrainingConfig, 'seed' | 'validationPageViews'>,
): Screening {
  return chooseScreening(dataset, 'validation', validationPageViews, Random.seeded(seed, 'screening'));
}

export class Validation {
  readonly #screening: Screening;
  readonly #watch: SpreadWatch;
  readonly #embed: EmbedPhotos;
  readonly #search: Search | null;
  readonly #prefixes: readonly number[];

  private constructor(
    screening: Screening,
    prefixes: readonly number[],
    watch: SpreadWatch,
    embed: EmbedPhotos,
    search: Search | null,
  ) {
    this.#screening = screening;
    this.#prefixes = prefixes;
    this.#watch = watch;
    this.#embed = embed;
    this.#search = search;
  }

  static async create(
    config: TrainingConfig,
    dataset: Dataset,
    retrieval: Retrieval | null,
    { engine, layout, state, vector, embed }: Judged,
  ): Promise<Validation> {
    const screening = validationScreening(dataset, config);
    const { prefixes } = config;
    const watch = new SpreadWatch(dataset, config.history, Random.seeded(config.seed, 'spread'));
    if (retrieval === null) return new Validation(screening, prefixes, watch, embed, null);
    const model = buildInference({ scores: retrieval.scores }, layout, { embeddings: photoAxis }, vector);
    const session = await engine.load(model, state);
    return new Validation(screening, prefixes, watch, embed, { retrieval, session });
  }

  async look(): Promise<Look> {
    const aucs = await simScoreAucs(this.#screening, this.#embed, this.#prefixes);
    const recall = this.#search === null ? null : await this.#recall(this.#search);
    return {
      scores: {
        ...(aucs === null ? {} : { validationAuc: aucs.whole, ...byLength(aucs.first) }),
        ...(recall === null ? {} : { validationRecall: recall }),
      },
      spread: await this.#watch.look(this.#embed),
    };
  }

  async #recall({ retrieval, session }: Search): Promise<number> {
    const { photos, wanted, feeds } = retrieval;
    const embeddings = await this.#embed(photos);
    const scores = floats(await session.run({ embeddings, ...feeds }), 'scores');
    const found = wanted.filter((own, sample) => {
      const score = (photo: number) => scores[sample * photos.length + photo]!;
      let better = 0;
      for (const photo of retrieval.among) if (photo !== own && score(photo) >= score(own)) better++;
      return better < among;
    });
    return found.length / wanted.length;
  }
}

interface Search {
  readonly retrieval: Retrieval;
  readonly session: Session;
}

function byLength(aucs: ReadonlyMap<number, number>): ValidationScores {
  return Object.fromEntries([...aucs].map(([length, auc]) => [`validationAucFirst${length}`, auc]));
}
