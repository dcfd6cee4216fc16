/**
 * Has many sessions compute at once, of several engines with as many threads as there are cores, whose sessions share one pool; and one
 * after the other on an engine with one thread. Prints what came out as one line of JSON. How many cores there are says COURIER_THREADS.
 */
import { existsSync, readdirSync } from 'node:fs';
import { exportUntrainedEncoder } from '../../src/encoders/export.ts';
import { createEncoder } from '../../src/encoders/index.ts';
import { Random } from '../../src/random.ts';
import { environmentOf } from '../../src/runtime/c-api/environment.ts';
import { openLibrary } from '../../src/runtime/c-api/library.ts';
import { Engine, floats, type Session } from '../../src/runtime/engine.ts';
import type { SharedPoolReport } from './shared-pool.ts';
import { trainSmallModel } from './small-training.ts';

const [engines, sessionsEach, runs, photos, side] = [3, 3, 4, 16, 32];
const random = Random.seeded(1, 'shared pool');
const batches = Array.from({ length: runs }, () =>
  Uint8Array.from({ length: photos * side * side * 3 }, () => random.integer(256)),
);

function model(seed: number) {
  const encoder = createEncoder({ name: 'vit-nano', side, head: 'mean', dimension: 32 });
  return exportUntrainedEncoder(encoder, Random.seeded(seed, 'parameters'));
}

/** Threads of this process; null where the system does not tell. */
function threads(): number | null {
  return existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : null;
}

async function embedAll(session: Session): Promise<readonly number[]> {
  const results = await Promise.all(batches.map((batch) => session.run({ photos: batch })));
  return results.flatMap((result) => [...floats(result, 'embeddings')]);
}

async function alone(): Promise<readonly (readonly number[])[]> {
  const engine = Engine.start({ threads: 1, binding: 'c-api' });
  const results: (readonly number[])[] = [];
  for (let seed = 0; seed < sessionsEach; seed++)
    results.push(await embedAll(await engine.load(model(seed))));
  await engine.close();
  return results;
}

const cores = Number(process.env['COURIER_THREADS']);
const options = { threads: cores, binding: 'c-api' } as const;
const library = openLibrary();
if ('reason' in library) throw new Error(library.reason);

const started = Array.from({ length: engines }, () => Engine.start(options));
const firsts = await Promise.all(started.map((engine) => engine.load(model(0))));
const before = threads();
const others = await Promise.all(
  started.map((engine) =>
    Promise.all(Array.from({ length: sessionsEach - 1 }, (_, index) => engine.load(model(index + 1)))),
  ),
);
const after = threads();
const sessions = started.map((_, index) => [firsts[index]!, ...others[index]!]);
const [embeddings, trainings] = await Promise.all([
  Promise.all(sessions.map((own) => Promise.all(own.map(embedAll)))),
  Promise.all([trainSmallModel('cpu', 'vit', options), trainSmallModel('cpu', 'swin', options)]),
]);
await Promise.all(started.map((engine) => engine.close()));

const report: SharedPoolReport = {
  pooled: environmentOf(library.api).pooled,
  threadsAdded: before === null || after === null ? null : after - before,
  embeddings,
  embeddingsAlone: await alone(),
  trainings,
  trainingsAlone: [
    await trainSmallModel('cpu', 'vit', { threads: 1, binding: 'c-api' }),
    await trainSmallModel('cpu', 'swin', { threads: 1, binding: 'c-api' }),
  ],
};
process.stdout.write(`${JSON.stringify(report)}\n`);
