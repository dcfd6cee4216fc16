import { ingest } from './src/pipelines/ingest/index.ts';
import { loadDataset } from './src/data/store.ts';
const path = process.argv[2]!;
const t = performance.now();
await ingest({ source:'table', log: { path, user: 'user', item: 'item', time: 'time', clicked: 'clicked', pageView: 'view', numeric: ['price'], context: ['device'] }, out: '/tmp/big/out', overwrite: true });
console.log(path, 'ingest', Math.round(performance.now() - t), 'ms', Math.round(process.resourceUsage().maxRSS / 1024), 'MiB');
const u = performance.now();
const d = await loadDataset('/tmp/big/out');
console.log('load', Math.round(performance.now() - u), 'ms', Math.round(process.resourceUsage().maxRSS / 1024), 'MiB', d.exposures.numericNames.length);
