/** One of the processes that train a ranker together; the first one says what each round of so many batches took. */
import { processGroup } from '../src/collectives/world.ts';
import { Engine } from '../src/runtime/engine.ts';
import { settings, startRanker } from './our-ranker.ts';
import { rankLog } from './rank-log.ts';

const { size, batches, threads, rounds } = JSON.parse(process.argv[2] ?? '');
const group = await processGroup();
const rows = 2 * batches * settings.batchSize;
const data = rankLog({ users: size, items: size, rows });
const engine = Engine.start({ threads });
const all = Int32Array.from({ length: rows }, (_, row) => row);
const ranker = await startRanker(data, all, 1, engine, 1, group);
const steps = [];
for (let round = 0; round < rounds; round++) {
  const before = ranker.communication();
  const seconds = await ranker.train(batches);
  const after = ranker.communication();
  const communicationMs = after.communicationMs - before.communicationMs;
  const communicationBytes = after.communicationBytes - before.communicationBytes;
  steps.push({ seconds, found: { communicationMs, communicationBytes } });
}
await ranker.stop();
await engine.close();
if (group.rank === 0) process.stdout.write(JSON.stringify({ steps }));
