/** The files of an export beside those of the ranker: written, and read with every number checked. */
import { join } from 'node:path';
import type { StateArrays } from '../data/counters/state-arrays.ts';
import { bytesOf, doublesOf, integersOf, rowsBetweenPauses } from '../data/counters/state-arrays.ts';
import { writeParquet } from '../data/duckdb/parquet.ts';
import { readParquet } from '../data/duckdb/parquet-table.ts';
import { safePlace } from '../progress.ts';
import { requireFewRows } from '../rankers/id-rows.ts';
import { floatTensor, readSafeTensors, type SafeTensors, writeSafeTensors } from '../storage/safetensors.ts';
import type { StoredItems } from './catalogue.ts';
import { type ServingManifest, servingFiles } from './format.ts';
import type { StoredHistories } from './histories.ts';

/** Files are written into an empty folder. @throws CourierError OUTPUT_NOT_WRITABLE */
export async function writeItems(folder: string, { ids, categories, numeric, pictures }: StoredItems) {
  await writeParquet(join(folder, servingFiles.items), [
    { name: 'item_id', type: 'VARCHAR', values: ids },
    ...categories.map(
      ({ name, codes }) => ({ name: `category_${name}`, type: 'INTEGER', values: codes }) as const,
    ),
    ...numeric.map(({ name, values }) => ({ name: `numeric_${name}`, type: 'DOUBLE', values }) as const),
    { name: 'picture', type: 'VARCHAR', values: pictures },
  ]);
}

export async function writeUsers(folder: string, ids: readonly string[]): Promise<void> {
  await writeParquet(join(folder, servingFiles.users), [{ name: 'user_id', type: 'VARCHAR', values: ids }]);
}

/** @throws CourierError of reading; Error that says what is wrong with the content */
export async function readItems(folder: string, manifest: ServingManifest): Promise<StoredItems> {
  const path = join(folder, servingFiles.items);
  await requireFewRows(path);
  return readParquet(path, async (table) => {
    const ids = required(await table.texts('item_id'), manifest.items, 'item');
    const categories: { name: string; values: readonly string[]; codes: Int32Array }[] = [];
    for (const { name, values } of manifest.categories) {
      const codes = await table.integers(`category_${name}`);
      if (codes.some((code) => code < 0 || code >= values.length))
        throw new Error(`${servingFiles.items} has codes of ${name} that there are not`);
      categories.push({ name, values, codes });
    }
    const numeric: { name: string; values: Float64Array }[] = [];
    for (const { name } of manifest.numeric)
      numeric.push({ name, values: await table.doubles(`numeric_${name}`) });
    return { ids, categories, numeric, pictures: await table.texts('picture') };
  });
}

/** @throws CourierError of reading; Error that says what is wrong with the content */
export async function readUsers(folder: string, { users }: ServingManifest): Promise<readonly string[]> {
  const path = join(folder, servingFiles.users);
  await requireFewRows(path);
  return readParquet(path, async (table) => required(await table.texts('user_id'), users, 'user'));
}

function required(ids: readonly (string | null)[], wanted: number, what: string): readonly string[] {
  if (ids.length !== wanted) throw new Error(`it holds ${ids.length} ${what}s, not ${wanted}`);
  return ids.map((id) => {
    if (id === null) throw new Error(`the id of a ${what} is missing`);
    return id;
  });
}

/** @param vectors (N, d) */
export async function writeVectors(folder: string, vectors: Float32Array, dimension: number): Promise<void> {
  const shape = [vectors.length / dimension, dimension];
  await writeSafeTensors(join(folder, servingFiles.embeddings), {
    metadata: {},
    tensors: new Map([['embeddings', { shape, data: vectors }]]),
  });
}

/** (N, d) @throws CourierError of reading; Error that says what is wrong with the content */
export async function readVectors(folder: string, items: number, dimension: number): Promise<Float32Array> {
  const read = await readSafeTensors(join(folder, servingFiles.embeddings), 'Embeddings');
  const { shape, data } = floatTensor(read, 'embeddings');
  if (shape.length !== 2 || shape[0] !== items || shape[1] !== dimension)
    throw new Error(`its embeddings are [${shape}], not [${items},${dimension}]`);
  if (!data.every(Number.isFinite)) throw new Error('its embeddings hold values that are not finite');
  return data;
}

export async function writeArrays(path: string, arrays: StateArrays): Promise<void> {
  const tensors = [...arrays].map(([name, data]) => [name, { shape: [data.length], data }] as const);
  await writeSafeTensors(path, { metadata: {}, tensors: new Map(tensors) });
}

/** @throws CourierError of reading */
export async function readArrays(path: string, what: string): Promise<StateArrays> {
  const { tensors }: SafeTensors = await readSafeTensors(path, what);
  const arrays = [...tensors].map(([name, { data }]) => {
    if (data instanceof Float64Array || data instanceof Int32Array || data instanceof Uint8Array)
      return [name, data] as const;
    throw new Error(`${name} is of a type that no state has`);
  });
  return new Map(arrays);
}

export async function writeHistories(folder: string, { start, item, time }: StoredHistories): Promise<void> {
  const arrays = new Map<string, Int32Array | Float64Array>([
    ['start', start],
    ['item', item],
    ['time', time],
  ]);
  await writeArrays(join(folder, servingFiles.histories), arrays);
}

/** @throws CourierError of reading; Error that says what is wrong with the content */
export async function readHistories(
  folder: string,
  { users, items }: Pick<ServingManifest, 'users' | 'items'>,
): Promise<StoredHistories> {
  const arrays = await readArrays(join(folder, servingFiles.histories), 'Histories');
  const [start, item] = [integersOf(arrays, 'start'), integersOf(arrays, 'item')];
  const time = await doublesOf(arrays, 'time');
  const fits = start.length === users + 1 && start[0] === 0 && start[users] === item.length;
  if (!fits || item.length !== time.length) throw new Error('its histories are not those of its users');
  for (let user = 0; user < users; user++) {
    if (user % rowsBetweenPauses === 0) await safePlace(undefined);
    if (start[user]! > start[user + 1]!) throw new Error('its histories overlap');
    for (let place = start[user]! + 1; place < start[user + 1]!; place++)
      if (time[place - 1]! > time[place]!) throw new Error('its histories are not in order');
  }
  for (let place = 0; place < item.length; place++) {
    if (place % rowsBetweenPauses === 0) await safePlace(undefined);
    if (item[place]! < 0 || item[place]! >= items)
      throw new Error('its histories have items that there are not');
  }
  return { start, item, time };
}

/** Every index in the state of counters is one of a user, an item, or a value of a category. */
export async function requireIndices(
  arrays: StateArrays,
  { users, items, categories }: Pick<ServingManifest, 'users' | 'items' | 'categories'>,
): Promise<void> {
  const within = async (values: Int32Array, end: number, step: number, from: number, what: string) => {
    for (let at = from; at < values.length; at += step) {
      if ((at - from) % (step * rowsBetweenPauses) === 0) await safePlace(undefined);
      if (values[at]! < 0 || values[at]! >= end)
        throw new Error(`its counters have a ${what} that there is not`);
    }
  };
  const pairs = async (name: string, ends: readonly [number, number], what: string) => {
    const values = integersOf(arrays, name);
    await within(values, ends[0], 2, 0, 'user');
    await within(values, ends[1], 2, 1, what);
  };
  await pairs('past/pairs/pairs', [users, items], 'item');
  for (const { name, values } of categories)
    await pairs(`category/${name}/pairs/pairs`, [users, values.length], `value of ${name}`);
  for (const part of ['shared', 'own']) {
    await within(integersOf(arrays, `${part}/user`), users, 1, 0, 'user');
    await within(integersOf(arrays, `${part}/item`), items, 1, 0, 'item');
    bytesOf(arrays, `${part}/clicked`);
  }
}
