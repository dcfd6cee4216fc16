/** A generated click log for rankers: what a user clicks follows from the categories of what was clicked before. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { numericRows } from '../src/data/counters/numeric-rows.ts';
import { NONE } from '../src/data/dataset.ts';
import { Random } from '../src/random.ts';
import type { RankerData } from '../src/rankers/fields.ts';
import { numbersOf } from '../test/support/numbers.ts';

export interface RankLogSize {
  readonly users: number;
  readonly items: number;
  /** Exposures, a page view each. */
  readonly rows: number;
}

const [kinds, colours, contexts, dense, historyLength] = [20, 10, [24, 4, 50], 10, 20] as const;

/** Kind and colour of an item follow from its number, so that any number of items has them. */
const kindOf = (item: number) => item % kinds;
const colourOf = (item: number) => Math.floor(item / kinds) % colours;

/** Every user likes 3 kinds and a colour; the history is of the liked kinds, for the most part. */
export function rankLog({ users, items, rows }: RankLogSize): RankerData {
  const random = Random.seeded(1, 'bench log');
  const anyItem = () => random.integer(items);
  const itemOfKind = (kind: number) => kind + kinds * random.integer(Math.floor(items / kinds));
  const liked = Int32Array.from({ length: 3 * users }, () => random.integer(kinds));
  const colour = Int32Array.from({ length: users }, () => random.integer(colours));
  const moods = contexts.map((count) => Float32Array.from({ length: count }, () => 0.3 * random.normal()));
  const slopes = Float32Array.from({ length: dense }, () => 0.15 * random.normal());
  const user = Int32Array.from({ length: rows }, () => random.integer(users));
  const context = contexts.map((count) => Int32Array.from({ length: rows }, () => random.integer(count)));
  const numeric = Float32Array.from({ length: rows * dense }, () => random.normal());
  const likedBy = (own: number) => itemOfKind(liked[3 * own + random.integer(3)]!);
  const history = new Int32Array(rows * historyLength).fill(NONE);
  const item = new Int32Array(rows);
  const clicked = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = user[row]!;
    const filled = random.uniform() < 0.5 ? historyLength : 1 + random.integer(historyLength);
    for (let place = 0; place < filled; place++) {
      history[row * historyLength + place] = random.uniform() < 0.8 ? likedBy(own) : anyItem();
    }
    const shown = random.uniform() < 0.4 ? likedBy(own) : anyItem();
    item[row] = shown;
    const fits = liked.subarray(3 * own, 3 * own + 3).includes(kindOf(shown));
    let logit = -2.5 + (fits ? 2.5 : 0) + (colourOf(shown) === colour[own] ? 1 : 0);
    for (const [index, mood] of moods.entries()) logit += mood[context[index]![row]!]!;
    for (const [column, slope] of slopes.entries()) logit += slope * numeric[row * dense + column]!;
    clicked[row] = random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
  }
  const names = (count: number) => new Array<string>(count).fill('');
  const itemColumn = (name: string, count: number, codeOf: (item: number) => number) => ({
    name,
    values: names(count),
    codes: Int32Array.from({ length: items }, (_, index) => codeOf(index)),
  });
  return {
    users: names(users),
    catalogue: {
      ids: names(items),
      photo: new Int32Array(items).fill(NONE),
      titles: [],
      categories: [itemColumn('kind', kinds, kindOf), itemColumn('colour', colours, colourOf)],
    },
    pageViews: {
      user,
      time: Float64Array.from({ length: rows }, (_, row) => row),
      split: new Uint8Array(rows),
      start: Int32Array.from({ length: rows + 1 }, (_, row) => row),
      history,
      historyLength,
    },
    exposures: {
      item,
      clicked,
      numeric: numericRows(
        Array.from({ length: dense }, (_, column) => `dense${column}`),
        numeric,
      ),
      context: context.map((codes, index) => ({
        name: `context${index}`,
        values: names(contexts[index]!),
        codes,
      })),
    },
  };
}

/** A column of a log as other programs take it. */
export interface ColumnFile {
  readonly name: string;
  /** Number of codes, 0 for an empty place among them; of a dense column, its width. */
  readonly size: number;
  /** Little-endian int32, or float32 where it is dense. (R) or (R, places) */
  readonly path: string;
}

/** Writes every column of the log as a file of bare numbers. Codes begin with 1. */
export async function writeColumns(data: RankerData, folder: string) {
  const { catalogue, users, pageViews, exposures } = data;
  await mkdir(folder, { recursive: true });
  const write = async (
    name: string,
    size: number,
    values: Int32Array | Float32Array,
  ): Promise<ColumnFile> => {
    const path = join(folder, `${name}.bin`);
    await writeFile(path, values);
    return { name, size, path };
  };
  const oneBased = (codes: Int32Array) => codes.map((code) => code + 1);
  const ofItems = async (prefix: string, items: Int32Array): Promise<ColumnFile[]> => {
    const files = [await write(`${prefix}item`, catalogue.ids.length + 1, oneBased(items))];
    for (const { name, values, codes } of catalogue.categories) {
      const own = items.map((item) => (item === NONE ? 0 : codes[item]! + 1));
      files.push(await write(prefix + name, values.length + 1, own));
    }
    return files;
  };
  const situation = [await write('user', users.length + 1, oneBased(pageViews.user))];
  for (const { name, values, codes } of exposures.context) {
    situation.push(await write(name, values.length + 1, oneBased(codes)));
  }
  return {
    situation,
    candidate: await ofItems('', exposures.item),
    history: await ofItems('clicked_', pageViews.history),
    historyLength,
    dense: await write('dense', dense, numbersOf(exposures)),
    labels: await write('label', 2, Int32Array.from(exposures.clicked)),
  };
}
