import { tableSource } from './src/data/sources/table.ts';
const path = process.argv[2]!; const view = process.argv[3];
const options = tableSource.options.parse({ log: { path, user: 'user', item: 'item', time: 'time', clicked: 'clicked', ...(view === undefined ? {} : {pageView: view}), numeric: ['price'], context: ['device'] } });
const t = performance.now();
const d = await tableSource.read(options, { seed: 1, maxBadRows: 0 });
console.log(path, view, d.exposures.item.length, d.pageViews.user.length, Math.round(performance.now() - t), 'ms', Math.round(process.resourceUsage().maxRSS / 1024), 'MiB', d.findings);
