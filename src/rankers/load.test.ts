import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallRanker } from '../../test/support/small-ranker.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { decodeModel, encodeModel } from '../graph/onnx-schema.ts';
import { Engine } from '../runtime/engine.ts';
import { type ExportedFrom, exportRanker } from './export.ts';
import { type RawExposure, rawExposures } from './exposure.ts';
import { rowsOfSplit } from './fields.ts';
import { readIdRows, writeIdRows } from './id-rows.ts';
import { type LoadedRanker, loadRanker } from './load.ts';

describe('loading an exported ranker', () => {
  let engine: Engine;
  let folder: string;
  let from: ExportedFrom;
  let ranker: LoadedRanker;
  let exposures: readonly RawExposure[];
  /** Exposures whose candidates training did not show often enough. */
  let unseen: readonly RawExposure[];

  beforeAll(async () => {
    engine = Engine.start({ threads: 1 });
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    from = await smallRanker('sim-score+attention-cosine+cluster-id', engine);
    await from.ranker.release();
    await exportRanker(folder, from);
    ranker = await loadRanker(folder, engine);
    const { fields } = from.ranker.assembler;
    const rows = rowsOfSplit(from.dataset, 'validation');
    const { item } = from.dataset.exposures;
    const rare = rows.filter((row) => fields.item[0]!.rowOf[item[row]!] === fields.item[0]!.unknownRow);
    exposures = rawExposures(from.dataset, from.ranker.feature, rows.subarray(0, 50));
    unseen = rawExposures(from.dataset, from.ranker.feature, rare.subarray(0, 50));
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A copy of the exported folder. */
  async function copied(): Promise<string> {
    const copy = await temporaryFolder();
    await cp(folder, copy, { recursive: true });
    return copy;
  }

  async function changeDescription(copy: string, change: (about: Record<string, unknown>) => unknown) {
    const path = join(copy, 'ranker.json');
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
  }

  /** Lets ranker.json mean the file as it is now. */
  async function forge(copy: string, key: string, name: string): Promise<void> {
    const bytes = await readFile(join(copy, name));
    const file = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    await changeDescription(copy, (about) => ({
      ...about,
      files: Object.assign({}, about['files'], { [key]: file }),
    }));
  }

  it('starts and ends an engine of its own where none is given', async () => {
    const own = await loadRanker(folder);
    expect([...(await own.score(exposures))].every((score) => score > 0 && score < 1)).toBe(true);
    await own.release();
    await expect(own.score(exposures)).rejects.toThrow();
  });

  it('scores exposures the same whatever was scored before them and whatever is beside them', async () => {
    const alone = await Promise.all(exposures.map(async (exposure) => [...(await ranker.score([exposure]))]));
    const sizes = [7, 1, 30, 3, 9];
    const parts = sizes.map((size, index) => {
      const start = sizes.slice(0, index).reduce((sum, each) => sum + each, 0);
      return [start, start + size] as const;
    });
    const beside = await Promise.all(parts.map(([start, end]) => ranker.score(exposures.slice(start, end))));
    for (const [index, score] of beside.flatMap((scores) => [...scores]).entries())
      expect(score).toBeCloseTo(alone[index]![0]!, 6);
  });

  it('tells what the ranker is made of', () => {
    expect(ranker.about).toMatchObject({
      ranker: 'din',
      layout: { historyLength: 5, context: ['device'], categories: ['kind'], codes: ['cluster_6'] },
      visual: { features: 'sim-score+attention-cosine+cluster-id', nearness: true },
      gate: { category: 'kind', values: ['unknown', 'a', 'b'] },
    });
    expect(ranker.about.visual.groups.map(({ length }) => length)).toEqual([8, 3]);
  });

  it('scores an id from elsewhere as one that training never saw, and that finitely', async () => {
    expect(unseen.length).toBeGreaterThan(20);
    const { catalogue } = from.dataset;
    const codes = from.ranker.feature!.codes[0]!.codes;
    const foreign = unseen.map((exposure, index): RawExposure => {
      const code = codes[catalogue.ids.indexOf(exposure.candidate.id)]!;
      const candidate = { ...exposure.candidate, codes: { cluster_6: code < 0 ? null : code } };
      return { ...exposure, candidate: { ...candidate, id: `new item ${index}` } };
    });
    expect(await ranker.score(foreign)).toEqual(await ranker.score(unseen));
    const strangers = exposures.map((exposure) => {
      const unknown = { ...exposure.candidate, id: '', categories: { kind: 'never' } };
      return {
        ...exposure,
        user: '__proto__',
        context: { device: 'fridge' },
        candidate: unknown,
        history: [],
        nearness: [],
      };
    });
    const scores = await ranker.score(strangers);
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true);
  });

  it('knows an id by its text, whatever its company, and takes its codes from the export or as given', async () => {
    const whole = await ranker.score(exposures);
    const reversed = await ranker.score([...exposures].reverse());
    for (const [index, score] of whole.entries()) expect(reversed.at(-1 - index)).toBeCloseTo(score, 6);
    const codes = from.ranker.feature!.codes[0]!.codes;
    const given = (shift: number) =>
      exposures.map(({ candidate, ...rest }) => {
        const code = codes[from.dataset.catalogue.ids.indexOf(candidate.id)]!;
        const cluster = { cluster_6: code < 0 ? null : (code + shift) % 6 };
        return { ...rest, candidate: { ...candidate, codes: cluster } };
      });
    expect(await ranker.score(given(0))).toEqual(whole);
    expect(await ranker.score(given(1))).not.toEqual(whole);
  });

  it('takes texts as ingestion does, and no more of a history than the ranker was trained with', async () => {
    const [first] = exposures;
    const padded = { ...first!, context: { device: ` ${first!.context['device']} ` } };
    const full = exposures.find(({ history }) => history.length === 5)!;
    const longer = {
      ...full,
      history: [...full.history, first!.candidate],
      nearness: [...full.nearness!, 1.5],
    };
    const [plain, same, whole, cut] = await ranker.score([first!, padded, full, longer]);
    expect([same, cut]).toEqual([plain, whole]);
  });

  it.each<[string, (exposure: RawExposure) => RawExposure, string]>([
    ['a base feature that is missing', (one) => ({ ...one, numeric: { noise: 1 } }), 'numeric.constant'],
    ['a misspelt feature', (one) => ({ ...one, numeric: { ...one.numeric, nosie: 1 } }), 'nosie'],
    [
      'a value that is no number',
      (one) => ({ ...one, numeric: { ...one.numeric, noise: Number.NaN } }),
      'noise',
    ],
    ['a value beyond 32 bits', (one) => ({ ...one, numeric: { ...one.numeric, noise: 1e300 } }), '32-bit'],
    ['too few visual values', (one) => ({ ...one, visual: [0] }), 'visual'],
    ['no nearness', ({ nearness: _, ...one }) => one, 'nearness'],
    ['nearness for another history', (one) => ({ ...one, nearness: [1, ...one.nearness!] }), 'nearness'],
    [
      'cosines in place of nearness',
      (one) => ({ ...one, nearness: one.history.map(() => -0.2) }),
      'nearness',
    ],
    [
      'a cluster that there is not',
      (one) => ({ ...one, candidate: { ...one.candidate, codes: { cluster_6: 6 } } }),
      'cluster_6',
    ],
    [
      'an item without its categories',
      (one) => ({ ...one, history: [{ id: 'item1', categories: {} }] }),
      'kind',
    ],
  ])('refuses to score %s', async (_, change, named) => {
    await expect(ranker.score([exposures[1]!, change(exposures[0]!)])).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining(named),
    });
  });

  it('refuses nearness where the ranker does not take it', async () => {
    const blind = await smallRanker('none', engine);
    await blind.ranker.release();
    const own = await temporaryFolder();
    await exportRanker(own, blind);
    const loaded = await loadRanker(own, engine);
    const [exposure] = rawExposures(blind.dataset, null, Int32Array.of(0));
    expect(await loaded.score([exposure!])).toHaveLength(1);
    const nearness = exposure!.history.map(() => 1);
    await expect(loaded.score([{ ...exposure!, nearness }])).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining('nearness'),
    });
    await loaded.release();
  });

  it('does not call its folder corrupt when the compute thread has ended', async () => {
    const ended = Engine.start({ threads: 1 });
    const own = await loadRanker(folder, ended);
    await ended.close();
    await expect(own.score(exposures)).rejects.toThrow(/^the compute thread ended$/);
    await expect(loadRanker(folder, ended)).rejects.toThrow(/^the compute thread ended$/);
  });

  it('refuses a folder whose model ONNX Runtime does not know', async () => {
    const copy = await copied();
    const path = join(copy, 'ranker.onnx');
    const model = decodeModel(await readFile(path));
    const node = model.graph.node.map((each) => ({ ...each, opType: 'Unheard' }));
    await writeFile(path, encodeModel({ ...model, graph: { ...model.graph, node } }));
    await forge(copy, 'model', 'ranker.onnx');
    await expect(loadRanker(copy, engine)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('Unheard'),
    });
  });

  it.each(['ranker.onnx', 'ids.parquet', 'table.safetensors', 'codes.parquet'])(
    'refuses a folder whose %s was altered, cut or taken away',
    async (name) => {
      const copy = await copied();
      const bytes = await readFile(join(copy, name));
      const altered = Buffer.from(bytes);
      altered[altered.length >> 1]! ^= 1;
      const refusal = { code: 'FILE_CORRUPT', message: expect.stringContaining(name) };
      await writeFile(join(copy, name), altered);
      await expect(loadRanker(copy, engine)).rejects.toMatchObject(refusal);
      await writeFile(join(copy, name), bytes.subarray(0, -1));
      await expect(loadRanker(copy, engine)).rejects.toMatchObject(refusal);
      await rm(join(copy, name));
      await expect(loadRanker(copy, engine)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    },
  );

  it('refuses another format version, an unknown key, and what is no JSON', async () => {
    const copy = await copied();
    const refusal = (part: string) => ({ code: 'FILE_CORRUPT', message: expect.stringContaining(part) });
    await changeDescription(copy, (about) => ({ ...about, version: 1 }));
    await expect(loadRanker(copy, engine)).rejects.toMatchObject(refusal('version'));
    await changeDescription(copy, (about) => ({ ...about, version: 2, model: '../../x' }));
    await expect(loadRanker(copy, engine)).rejects.toMatchObject(refusal('model'));
    await writeFile(join(copy, 'ranker.json'), '{');
    await expect(loadRanker(copy, engine)).rejects.toMatchObject(refusal('ranker.json'));
    await expect(loadRanker(join(copy, 'nowhere'), engine)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('refuses files that are as ranker.json says, but do not fit each other', async () => {
    const copy = await copied();
    const path = join(copy, 'ids.parquet');
    const names = ['user', 'context:device', 'item', 'category:kind', 'code:cluster_6'];
    const { tableRows, dense } = ranker.about;
    const ids = await readIdRows(path, names, tableRows);
    const user = { ...ids.get('user')!, unknown: tableRows };
    await writeIdRows(path, new Map([...ids, ['user', user]]));
    await forge(copy, 'ids', 'ids.parquet');
    await expect(loadRanker(copy, engine)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining(`row ${tableRows}`),
    });
    await writeIdRows(path, new Map([...ids].slice(1)));
    await forge(copy, 'ids', 'ids.parquet');
    await expect(loadRanker(copy, engine)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('user needs one row'),
    });
    for (const [name, count, problem] of [
      ['user', tableRows, 'buckets'],
      ['code:cluster_6', 2, 'codes of photos are hashed'],
    ] as const) {
      const hashed = { kind: 'hashed', missing: 1, buckets: { first: 2, count } } as const;
      await writeIdRows(path, new Map([...ids, [name, hashed]]));
      await forge(copy, 'ids', 'ids.parquet');
      await expect(loadRanker(copy, engine)).rejects.toMatchObject({
        code: 'FILE_CORRUPT',
        message: expect.stringContaining(problem),
      });
    }
    await cp(join(folder, 'ids.parquet'), path);
    await forge(copy, 'ids', 'ids.parquet');
    await changeDescription(copy, (about) => ({ ...about, dense: dense.slice(1) }));
    await expect(loadRanker(copy, engine)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('its model takes'),
    });
  });
});
