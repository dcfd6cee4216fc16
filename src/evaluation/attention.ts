/** Which earlier clicks a click was rebuilt from: the attention of a trained reconstruction. */

import { type Dataset, NONE, type Split, showSamePhoto } from '../data/dataset.ts';
import { clickSamples } from '../data/samplers/click-sampler.ts';
import { AttentionModel } from '../encoders/attention-model.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import type { Engine } from '../runtime/engine.ts';
import { exists } from '../storage/files.ts';

/** One click and the weights of the earlier clicks that have an embedding and another photo, newest first. */
export interface AttendedClick {
  readonly pageView: number;
  /** Index into the catalogue. */
  readonly item: number;
  readonly history: readonly EarlierClick[];
}

export interface EarlierClick {
  /** Index into the catalogue. */
  readonly item: number;
  /** The mean over attention heads; all of a click sum to 1. */
  readonly weight: number;
  /** Of the embeddings of both items: how alike they are to the encoder. */
  readonly cosine: number;
}

/** A click before it is attended: what is asked, and what may answer. */
interface Question {
  readonly pageView: number;
  readonly item: number;
  readonly history: readonly number[];
}

/** Clicks that are attended at once, so that a split of any size takes little memory. */
const clicksAtOnce = 4096;

/**
 * The attention of every click of a split; none where the model is missing.
 * @param model path of the attention.onnx that pretrain wrote, unless the candidate had no say in reconstructions
 * @param places history places that the model takes
 * @throws CourierError FILE_CORRUPT when the model does not fit the embeddings, or gives no weights
 */
export async function attendClicks(
  dataset: Dataset,
  split: Split,
  embeddings: ItemEmbeddings,
  model: string,
  places: number,
  engine: Engine,
): Promise<readonly AttendedClick[]> {
  if (!(await exists(model))) return [];
  const questions = questionsOf(dataset, split, embeddings, places);
  if (questions.length === 0) return [];
  const attention = await AttentionModel.open(model, embeddings.dimension, places, engine);
  try {
    const attended: AttendedClick[] = [];
    for (let from = 0; from < questions.length; from += clicksAtOnce) {
      const some = questions.slice(from, from + clicksAtOnce);
      attended.push(...answered(some, await attention.attend(some, embeddings.vectors), embeddings, places));
    }
    return attended;
  } finally {
    await attention.release();
  }
}

function questionsOf(
  dataset: Dataset,
  split: Split,
  { present }: ItemEmbeddings,
  places: number,
): readonly Question[] {
  const { catalogue, pageViews, exposures } = dataset;
  return clickSamples(dataset, split)
    .map(({ pageView, row }) => {
      const from = pageView * pageViews.historyLength;
      const clicked = exposures.item[row]!;
      const history = Array.from(pageViews.history.subarray(from, from + pageViews.historyLength))
        .filter((item) => item !== NONE && present[item] === 1 && !showSamePhoto(catalogue, clicked, item))
        .slice(0, places);
      return { pageView, item: clicked, history };
    })
    .filter(({ item, history }) => present[item] === 1 && history.length > 0);
}

function answered(
  questions: readonly Question[],
  weights: Float32Array,
  embeddings: ItemEmbeddings,
  places: number,
): readonly AttendedClick[] {
  return questions.map(({ pageView, item, history }, index) => {
    const own = history.map((earlier, place) => {
      const weight = weights[index * places + place]!;
      return { item: earlier, weight, cosine: embeddings.cosine(item, earlier) };
    });
    return { pageView, item, history: own };
  });
}
