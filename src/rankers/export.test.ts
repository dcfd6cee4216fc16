import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectForOldRuntimes } from '../../test/support/old-runtime.ts';
import { smallRanker } from '../../test/support/small-ranker.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { readParquet } from '../data/duckdb/parquet-table.ts';
import { featureNames } from '../features/index.ts';
import { decodeModel } from '../graph/onnx-schema.ts';
import { Engine } from '../runtime/engine.ts';
import { rankerConfig } from './config.ts';
import { type ExportedFrom, exportRanker } from './export.ts';
import { exportFiles } from './export-format.ts';
import { rawExposures } from './exposure.ts';
import { rowsOfSplit } from './fields.ts';
import { loadRanker } from './load.ts';
import { rowOfText } from './vocabulary.ts';

describe('an exported ranker', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  async function scoresAfter(
    folder: string,
    { ranker: { feature }, dataset }: ExportedFrom,
    rows: Int32Array,
  ) {
    const ranker = await loadRanker(folder, engine);
    const scores = await ranker.score(rawExposures(dataset, feature, rows));
    await ranker.release();
    return scores;
  }

  function largestDifference(one: Float32Array, other: Float32Array): number {
    expect(other).toHaveLength(one.length);
    return one.reduce((most, value, index) => Math.max(most, Math.abs(value - other[index]!)), 0);
  }

  describe.each(rankerConfig.shape.ranker.def.innerType.options)('%s', (name) => {
    it.each(['none', 'sim-score+cluster-id'])(
      'scores as it did before, within 1e-5, as a model that ONNX Runtime 1.17 loads, with features %s',
      async (features) => {
        const from = await smallRanker(features, engine, { ranker: name });
        const folder = await temporaryFolder();
        await exportRanker(folder, from);
        expectForOldRuntimes(await readFile(join(folder, exportFiles.model)));
        const rows = rowsOfSplit(from.dataset, 'validation');
        const before = await from.ranker.scorer.score(rows);
        await from.ranker.release();
        expect(Math.max(...before) - Math.min(...before)).toBeGreaterThan(0.05);
        expect(largestDifference(before, await scoresAfter(folder, from, rows))).toBeLessThanOrEqual(1e-5);
        const alone = await scoresAfter(folder, from, rows.subarray(0, 1));
        expect(alone[0]).toBeCloseTo(before[0]!, 5);
      },
    );
  });

  it.each([...featureNames, featureNames.join('+')])(
    'scores as it did before, within 1e-5, with features %s',
    async (features) => {
      const from = await smallRanker(features, engine);
      const folder = await temporaryFolder();
      await exportRanker(folder, from);
      const rows = rowsOfSplit(from.dataset, 'validation');
      const before = await from.ranker.scorer.score(rows);
      await from.ranker.release();
      expect(largestDifference(before, await scoresAfter(folder, from, rows))).toBeLessThanOrEqual(1e-5);
    },
  );

  it('scores as it did before where ids are hashed, and takes ids that nobody has seen', async () => {
    const from = await smallRanker('sim-score+cluster-id', engine, { idBuckets: 64 });
    const folder = await temporaryFolder();
    await exportRanker(folder, from);
    const rows = rowsOfSplit(from.dataset, 'validation');
    const before = await from.ranker.scorer.score(rows);
    await from.ranker.release();
    expect(largestDifference(before, await scoresAfter(folder, from, rows))).toBeLessThanOrEqual(1e-5);
    const ranker = await loadRanker(folder, engine);
    const [exposure] = rawExposures(from.dataset, from.ranker.feature, rows.subarray(0, 1));
    // Of a thousand new ids in 64 rows, some meet the row of the known one, and then nothing tells them apart.
    const { buckets } = from.ranker.assembler.fields.user;
    const rowOf = (user: string) => rowOfText(user, buckets!);
    const fresh = Array.from({ length: 1000 }, (_, id) => `never seen ${id}`);
    const alike = fresh.find((user) => rowOf(user) === rowOf(exposure!.user));
    const other = fresh.find((user) => rowOf(user) !== rowOf(exposure!.user));
    const scores = await ranker.score(
      [exposure!.user, alike!, other!].map((user) => ({ ...exposure!, user })),
    );
    await ranker.release();
    expect(scores[1]).toBe(scores[0]);
    expect(scores[2]).not.toBe(scores[0]);
  });

  it('is a model that takes any number of exposures', async () => {
    const from = await smallRanker('sim-score+attention-cosine+cluster-id', engine);
    await from.ranker.release();
    const folder = await temporaryFolder();
    await exportRanker(folder, from);
    const { graph } = decodeModel(await readFile(join(folder, 'ranker.onnx')));
    const named = [...graph.input, ...graph.output].map(({ name, type }) => [
      name,
      type?.tensorType?.shape?.dim.map(({ dimParam, dimValue }) => dimParam ?? dimValue),
    ]);
    expect(Object.fromEntries(named)).toEqual({
      // User, device; item and kind of the candidate and 5 clicks; its cluster and theirs.
      embedded: ['exposures', 2 + 2 * 6 + 6, 4],
      historyMask: ['exposures', 5],
      dense: ['exposures', 2],
      visual: ['exposures', 11],
      nearness: ['exposures', 5],
      category: ['exposures'],
      scores: ['exposures', 1],
    });
  });

  it('has a row for every id that training showed often enough, and says which is for all others', async () => {
    const from = await smallRanker('cluster-id', engine);
    await from.ranker.release();
    const folder = await temporaryFolder();
    await exportRanker(folder, from);
    const { fields, kinds, values, places } = await readParquet(
      join(folder, 'ids.parquet'),
      async (table) => ({
        fields: await table.texts('field'),
        kinds: await table.texts('kind'),
        values: await table.texts('value'),
        places: await table.integers('row'),
      }),
    );
    const names = ['user', 'context:device', 'item', 'category:kind', 'code:cluster_6'];
    expect([...new Set(fields)]).toEqual(names);
    for (const name of names) {
      const special = kinds.filter((kind, line) => fields[line] === name && kind !== 'id');
      expect(special).toEqual(['unknown', 'missing']);
    }
    const { dataset } = from;
    const shown = new Map<string, number>();
    for (const row of rowsOfSplit(dataset, 'train')) {
      const id = dataset.catalogue.ids[dataset.exposures.item[row]!]!;
      shown.set(id, (shown.get(id) ?? 0) + 1);
    }
    const often = [...shown].flatMap(([id, times]) => (times >= 2 ? [id] : []));
    const known = values.filter((_, line) => fields[line] === 'item' && kinds[line] === 'id');
    expect([...known].sort()).toEqual(often.sort());
    const rows = places.filter((_, line) => kinds[line] === 'id');
    expect(new Set(rows).size).toBe(rows.length);
  });

  it('is the same to the byte when it is exported again', async () => {
    const from = await smallRanker('sim-score+cluster-id', engine, { ranker: 'mlp' });
    const [one, other] = [await temporaryFolder(), await temporaryFolder()];
    await exportRanker(one, from);
    await exportRanker(other, from);
    await from.ranker.release();
    const files = (await readdir(one)).sort();
    expect(files).toEqual([
      'codes.parquet',
      'ids.parquet',
      'ranker.json',
      'ranker.onnx',
      'table.safetensors',
    ]);
    for (const file of files)
      expect(await readFile(join(one, file))).toEqual(await readFile(join(other, file)));
  });
});
