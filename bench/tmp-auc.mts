import { Engine } from '../src/runtime/engine.ts';
import { startRanker, settings } from './our-ranker.ts';
import { rankLog } from './rank-log.ts';
const rows = 1050 * settings.batchSize;
const data = rankLog({ users: 10_000, items: 10_000, rows });
const all = Int32Array.from({ length: rows }, (_, r) => r);
const train = all.subarray(0, 1000 * settings.batchSize), held = all.subarray(1000 * settings.batchSize);
const engine = Engine.start({ threads: 2 });
const r = await startRanker(data, train, Number(process.argv[2] ?? 1), engine);
const out = [];
for (let e = 0; e < 2; e++) { await r.train(1000); out.push(await r.auc(held)); }
console.log(process.argv[3] ?? '', out.join(' '));
await engine.close();
