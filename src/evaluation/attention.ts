/** Which earlier clicks a click was rebuilt from: the attention of a trained reconstruction. */
import { clickSamples } from '../data/click-sampler.ts';
import { type Dataset, NONE, type Split, showSamePhoto } from '../data/dataset.ts';
import { CourierError } from '../errors.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import { type Engine, floats, type Session } from '../runtime/engine.ts';
import { ModelError } from '../runtime/model-error.ts';
import { exists, readInput } from '../storage/files.ts';

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

/** How far the weights of a click may be from 1 in sum. */
const tolerance = 1e-3;

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
  const session = await loadAttention(model, embeddings.dimension, places, engine);
  try {
    const attended: AttendedClick[] = [];
    for (let from = 0; from < questions.length; from += clicksAtOnce) {
      const some = questions.slice(from, from + clicksAtOnce);
      const outputs = await session.run(feedsOf(some, embeddings, places));
      attended.push(...answered(some, floats(outputs, 'attention'), embeddings, places, model));
    }
    return attended;
  } catch (error) {
    throw error instanceof ModelError ? unusable(model, error.message) : error;
  } finally {
    await session.release();
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

async function loadAttention(
  model: string,
  dimension: number,
  places: number,
  engine: Engine,
): Promise<Session> {
  const bytes = new Uint8Array(await readInput(model, 'Attention model'));
  const loading = engine.load({
    encode: () => bytes,
    inputs: {
      candidates: { type: 'float32', shape: [1, dimension] },
      history: { type: 'float32', shape: [1, places, dimension] },
      mask: { type: 'float32', shape: [1, places] },
    },
    outputs: { attention: { type: 'float32', shape: [1, places] } },
  });
  return loading.catch((error: unknown) => {
    throw error instanceof ModelError ? unusable(model, error.message) : error;
  });
}

/** candidates (n, d), history (n, H, d), mask (n, H) */
function feedsOf(questions: readonly Question[], { dimension, vectors }: ItemEmbeddings, places: number) {
  const candidates = new Float32Array(questions.length * dimension);
  const history = new Float32Array(questions.length * places * dimension);
  const mask = new Float32Array(questions.length * places);
  const copy = (item: number, target: Float32Array, row: number) =>
    target.set(vectors.subarray(item * dimension, (item + 1) * dimension), row * dimension);
  for (const [index, question] of questions.entries()) {
    copy(question.item, candidates, index);
    for (const [place, earlier] of question.history.entries()) {
      copy(earlier, history, index * places + place);
      mask[index * places + place] = 1;
    }
  }
  return { candidates, history, mask };
}

function answered(
  questions: readonly Question[],
  weights: Float32Array,
  embeddings: ItemEmbeddings,
  places: number,
  model: string,
): readonly AttendedClick[] {
  return questions.map(({ pageView, item, history }, index) => {
    const own = history.map((earlier, place) => {
      const weight = weights[index * places + place]!;
      return { item: earlier, weight, cosine: embeddings.cosine(item, earlier) };
    });
    const sum = own.reduce((total, { weight }) => total + weight, 0);
    // Written so that NaN fails too.
    if (!(Math.abs(sum - 1) <= tolerance)) throw unusable(model, `the weights of a click sum to ${sum}`);
    return { pageView, item, history: own };
  });
}

function unusable(model: string, why: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${model} does not give attention weights for these embeddings: ${why}`,
    'Use the attention.onnx and the embeddings of one and the same run of pretrain.',
  );
}
