/** One thing done with a file of embeddings, in a process of its own with Node's default heap, whose peak is then its own. */
import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { literal, withDuckDB } from '../src/data/duckdb/duckdb.ts';
import { readParquet } from '../src/data/duckdb/parquet-table.ts';
import { readEmbeddings, writeTracedEmbeddings } from '../src/data/embeddings/embeddings.ts';
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

/** Random numbers of half precision, between 2^-7 and 1. */
function drawHalves(random: Random, length: number): Uint8Array {
  const bits = Uint16Array.from({ length }, () => (random.integer(2) << 15) | (8192 + random.integer(7168)));
  return new Uint8Array(bits.buffer);
}

function drawBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(256));
}

/** Writes a matrix behind a header, the same few rows again and again, and its ids beside it. */
async function writeMatrix(
  header: Buffer,
  draw: (random: Random, length: number) => Uint8Array,
): Promise<void> {
  const part = draw(Random.seeded(1, 'bench matrix'), repeated * dimension);
  const file = await open(path, 'w');
  await file.writeFile(header);
  for (let row = 0; row < count; row += repeated) {
    const bytes = (part.length / repeated) * Math.min(repeated, count - row);
    await file.writeFile(part.subarray(0, bytes));
  }
  await file.close();
  await writeFile(`${path}.ids.csv`, `item_id\n${column((row) => `item-${row}`).join('\n')}\n`);
}

/** Rows of a matrix that are drawn. */
const repeated = 4096;

function npyHeader(descr: string): Buffer {
  const about = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${count}, ${dimension}), }`;
  const text = `${about.padEnd(117)}\n`;
  return Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(text)]);
}

function tensorHeader(dtype: string, width: number): Buffer {
  const entry = { dtype, shape: [count, dimension], data_offsets: [0, count * dimension * width] };
  const text = Buffer.from(JSON.stringify({ embeddings: entry }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  'write float16 npy': () => writeMatrix(npyHeader('<f2'), drawHalves),
  'write int8 npy': () => writeMatrix(npyHeader('|i1'), drawBytes),
  'write float16 safetensors': () => writeMatrix(tensorHeader('F16', 2), drawHalves),
  'write int8 safetensors': () => writeMatrix(tensorHeader('I8', 1), drawBytes),
  /** In columns of other names, as somebody else would. */
  'write int8 Parquet': () =>
    withDuckDB([folder], async (connection) => {
      const vector = `list_transform(range(${dimension}), i -> ((i * 7919 + row * 31) % 255 - 127)::TINYINT)`;
      const query = `SELECT 'item-' || row AS sku, ${vector} AS emb FROM range(${count}) t(row)`;
      await connection.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 8192)`);
    }),
  async 'read matrix'() {
    requireValues((await readEmbeddings(`${path}:${path}.ids.csv`)).vectors);
  },
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
