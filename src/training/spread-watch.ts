/** Whether embeddings keep apart: looked at on photos of the training period. */
import type { Dataset } from '../data/dataset.ts';
import { behaviourPairs } from '../data/samplers/pair-sampler.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';
import { alignment, measureSpread, type Spread } from '../objectives/collapse.ts';
import type { EmbedPhotos } from '../objectives/objective.ts';
import type { Random } from '../random.ts';

/** Photos that are looked at, or more where more are needed for the pairs. */
const watchedPhotos = 512;
/** A click and the newest earlier one of its user. */
const watchedPairs = 256;

/** What is written into metrics.jsonl, see objectives/collapse.ts; alignment needs a pair. */
export interface WatchedSpread extends Spread {
  readonly alignment?: number;
}

export class SpreadWatch {
  /** Rows in the image cache, each once. */
  readonly #photos: Int32Array;
  /** Rows of `#photos`, two and two. */
  readonly #pairs: Int32Array;

  constructor(dataset: Dataset, history: number, random: Random) {
    const all = behaviourPairs(dataset, history);
    const order = random.shuffle(Int32Array.from(all, (_, index) => index));
    const places = new Map<number, number>();
    const placeOf = (photo: number) => {
      const place = places.get(photo) ?? places.size;
      places.set(photo, place);
      return place;
    };
    this.#pairs = Int32Array.from(
      Array.from(order.subarray(0, watchedPairs), (index) => all[index]!).flatMap(({ clicked, earlier }) => [
        placeOf(clicked),
        placeOf(earlier[0]!),
      ]),
    );
    for (const photo of random.shuffle(trainingPhotos(dataset))) {
      if (places.size >= watchedPhotos) break;
      placeOf(photo);
    }
    this.#photos = Int32Array.from(places.keys());
  }

  /** @returns null where there are no two photos to compare */
  async look(embed: EmbedPhotos): Promise<WatchedSpread | null> {
    const count = this.#photos.length;
    if (count < 2) return null;
    const vectors = await embed(this.#photos);
    const dimension = vectors.length / count;
    const pairs = this.#pairs;
    return {
      ...measureSpread(vectors, dimension),
      ...(pairs.length === 0 ? {} : { alignment: alignment(vectors, dimension, pairs) }),
    };
  }
}
