/** Which earlier clicks a click was rebuilt from: the attention of a trained reconstruction. */
import { clickSamples } from '../data/click-sampler.ts';
import { type Dataset, NONE, type Split } from '../data/dataset.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import { exists, readInput } from '../files.ts';
import { type Engine, floats } from '../runtime/engine.ts';

/** One click and the weights of the earlier clicks that have an embedding, newest first. */
export interface AttendedClick {
  readonly pageView: number;
  /** Index into the catalogue. */
  readonly item: number;
  readonly history: readonly { readonly item: number; readonly weight: number }[];
}

/**
 * The attention of every click of a split; none where the model is missing.
 * @param model path of the attention.onnx that pretrain wrote, unless the candidate had no say in reconstructions
 * @param places history places that the model takes
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
  const { dimension, vectors, present } = embeddings;
  const { pageViews, exposures } = dataset;
  const clicks = clickSamples(dataset, split)
    .map(({ pageView, row }) => {
      const from = pageView * pageViews.historyLength;
      const history = Array.from(pageViews.history.subarray(from, from + pageViews.historyLength))
        .filter((item) => item !== NONE && present[item] === 1)
        .slice(0, places);
      return { pageView, item: exposures.item[row]!, history };
    })
    .filter(({ item, history }) => present[item] === 1 && history.length > 0);
  if (clicks.length === 0) return [];

  const queries = new Float32Array(clicks.length * dimension);
  const keys = new Float32Array(clicks.length * places * dimension);
  const mask = new Float32Array(clicks.length * places);
  const copy = (item: number, target: Float32Array, row: number) =>
    target.set(vectors.subarray(item * dimension, (item + 1) * dimension), row * dimension);
  for (const [index, { item, history }] of clicks.entries()) {
    copy(item, queries, index);
    for (const [place, earlier] of history.entries()) {
      copy(earlier, keys, index * places + place);
      mask[index * places + place] = 1;
    }
  }
  const bytes = new Uint8Array(await readInput(model, 'Attention model'));
  const session = await engine.load({
    encode: () => bytes,
    inputs: {
      candidates: { type: 'float32', shape: [1, dimension] },
      history: { type: 'float32', shape: [1, places, dimension] },
      mask: { type: 'float32', shape: [1, places] },
    },
    outputs: { attention: { type: 'float32', shape: [1, places] } },
  });
  const weights = floats(await session.run({ candidates: queries, history: keys, mask }), 'attention');
  await session.release();
  return clicks.map(({ pageView, item, history }, index) => ({
    pageView,
    item,
    history: history.map((earlier, place) => ({ item: earlier, weight: weights[index * places + place]! })),
  }));
}
