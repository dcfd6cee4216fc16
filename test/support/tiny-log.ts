/** A generated click log in memory, in which a click follows from looks alone. */

import { numericRows } from '../../src/data/counters/numeric-rows.ts';
import { type FeatureData, NONE } from '../../src/data/dataset.ts';
import type { ItemCodes } from '../../src/data/embeddings/clusters.ts';
import { clickedRows, clicksOfExposures } from '../../src/data/long-history.ts';
import { ItemEmbeddings } from '../../src/features/item-embeddings.ts';
import { Random } from '../../src/random.ts';
import type { RankerData } from '../../src/rankers/fields.ts';

const [items, users, looks, candidates, historyLength] = [6000, 50, 6, 4, 5];
const views = { train: 900, validation: 200, test: 200 };

export type TinyLog = RankerData & FeatureData;

/**
 * Every item has one of 6 looks, which only its embedding tells. The history of a page view is of one look,
 * and the one candidate of that look is clicked. Items hardly repeat, so that ids are of no help. The last
 * numeric column is constant, the others are noise; half of the histories have empty places.
 */
export function tinyLog(seed = 1): { data: TinyLog; embeddings: ItemEmbeddings } {
  const random = Random.seeded(seed, 'tiny log');
  const count = views.train + views.validation + views.test;
  const byLook = (look: number) => look + looks * random.integer(items / looks);
  const history = new Int32Array(count * historyLength).fill(NONE);
  const item = new Int32Array(count * candidates);
  const clicked = new Uint8Array(count * candidates);
  for (let view = 0; view < count; view++) {
    const order = random.shuffle(Array.from({ length: looks }, (_, look) => look));
    const look = order[0]!;
    const filled = view % 2 === 0 ? historyLength : 1 + random.integer(historyLength);
    for (let place = 0; place < filled; place++) history[view * historyLength + place] = byLook(look);
    const right = random.integer(candidates);
    for (let place = 0; place < candidates; place++) {
      item[view * candidates + place] = byLook(place === right ? look : order[1 + place]!);
      clicked[view * candidates + place] = place === right ? 1 : 0;
    }
  }
  const splitOf = (view: number) => (view < views.train ? 0 : view < views.train + views.validation ? 1 : 2);
  const ids = Array.from({ length: items }, (_, index) => `item${index}`);
  const log: RankerData = {
    users: Array.from({ length: users }, (_, user) => `user${user}`),
    catalogue: {
      ids,
      photo: Int32Array.from({ length: items }, (_, index) => index),
      titles: ids.map(() => null),
      categories: [
        {
          name: 'kind',
          values: ['unknown', 'a', 'b'],
          codes: Int32Array.from({ length: items }, () => random.integer(3)),
        },
      ],
    },
    pageViews: {
      user: Int32Array.from({ length: count }, () => random.integer(users)),
      time: Float64Array.from({ length: count }, (_, view) => view * 60_000),
      split: Uint8Array.from({ length: count }, (_, view) => splitOf(view)),
      start: Int32Array.from({ length: count + 1 }, (_, view) => view * candidates),
      history,
      historyLength,
    },
    exposures: {
      item,
      clicked,
      numeric: numericRows(
        ['noise', 'constant'],
        Float32Array.from({ length: item.length * 2 }, (_, i) => (i % 2 ? 0.1 : random.normal())),
      ),
      context: [
        {
          name: 'device',
          values: ['unknown', 'phone', 'desktop'],
          codes: Int32Array.from(item, () => 1 + random.integer(2)),
        },
      ],
    },
  };
  const clicks = clicksOfExposures(log.pageViews, log.exposures, clickedRows(log.exposures), null);
  const data = { ...log, clicks };
  return { data, embeddings: ItemEmbeddings.forCatalogue(data.catalogue, ids, lookVectors(random)) };
}

/** Codes that tell some of an item's look, for every item. */
export function itemCodes(name: string, count: number, { catalogue }: RankerData): ItemCodes {
  return { name, count, codes: Int32Array.from(catalogue.ids, (_, item) => (item % looks) % count) };
}

/** One axis for each look, a little noise on all, scaled to length 1. (N, looks) */
function lookVectors(random: Random): Float32Array {
  const vectors = new Float32Array(items * looks);
  for (let item = 0; item < items; item++) {
    const vector = Array.from({ length: looks }, () => 0.1 * random.normal());
    vector[item % looks]! += 1;
    const length = Math.hypot(...vector);
    for (const [axis, value] of vector.entries()) vectors[item * looks + axis] = value / length;
  }
  return vectors;
}
