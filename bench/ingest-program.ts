/** One thing done with a generated click log, in a process of its own, whose peak of memory is then its own. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { literal, withDuckDB } from '../src/data/duckdb/duckdb.ts';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import { rank } from '../src/pipelines/rank/index.ts';

const [task = '', folder = '', count = ''] = process.argv.slice(2);
const events = Number(count);
const log = join(folder, `log-${events}.parquet`);
const dataset = join(folder, `dataset-${events}`);

/** Page views of five over thirty days; popular items are shown more often. */
const [shown, users, items, days] = [5, 200_000, 100_000, 30];

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  generate: () =>
    withDuckDB([folder], async (connection) => {
      const views = events / shown;
      const moment = `1704067200000 + (view * ${days * 86_400_000}) // ${views}`;
      await connection.run(`COPY (
        SELECT 'user-' || (hash(view) % ${users}) AS user_id,
          'item-' || CAST(floor(pow((hash(event * 3 + 1) % 1000003) / 1000003.0, 2) * ${items}) AS INTEGER) AS item_id,
          ${moment} AS shown_at, hash(event * 7 + 5) % 10 = 0 AS clicked, view AS page_view,
          (hash(event * 11) % 10000) / 100.0 AS price, hash(view * 13) % 3 AS device
        FROM (SELECT range AS event, range // ${shown} AS view FROM range(${events})) ORDER BY hash(view), event
      ) TO ${literal(log)} (FORMAT parquet)`);
    }),
  async ingest() {
    await rm(dataset, { recursive: true, force: true });
    await ingest({
      source: 'table',
      log: {
        path: log,
        user: 'user_id',
        item: 'item_id',
        time: 'shown_at',
        clicked: 'clicked',
        pageView: 'page_view',
        numeric: ['price'],
        context: ['device'],
      },
      out: dataset,
    });
  },
  'sort the log': () => sorted(literal(log), 'shown_at, page_view', 'sorted.parquet'),
  'sort the dataset': () =>
    sorted(literal(join(dataset, 'exposures-*.parquet')), 'page_view, item', 'sorted.parquet'),
  async load() {
    closeDataset(await loadDataset(dataset));
  },
  /** A small ranker, from nothing and over all rows once, with and without embeddings that say nothing. */
  async rank() {
    const embeddings = join(folder, 'embeddings.parquet');
    const out = join(folder, `ranked-${events}`);
    await rm(out, { recursive: true, force: true });
    await withDuckDB([folder], async (connection) => {
      await connection.run(`COPY (
        SELECT 'item-' || range AS item_id, list_transform(range(8), n -> (hash(items.range * 8 + n) % 2001 / 1000.0 - 1)::FLOAT) AS embedding
        FROM range(${items}) AS items
      ) TO ${literal(embeddings)} (FORMAT parquet)`);
    });
    await rank({
      dataset,
      out,
      embeddings: { noise: embeddings },
      features: ['sim-score'],
      starts: ['scratch'],
      choices: [{}],
      diagnosis: false,
      ranker: {
        ranker: 'mlp',
        embeddingDimension: 4,
        hiddenWidths: [16],
        numericPieces: 0,
        epochs: 1,
        batchSize: 4096,
      },
    });
  },
};

function sorted(source: string, order: string, name: string): Promise<void> {
  return withDuckDB(
    [folder],
    async (connection) => {
      const target = literal(join(folder, name));
      await connection.run(
        `COPY (SELECT * FROM read_parquet(${source}) ORDER BY ${order}) TO ${target} (FORMAT parquet, COMPRESSION zstd)`,
      );
    },
    { spill: folder },
  );
}

const run = tasks[task];
if (run === undefined) throw new Error(`no task ${task}`);
const started = performance.now();
await run();
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ seconds, peak: process.resourceUsage().maxRSS * 1024 }));
