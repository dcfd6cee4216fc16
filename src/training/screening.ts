/** SimScore AUC: a quick look at what embeddings are worth to a ranker, without training one. */

import { type FeatureData, NONE, type Split, splits } from '../data/dataset.ts';
import { historyPhotos } from '../data/samplers/click-sampler.ts';
import { CosineSummary, simScorePlaces } from '../features/sim-score.ts';
import { auc } from '../metrics/auc.ts';
import type { EmbedPhotos } from '../objectives/objective.ts';
import type { Random } from '../random.ts';

export interface Screening {
  /** Rows in the image cache that are needed, each once. */
  readonly photos: Int32Array;
  /**
   * For each compared exposure: its photo's place in `photos`, those of its history, and its label. A candidate's own photo in
   * the history is left out: that it was clicked before says nothing of an encoder.
   */
  readonly rows: readonly {
    readonly candidate: number;
    readonly history: readonly number[];
    readonly clicked: number;
  }[];
}

/** Chooses page views of a split, at random but the same for the same generator. */
export function chooseScreening(
  dataset: FeatureData,
  split: Split,
  pageViewCount: number,
  random: Random,
): Screening {
  const { pageViews, exposures, catalogue } = dataset;
  const wanted = splits.indexOf(split);
  const all = Int32Array.from(pageViews.split, (_, index) => index).filter(
    (index) => pageViews.split[index] === wanted,
  );
  const chosen = random.shuffle(all).slice(0, pageViewCount).sort();
  const placeByPhoto = new Map<number, number>();
  const placeOf = (photo: number) => {
    const known = placeByPhoto.get(photo) ?? placeByPhoto.size;
    placeByPhoto.set(photo, known);
    return known;
  };
  const rows: { candidate: number; history: readonly number[]; clicked: number }[] = [];
  for (const pageView of chosen) {
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      const photo = catalogue.photo[exposures.item[row]!]!;
      if (photo === NONE) continue;
      const history = historyPhotos(dataset, pageView, photo, simScorePlaces).map(placeOf);
      if (history.length === 0) continue;
      rows.push({ candidate: placeOf(photo), history, clicked: exposures.clicked[row]! });
    }
  }
  return { photos: Int32Array.from(placeByPhoto.keys()), rows };
}

/** Whether there is an AUC of them: a click and a non-click. */
export function holdsBothClasses({ rows }: Pick<Screening, 'rows'>): boolean {
  return rows.some(({ clicked }) => clicked === 1) && rows.some(({ clicked }) => clicked === 0);
}

/**
 * AUC of (maximum + mean) cosine between a candidate and its history.
 * @returns null when the page views do not hold both a click and a non-click
 */
export async function simScoreAuc(screening: Screening, embed: EmbedPhotos): Promise<number | null> {
  const { whole } = (await simScoreAucs(screening, embed, [])) ?? {};
  return whole ?? null;
}

/**
 * The same, and of the first n numbers of the embeddings for each n of `prefixes`.
 * @returns null when the page views do not hold both a click and a non-click
 */
export async function simScoreAucs(
  { photos, rows }: Screening,
  embed: EmbedPhotos,
  prefixes: readonly number[],
): Promise<{ readonly whole: number; readonly first: ReadonlyMap<number, number> } | null> {
  if (!holdsBothClasses({ rows })) return null;
  const labels = Uint8Array.from(rows, ({ clicked }) => clicked);
  const vectors = await embed(photos);
  const dimension = vectors.length / photos.length;
  const aucOf = (length: number) => {
    const products = productsOf(vectors, dimension, length);
    // Whole embeddings have length 1 already.
    const lengths = Float64Array.from(photos, (_, place) =>
      length === dimension ? 1 : Math.sqrt(products(place, place)),
    );
    const cosine = (a: number, b: number) => products(a, b) / (lengths[a]! * lengths[b]!);
    const summary = new CosineSummary();
    const scores = Float64Array.from(rows, ({ candidate, history }) => {
      summary.clear();
      for (const place of history) summary.add(cosine(candidate, place));
      return summary.maximum + summary.mean;
    });
    return auc(scores, labels);
  };
  return { whole: aucOf(dimension), first: new Map(prefixes.map((length) => [length, aucOf(length)])) };
}

/** Products of rows over their first numbers. @param vectors (n, d) */
function productsOf(vectors: Float32Array, dimension: number, length: number) {
  return (a: number, b: number) => {
    let product = 0;
    for (let i = 0; i < length; i++) product += vectors[a * dimension + i]! * vectors[b * dimension + i]!;
    return product;
  };
}
