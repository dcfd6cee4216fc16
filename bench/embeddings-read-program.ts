/** One thing done with a file of embeddings, in a process of its own with Node's default heap, whose peak is then its own. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { literal, withDuckDB } from '../src/data/duckdb.ts';
import { readEmbeddings, writeTracedEmbeddings } from '../src/data/embeddings.ts';
import { readParquet } from '../src/data/parquet-table.ts';
import { cluster } from '../src/pipelines/cluster/index.ts';
import { EmbeddingStore } from '../src/pipelines/embed/store.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import { rank } from '../src/pipelines/rank/index.ts';
import { Random } from '../src/random.ts';

const [task = '', path = '', rows = '', width = ''] = process.argv.slice(2);
const [count, dimension] = [Number(rows), Number(width)];
const folder = dirname(path);
const origin = { encoder: 'bench', precision: 'float32', model: 'bench' };
const provenance = { origin, learnedUntil: null, photosOf: null };
const hashOf = (row: number) => createHash('sha256').update(`photo ${row}`).digest('hex');
const column = <T>(of: (row: number) => T) => Array.from({ length: count }, (_, row) => of(row));

/** Vectors of length 1. So many are different, far more than a row group of the file has. */
const different = 2 ** 16;
/** What the next row is further on among them; odd, so that all have their turn. */
const stride = 7919;

function drawVectors(): (row: number) => Float32Array {
  const random = Random.seeded(1, 'bench embeddings');
  const vectors = Array.from({ length: different }, () => {
    const drawn = Float32Array.from({ length: dimension }, () => random.normal());
    const length = Math.sqrt(drawn.reduce((sum, value) => sum + value * value, 0));
    return drawn.map((value) => value / length);
  });
  return (row) => vectors[(row * stride) % different]!;
}

function scan(sums: string): Promise<void> {
  return withDuckDB([folder], async (connection) => {
    const result = await connection.run(`SELECT ${sums} FROM read_parquet(${literal(path)})`);
    if ((await result.getRows()).length !== 1) throw new Error('the scan gave no sum');
  });
}

function requireValues(vectors: Float32Array): void {
  if (vectors.length !== count * dimension) throw new Error(`read ${vectors.length} values`);
}

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  async write() {
    const vectors = { length: count, dimension, at: drawVectors() };
    const ids = column((row) => `item-${row}`);
    await writeTracedEmbeddings(path, { ids, vectors, hashes: column(hashOf), provenance });
  },
  'scan vectors': () => scan('sum(list_sum(embedding))'),
  'scan vectors and ids': () => scan('sum(list_sum(embedding)), sum(length(item_id))'),
  async 'read vectors'() {
    const none = () => new Error('rows of unequal length');
    requireValues((await readParquet(path, (table) => table.vectors('embedding', none))).values);
  },
  async 'read vectors and ids'() {
    requireValues((await readEmbeddings(path)).vectors);
  },
  /** All that a second embed of unchanged photos does, but for reading the photos. */
  async 'embed again'() {
    const store = await EmbeddingStore.open(path, origin);
    const hashes = column(hashOf);
    if (!hashes.every((hash) => store.has(hash))) throw new Error('an embedding is missing');
    const vectors = { length: count, dimension, at: (row: number) => store.of(hashes[row]!) };
    const ids = column((row) => `item-${row}`);
    await writeTracedEmbeddings(`${path}.again`, { ids, vectors, hashes, provenance });
    await store.close();
  },
  async cluster() {
    const out = join(folder, 'clusters');
    await cluster({ embeddings: path, out, clusters: [100], iterations: 3 });
  },
  /** A log of a few thousand page views of such a catalogue, for `rank`. */
  async ingest() {
    const items = join(folder, 'items.csv');
    await writeFile(items, `item,type\n${column((row) => `item-${row},${row % 50}`).join('\n')}\n`);
    const log = join(folder, 'log.csv');
    await writeFile(log, `user,item,time,clicked,view\n${drawExposures().join('\n')}\n`);
    await ingest({
      source: 'table',
      log: { path: log, user: 'user', item: 'item', time: 'time', clicked: 'clicked', pageView: 'view' },
      catalogue: { path: items, item: 'item', categories: ['type'] },
      out: join(folder, 'dataset'),
    });
  },
  async rank() {
    const [dataset, out] = [join(folder, 'dataset'), join(folder, 'rank')];
    const short = { ranker: { epochs: 1 }, diagnosis: false, parallel: 1 };
    await rank({
      dataset,
      out,
      embeddings: { given: path },
      features: ['sim-score'],
      starts: ['warm'],
      ...short,
    });
  },
};

/** Four candidates a page view, one of them clicked. */
function drawExposures(): readonly string[] {
  const random = Random.seeded(1, 'bench log');
  const [views, users, shown] = [6000, 300, 4];
  return Array.from({ length: views }, (_, view) => {
    const [user, clicked] = [random.integer(users), random.integer(shown)];
    const time = 1_700_000_000 + 600 * view;
    return Array.from({ length: shown }, (_, place) => {
      return `${user},item-${random.integer(count)},${time},${Number(place === clicked)},${view}`;
    });
  }).flat();
}

const run = tasks[task];
if (run === undefined) throw new Error(`no task ${task}`);
const before = process.memoryUsage.rss();
const started = performance.now();
await run();
const seconds = (performance.now() - started) / 1000;
const peak = process.resourceUsage().maxRSS * 1024 - before;
process.stdout.write(JSON.stringify({ seconds, peak }));
