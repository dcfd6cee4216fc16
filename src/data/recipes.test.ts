import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { courier } from '../../test/support/terminal.ts';
import { writeTinyMl1m } from '../../test/support/tiny-ml1m.ts';
import { writePhoto, writeTinyHm } from '../../test/support/tiny-shop.ts';
import { NONE } from './dataset.ts';
import { literal, withDuckDB } from './duckdb/duckdb.ts';
import { readRecipe, recipeNames } from './recipes.ts';
import { loadDataset } from './store.ts';

const items = Array.from({ length: 12 }, (_, item) => `${100 + item}`);

/** Sixty page views of three items by five users, an hour apart; the first item is clicked. */
const views = `SELECT view, view % 5 AS person, 1700000000 + 3600 * view AS seconds, make_timestamp(1700000000000000 + 3600000000 * view) AS moment,
  [100 + view % 12, 100 + (view + 5) % 12, 100 + (view + 7) % 12] AS shown FROM range(60) AS numbers(view)`;

/** Where nothing but clicks is known: every user with twelve different items. */
const clicks = `SELECT number % 5 AS person, 100 + (number // 5) % 12 AS item, 1700000000 + 3600 * number AS seconds,
  make_timestamp(1700000000000000 + 3600000000 * number) AS moment FROM range(60) AS numbers(number)`;

/** Writes tables in the layout of the original, as SQL, by file. */
const layouts: Readonly<
  Record<string, { readonly files: Readonly<Record<string, string>>; readonly photos?: string }>
> = {
  qilin: {
    files: {
      'recommendation_train/part-0.parquet': `SELECT view AS request_idx, view AS session_idx, person AS user_idx, '' AS query, []::BIGINT[] AS recent_clicked_note_idxs,
        list_transform(shown, lambda item, place: {'note_idx': item, 'position': place, 'click': (place = 1)::INT, 'like': 0, 'request_timestamp': seconds}) AS rec_result_details_with_idx FROM (${views})`,
      'notes/part-0.parquet': `SELECT 100 + number AS note_idx, 'Note' AS note_title, 'text' AS note_content, 1 AS note_type, [format('{}.jpg', 100 + number)] AS image_path,
        'a' AS taxonomy1_id, 'b' AS taxonomy2_id, 'c' AS taxonomy3_id FROM range(12) AS numbers(number)`,
    },
    photos: 'image',
  },
  'eb-nerd': {
    files: {
      'train/behaviors.parquet': `SELECT view AS impression_id, NULL::INT AS article_id, moment AS impression_time, shown AS article_ids_inview, shown[1:1] AS article_ids_clicked,
        person AS user_id, view AS session_id, 2 AS device_type FROM (${views})`,
      'articles.parquet': `SELECT 100 + number AS article_id, 'Title' AS title, 'sport' AS category_str, 'article' AS article_type FROM range(12) AS numbers(number)`,
    },
  },
  mind: {
    files: {
      'behaviors.tsv': `SELECT view, 'U' || person, strftime(moment, '%-m/%-d/%Y %-I:%M:%S %p'), 'N1 N2',
        array_to_string(list_transform(shown, lambda item, place: format('N{}-{}', item, (place = 1)::INT)), ' ') FROM (${views})`,
      'news.tsv': `SELECT 'N' || (100 + number), 'sport', 'football', 'A "title"', 'Abstract', 'https://news.example', '[]', '[]' FROM range(12) AS numbers(number)`,
    },
  },
  microlens: {
    files: {
      'MicroLens-50k_pairs.csv': `SELECT person AS user, item, 1000 * seconds AS timestamp FROM (${clicks})`,
      'MicroLens-50k_titles.csv': `SELECT 100 + number AS item, 'A title, with a comma' AS title FROM range(12) AS numbers(number)`,
    },
    photos: 'covers',
  },
  'amazon-reviews-2023': {
    files: {
      'reviews/Fashion.jsonl': `SELECT 'A' || person AS user_id, '' || item AS parent_asin, 5.0 AS rating, 1000 * seconds AS timestamp FROM (${clicks})`,
      'meta/meta_Fashion.jsonl': `SELECT '' || (100 + number) AS parent_asin, 'Title' AS title, 'Fashion' AS main_category, [{'thumb': 'https://shop.example/a.jpg'}] AS images FROM range(12) AS numbers(number)`,
    },
    photos: 'images',
  },
  pixelrec: {
    files: {
      'interactions.csv': `SELECT 'i' || item AS item_id, 'u' || person AS user_id, seconds AS timestamp FROM (${clicks})`,
      'item_info.csv': `SELECT 'i' || (100 + number) AS item_id, 9 AS view_number, 'Title' AS title, 'tag' AS tag FROM range(12) AS numbers(number)`,
    },
    photos: 'covers/i',
  },
  mmctr: {
    files: {
      'train.parquet': `SELECT person AS user_id, list_transform(shown[2:3], lambda item: item::INT) AS item_seq, shown[1] AS item_id, 1 AS likes_level, 2 AS views_level, view % 2 AS label FROM (${views})`,
      'valid.parquet': `SELECT person AS user_id, list_transform(shown[2:3], lambda item: item::INT) AS item_seq, shown[1] AS item_id, 1 AS likes_level, 2 AS views_level, view % 2 AS label FROM (${views}) WHERE view < 30`,
      'item_info.parquet': `SELECT 100 + number AS item_id, [1, 2, 3, 4, 5] AS item_tags, [number, 1.0, 0.5] AS item_emb_d128 FROM range(12) AS numbers(number)`,
    },
  },
  'taobao-mm': {
    files: {
      'train/0.parquet': `SELECT [1 - view % 2, view % 2] AS label_0, person AS "129_1", shown[1] AS "205" FROM (${views})`,
      'test/0.parquet': `SELECT [1 - view % 2, view % 2] AS label_0, person AS "129_1", shown[1] AS "205" FROM (${views}) WHERE view < 30`,
      'users/0.parquet': `SELECT number AS "129_1", [100, 101 + number, 102 + number] AS "150_2_180" FROM range(5) AS numbers(number)`,
      'items/0.parquet': `SELECT 100 + number AS "205", number % 3 AS "206" FROM range(12) AS numbers(number)`,
    },
  },
  'compact-times': {
    files: {
      'train.csv': `SELECT view * 3 + place AS id, (place = 1)::INT AS click, strftime(moment, '%y%m%d%H') AS hour, 1 AS banner_pos, 'news' AS site_category, 'app' AS app_category,
        'ip' || person AS device_ip, 'phone' AS device_model, item AS C14 FROM (SELECT *, unnest(shown) AS item, generate_subscripts(shown, 1) AS place FROM (${views}))`,
    },
  },
  kuairand: {
    files: {
      'log_standard_1.csv': `SELECT person AS user_id, item AS video_id, 1000 * seconds AS time_ms, (place = 1)::INT AS is_click, 0 AS is_rand, 1 AS tab
        FROM (SELECT *, unnest(shown) AS item, generate_subscripts(shown, 1) AS place FROM (${views}))`,
    },
  },
  vibrent: {
    files: {
      'user_activity_triplets.csv': `SELECT 'c' || person AS "customer.id", 'o' || item AS "outfit.id", strftime(moment, '%Y-%m-%d %H:%M:%S') AS "rentalPeriod.start", '' AS "rentalPeriod.end" FROM (${clicks})`,
      'picture_triplets.csv': `SELECT '' || (100 + number) || suffix AS "picture.id", 'o' || (100 + number) AS "outfit.id", displayOrder FROM range(12) AS numbers(number), (VALUES ('', 0), ('-back', 1)) AS pictures(suffix, displayOrder)`,
      'outfits.csv': `SELECT 'o' || (100 + number) AS id, 'Dress' AS name, 'dresses' AS "group" FROM range(12) AS numbers(number)`,
    },
    photos: 'pictures',
  },
};

async function writeLayout(name: string, folder: string): Promise<void> {
  const { files = {}, photos } = layouts[name] ?? {};
  for (const [file, sql] of Object.entries(files)) {
    const path = join(folder, file);
    await mkdir(join(path, '..'), { recursive: true });
    const format = file.endsWith('.parquet')
      ? '(FORMAT parquet)'
      : file.endsWith('.jsonl')
        ? '(FORMAT json)'
        : file.endsWith('.tsv')
          ? "(FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '')"
          : `(FORMAT csv, HEADER true, DELIMITER '${name === 'vibrent' ? ';' : ','}')`;
    await withDuckDB([join(path, '..')], (connection) =>
      connection.run(`COPY (${sql}) TO ${literal(path)} ${format}`),
    );
  }
  if (photos === undefined) return;
  const [photoFolder = '', prefix = ''] = photos.split('/');
  await mkdir(join(folder, photoFolder), { recursive: true });
  for (const [number, item] of items.entries())
    await writePhoto(join(folder, photoFolder, `${prefix}${item}.jpg`), 20 * number);
}

describe('the recipe', () => {
  it.each(Object.keys(layouts))('%s ingests files in the layout of the original', async (name) => {
    const folder = join(await temporaryFolder(), "data's");
    await writeLayout(name, folder);
    const out = join(folder, 'out');
    const ran = await courier(
      ...['ingest', '--json', '--recipe', name, '--data', folder, '--out', out, '--side', '8'],
    );
    expect(ran.stderr).not.toMatch(/Error/);
    const isExposed = ['qilin', 'eb-nerd', 'mind', 'compact-times', 'kuairand'].includes(name);
    // Each exposure by itself, with its history beside it.
    const isAlone = ['mmctr', 'taobao-mm'].includes(name);
    expect(ran.json).toMatchObject({
      ok: true,
      counts: {
        users: 5,
        items: 12,
        'items with photo': layouts[name]?.photos === undefined ? 0 : 12,
        ...(isExposed ? { 'page views': 60, exposures: 180, clicks: 60 } : {}),
        ...(isAlone ? { 'page views': 90, exposures: 90, clicks: 45 } : {}),
        ...(isExposed || isAlone ? {} : { clicks: 60 }),
      },
    });
  });

  it.each([
    // The newest stands last, in a row for the page view and in a table of users.
    ['mmctr', ['107', '105']],
    ['taobao-mm', ['102', '101', '100']],
  ])(
    '%s takes histories as they come, and its vectors go through rank and cluster',
    async (name, expected) => {
      const folder = await temporaryFolder();
      await writeLayout(name, folder);
      const out = join(folder, 'out');
      await courier('ingest', '--recipe', name, '--data', folder, '--out', out, '--side', '8');
      const { catalogue, pageViews, images } = await loadDataset(out);
      images.close();
      const first = [...pageViews.history.subarray(0, pageViews.historyLength)].filter(
        (item) => item !== NONE,
      );
      expect(first.map((item) => catalogue.ids[item])).toEqual(expected);
      const embeddings = join(folder, 'vectors.parquet');
      await withDuckDB([folder], (connection) =>
        connection.run(`COPY (SELECT 100 + number AS item, [number - 6, 1, 40, 100]::TINYINT[] AS vector FROM range(12) AS numbers(number))
        TO ${literal(embeddings)} (FORMAT parquet)`),
      );
      const ranked = await courier(
        ...['rank', '--json', '--dataset', out, '--embeddings', embeddings, '--features', 'none,sim-score'],
        ...[
          '--seeds',
          '1',
          '--set',
          'starts=["scratch"]',
          '--set',
          'ranker.epochs=1',
          '--set',
          'diagnosis=false',
        ],
        ...['--out', join(folder, 'rank')],
      );
      expect([ranked.exitCode, ranked.stderr.match(/Error.*/)?.[0]]).toEqual([0, undefined]);
      const clustered = await courier(
        ...['cluster', '--embeddings', embeddings, '--clusters', '3', '--out', join(folder, 'clusters')],
      );
      expect(clustered.exitCode).toBe(0);
    },
  );

  it('hm, hm-v1 and ml1m ingest theirs', async () => {
    const shop = await temporaryFolder();
    await writeTinyHm(shop);
    const films = await temporaryFolder();
    const { folder } = await writeTinyMl1m(films);
    for (const [name, data] of [
      ['hm', shop],
      ['hm-v1', shop],
      ['ml1m', folder],
    ] as const) {
      const out = join(await temporaryFolder(), 'out');
      const ran = await courier(
        ...['ingest', '--json', '--recipe', name, '--data', data, '--out', out, '--side', '8'],
      );
      expect([ran.exitCode, name]).toEqual([0, name]);
    }
  });

  it('of every name is there, and says what it is', async () => {
    const names = await recipeNames();
    expect(names).toEqual([...Object.keys(layouts), 'hm', 'hm-v1', 'ml1m'].sort());
    for (const name of names) expect((await readRecipe(name, 'data')).about).not.toBe('');
  });

  it('of one’s own is a file; what is none is refused with the names that there are', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'own.json');
    const log = { path: ['SELECT *', "FROM '{data}/log.csv'"], user: 'user' };
    await writeFile(
      path,
      JSON.stringify({ about: 'ours', ingest: { source: 'table', log, images: '{data}/x' } }),
    );
    expect(await readRecipe(path, "it's")).toEqual({
      about: 'ours',
      ingest: {
        source: 'table',
        log: { path: "SELECT *\nFROM 'it''s/log.csv'", user: 'user' },
        images: "it's/x",
      },
      compare: {},
    });
    await expect(readRecipe('nothing', folder)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      remedy: expect.stringContaining('eb-nerd'),
    });
    await writeFile(path, '{"ingest": 3}');
    await expect(readRecipe(path, folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const alone = await courier('ingest', '--json', '--recipe', 'hm', '--out', join(folder, 'out'));
    expect(alone.stderr).toContain('--data');
  });
});
