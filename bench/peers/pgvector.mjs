/** What courier exports, in PostgreSQL with pgvector: answers as `vector_stores.py` does. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

const { npy, ids: idsFile, queries, nearest } = JSON.parse(process.argv[2]);
const rowsAtATime = 500;

/** The rows of a matrix of float32 as numpy.save writes it. */
function matrix(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const [, dimension] = /'shape': \(\d+, (\d+)\)/.exec(bytes.toString('latin1', 10, start));
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
  );
  return {
    dimension: Number(dimension),
    at: (row) => values.subarray(row * dimension, (row + 1) * dimension),
  };
}

process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const [, ...lines] = readFileSync(idsFile, 'utf8').trimEnd().split('\n');
  const ids = lines.map((line) => line.slice(1, line.lastIndexOf('",')));
  const { dimension, at } = matrix(npy);
  const text = (row) => `[${at(row).join(',')}]`;

  // As any client of PostgreSQL would; PGlite is PostgreSQL in this process.
  const db = await PGlite.create({ extensions: { vector } });
  await db.exec(`
    CREATE EXTENSION vector;
    CREATE TABLE items (item_id text PRIMARY KEY, embedding vector(${dimension}));
  `);
  for (let first = 0; first < ids.length; first += rowsAtATime) {
    const some = ids.slice(first, first + rowsAtATime);
    const values = some.map((_, place) => `($${2 * place + 1}, $${2 * place + 2})`);
    const parameters = some.flatMap((id, place) => [id, text(first + place)]);
    await db.query(`INSERT INTO items VALUES ${values.join(', ')}`, parameters);
  }
  await db.exec('CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops); SET hnsw.ef_search = 200;');
  const found = [];
  for (const query of queries) {
    const { rows } = await db.query('SELECT item_id FROM items ORDER BY embedding <=> $1 LIMIT $2', [
      text(query),
      nearest,
    ]);
    found.push(rows.map(({ item_id }) => item_id));
  }
  const { rows } = await db.query('SELECT count(*)::int AS count FROM items');
  await db.close();
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${JSON.stringify({ seconds, loaded: rows[0].count, nearest: found })}\n`);
}
