import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined, gap } from '../../../test/support/measured.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { NONE, splits } from '../../data/dataset.ts';
import {
  readEmbeddings,
  vectorsOf,
  writeEmbeddings,
  writeTracedEmbeddings,
} from '../../data/embeddings/embeddings.ts';
import { loadDataset } from '../../data/store.ts';
import type { AttendedClick } from '../../evaluation/attention.ts';
import { effectiveItems, summariseAttention } from '../../evaluation/attention-summary.ts';
import { ItemEmbeddings } from '../../features/item-embeddings.ts';
import type { Measured } from '../../metrics/measured.ts';
import { encoderFile } from '../../training/written-encoder.ts';
import { embed } from '../embed/index.ts';
import { pretrain } from '../pretrain/index.ts';
import { categoryColumn } from './catalogue.ts';
import { nearestItems } from './neighbours.ts';

/** The parts of explain.json used here. */
interface ExplainedJson {
  readonly clicks: readonly {
    readonly user: string;
    readonly item: string;
    readonly time: string;
    readonly effectiveItems: number;
    readonly history: readonly { readonly item: string; readonly weight: number; readonly cosine: number }[];
  }[];
  readonly neighbours: readonly {
    readonly item: string;
    readonly sources: readonly {
      readonly name: string;
      readonly neighbours: readonly { readonly item: string; readonly cosine: number }[] | null;
    }[];
  }[];
  readonly map: { readonly points: readonly { readonly item: string; readonly clickRate: number | null }[] };
  readonly information: Measured<{
    readonly sources: readonly { readonly name: string; readonly plugIn: number }[];
  }>;
}

describe('explain', () => {
  let folder: string;
  let dataset: string;
  let run: string;
  let embeddings: string;
  /** A second file of embeddings, in which one item has none. */
  let other: string;
  let bare: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    run = join(folder, 'encoder');
    await pretrain({ ...tinyPretraining, dataset, out: run });
    embeddings = join(folder, 'embeddings.parquet');
    await embed({ dataset, encoder: join(run, encoderFile), out: embeddings });
    const { ids, dimension, vectors } = await readEmbeddings(embeddings);
    bare = ids[0]!;
    other = join(folder, 'other.parquet');
    const turned = vectors.slice().fill(0, 0, dimension);
    await writeEmbeddings(other, { ids, dimension, vectors: turned });
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function explain(...words: string[]) {
    const quick = ['--set', 'clusters=5', '--set', 'permutations=20', '--set', 'mapExposures=1'];
    return courier('explain', '--json', '--dataset', dataset, '--encoder-run', run, ...quick, ...words);
  }

  async function read(out: string): Promise<ExplainedJson> {
    return JSON.parse(await readFile(join(out, 'explain.json'), 'utf8'));
  }

  it('explains clicks of the validation split by earlier clicks, and shows a page with their photos', async () => {
    const out = join(await temporaryFolder(), 'run');
    const ran = await explain('--embeddings', `${embeddings},other=${other}`, '--clicks', '3', '--out', out);
    expect([ran.exitCode, ran.stderr]).toMatchObject([0, expect.stringContaining('Page: ')]);
    expect(ran.json).toMatchObject({ ok: true, clicks: 3, attention: { split: 'validation' } });
    const explained = await read(out);
    const loaded = await loadDataset(dataset);
    loaded.images.close();
    for (const { user, item, time, history, effectiveItems } of explained.clicks) {
      const clicked = loaded.pageViews.user.findIndex(
        (one, view) =>
          loaded.users[one] === user &&
          new Date(loaded.pageViews.time[view]!).toISOString() === time &&
          loaded.pageViews.split[view] === splits.indexOf('validation'),
      );
      expect(clicked).not.toBe(-1);
      const from = clicked * loaded.pageViews.historyLength;
      const before = [
        ...loaded.pageViews.history.subarray(from, from + loaded.pageViews.historyLength),
      ].flatMap((earlier) => (earlier === NONE ? [] : [loaded.catalogue.ids[earlier]!]));
      expect(before).toEqual(expect.arrayContaining(history.map((earlier) => earlier.item)));
      expect(loaded.catalogue.ids).toContain(item);
      expect(history.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 4);
      expect(effectiveItems).toBeGreaterThanOrEqual(1);
      expect(effectiveItems).toBeLessThanOrEqual(history.length + 1e-6);
      for (const { cosine } of history) expect(Math.abs(cosine)).toBeLessThan(1.001);
    }
    expect(explained.neighbours[0]?.sources.map(({ name }) => name)).toEqual(['courier', 'other']);
    expect(explained.map.points).toHaveLength(60);
    expect(defined(explained.information).sources.map(({ name }) => name)).toEqual(['courier', 'other']);
    const page = await readFile(join(out, 'explain.html'), 'utf8');
    expect(page.match(/<img class="photo" src="data:image\/jpeg/g)?.length).toBeGreaterThan(10);
  });

  it('has a gap for what clusters tell where no item has an embedding in every file, and everything else', async () => {
    const root = await temporaryFolder();
    const empty = join(root, 'empty.parquet');
    const { ids, dimension, vectors } = await readEmbeddings(embeddings);
    await writeEmbeddings(empty, { ids, dimension, vectors: vectors.slice().fill(0) });
    const out = join(root, 'run');
    const ran = await explain('--embeddings', `${embeddings},empty=${empty}`, '--clicks', '3', '--out', out);
    const why = 'Mutual information of cluster and click is undefined: there are no exposures.';
    expect([ran.exitCode, ran.stderr]).toMatchObject([0, expect.stringContaining(why)]);
    const { clicks, map, information } = await read(out);
    expect([clicks.length, map.points.length, information]).toEqual([3, 60, gap(why)]);
  });

  it('gives the same file again, and the same whether it embeds the catalogue itself', async () => {
    const root = await temporaryFolder();
    const [given, own] = [join(root, 'given'), join(root, 'own')];
    await explain('--embeddings', embeddings, '--out', given);
    const first = await readFile(join(given, 'explain.json'));
    await explain('--embeddings', embeddings, '--out', given);
    expect((await readFile(join(given, 'explain.json'))).equals(first)).toBe(true);
    await explain('--out', own);
    const weights = (explained: ExplainedJson) =>
      explained.clicks.flatMap(({ history }) => history.map(({ weight }) => weight));
    const [a, b] = [weights(await read(given)), weights(await read(own))];
    expect(a.length).toBe(b.length);
    for (const [place, weight] of a.entries()) expect(b[place]).toBeCloseTo(weight, 4);
    const refused = await explain('--embeddings', embeddings, '--seed', '2', '--out', given);
    expect(refused.json).toMatchObject({ error: { code: 'OUTPUT_EXISTS' } });
  });

  it('shows the clicks of one user or on one item, newest first', async () => {
    const root = await temporaryFolder();
    const words = ['--embeddings', embeddings, '--split', 'train', '--clicks', '60'];
    await explain(...words, '--out', join(root, 'all'));
    const { user, item } = (await read(join(root, 'all'))).clicks[0]!;
    await explain(...words, '--user', user, '--out', join(root, 'user'));
    const ofUser = (await read(join(root, 'user'))).clicks;
    expect(new Set(ofUser.map((click) => click.user))).toEqual(new Set([user]));
    const times = ofUser.map(({ time }) => time);
    expect(times).toEqual(times.toSorted().reverse());
    await explain(...words, '--item', item, '--out', join(root, 'item'));
    const onItem = (await read(join(root, 'item'))).clicks;
    expect(new Set(onItem.map((click) => click.item))).toEqual(new Set([item]));
  });

  it('names what is unknown, what has no attention, and embeddings of another encoder', async () => {
    const root = await temporaryFolder();
    const refuse = async (code: string, part: string, ...words: string[]) => {
      const ran = await explain('--out', join(root, 'no'), ...words);
      expect([ran.exitCode, ran.json, ran.stderr]).toMatchObject([
        1,
        { ok: false, error: { code } },
        expect.stringContaining(part),
      ]);
    };
    await refuse('VALUE_INVALID', 'no user nobody.\nName one as the log writes it', '--user', 'nobody');
    await refuse('VALUE_INVALID', 'no item nothing', '--item', 'nothing');
    await refuse('CONFIG_INVALID', 'no category column taste', '--set', 'category=taste');
    await refuse('CONFIG_INVALID', '`split`', '--split', 'tomorrow');
    await refuse('FILE_NOT_FOUND', 'Embeddings not found', '--embeddings', `x=${join(root, 'none.parquet')}`);
    await refuse('FILE_NOT_FOUND', 'Manifest of the encoder run', '--encoder-run', root);
    await refuse('FILE_CORRUPT', 'not of a run of pretrain', '--encoder-run', await ofAnotherPipeline(root));

    const mean = join(root, 'mean');
    const objective = { ...tinyPretraining.objective, form: 'mean' as const };
    await pretrain({ ...tinyPretraining, steps: 2, objective, dataset, out: mean });
    await refuse('FILE_NOT_FOUND', 'its reconstruction (mean) does not ask', '--encoder-run', mean);

    const stored = await readEmbeddings(embeddings);
    const foreign = join(root, 'foreign.parquet');
    const origin = { encoder: 'another', precision: 'float32', model: 'another' };
    await writeTracedEmbeddings(foreign, {
      ids: stored.ids,
      vectors: vectorsOf(stored),
      hashes: stored.ids.map(() => 'h'),
      provenance: { origin, learnedUntil: null, photosOf: null },
    });
    await refuse('VALUE_INVALID', 'another encoder gave them', '--embeddings', foreign);
    const short = join(root, 'short.parquet');
    await writeEmbeddings(short, { ids: [bare], dimension: 2, vectors: Float32Array.of(1, 0) });
    await refuse('VALUE_INVALID', 'they have length 2, not 16', '--embeddings', short);
  });

  async function ofAnotherPipeline(root: string): Promise<string> {
    await writeFile(join(root, 'manifest.json'), JSON.stringify({ pipeline: 'embed', config: {} }));
    return root;
  }
});

describe('the neighbours of an item', () => {
  const catalogue = { ids: ['a', 'b', 'c', 'd', 'e'] };
  const vectors = Float32Array.of(1, 0, 0.8, 0.6, 0.6, 0.8, 0.6, 0.8, 0, 0);
  const embeddings = ItemEmbeddings.forCatalogue(catalogue, catalogue.ids, vectors);
  const dataset = (...photo: number[]) => ({
    catalogue: { ...catalogue, photo: Int32Array.from(photo), titles: [], categories: [] },
  });

  it('are the nearest first, equal ones in the order of the catalogue, never itself or one without an embedding', () => {
    const found = nearestItems(dataset(0, 1, 2, 3, 4), embeddings, 0, 9);
    expect(found?.map(({ item }) => item)).toEqual([1, 2, 3]);
    expect(found?.[0]?.cosine).toBeCloseTo(0.8, 6);
    expect(nearestItems(dataset(0, 1, 2, 3, 4), embeddings, 4, 9)).toBeNull();
  });

  it('leave out copies of a photo', () => {
    const found = nearestItems(dataset(0, 0, 2, 2, 4), embeddings, 0, 9);
    expect(found?.map(({ item }) => item)).toEqual([2]);
  });
});

describe('the category of the map', () => {
  const column = (name: string, values: number) => ({
    name,
    values: Array.from({ length: values }, String),
    codes: new Int32Array(100),
  });
  const chosen = (...categories: ReturnType<typeof column>[]) => {
    const ids = Array.from({ length: 100 }, String);
    return categoryColumn(
      { catalogue: { ids, photo: new Int32Array(100), titles: [], categories } },
      undefined,
    );
  };

  it('is the first that is not nearly an id, or the coarsest', () => {
    expect(chosen(column('code', 90), column('type', 5), column('colour', 3))?.name).toBe('type');
    expect(chosen(column('code', 90), column('group', 30))?.name).toBe('group');
    expect(chosen()).toBeNull();
  });
});

describe('a summary of attention', () => {
  const click = (pageView: number, ...history: readonly (readonly [number, number])[]): AttendedClick => ({
    pageView,
    item: 0,
    history: history.map(([weight, cosine], item) => ({ item, weight, cosine })),
  });
  const pageViews = {
    user: Int32Array.of(0, 1, 1),
    time: new Float64Array(3),
    split: Uint8Array.of(1, 1, 1),
    start: Int32Array.of(0, 1, 2, 3),
    history: new Int32Array(),
    historyLength: 0,
  };

  it('counts the earlier clicks that carry it: one, or all that share it evenly', () => {
    expect(effectiveItems(click(0, [1, 0], [0, 0], [0, 0]))).toBe(1);
    expect(effectiveItems(click(0, [0.25, 0], [0.25, 0], [0.25, 0], [0.25, 0]))).toBeCloseTo(4, 12);
  });

  it('tells attention that follows similarity from attention that follows recency', () => {
    const attended = [
      click(0, [0.2, 0.1], [0.3, 0.5], [0.5, 0.9]),
      click(1, [0.1, -0.2], [0.2, 0], [0.7, 0.1]),
      click(2, [1, 0.4]),
    ];
    const summary = summariseAttention({ pageViews }, attended);
    expect(summary).toMatchObject({ split: 'validation', clicks: 3, users: 2, historyItems: 7 / 3 });
    expect(summary?.similarity).toMatchObject({ clicks: 2, mean: 1, ci95: null });
    expect(summary?.recency).toMatchObject({ clicks: 2, mean: -1 });
    expect(summary?.similarity?.histogram.at(-1)).toEqual({ around: 1, clicks: 2 });
    expect(summary?.concentration.map(({ historyItems, clicks }) => [historyItems, clicks])).toEqual([
      [1, 1],
      [3, 2],
    ]);
    expect(summariseAttention({ pageViews }, [])).toBeNull();
  });

  it('has no correlation where nothing can be compared', () => {
    const even = click(0, [0.25, 0.1], [0.25, 0.2], [0.25, 0.3], [0.25, 0.4]);
    expect(summariseAttention({ pageViews }, [even, click(1, [0.4, 0], [0.6, 1])])?.similarity).toBeNull();
  });
});
