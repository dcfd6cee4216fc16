/** A service under load in a process of its own, which says which events are acknowledged until it is killed. */
import { once } from 'node:events';
import { openService } from '../src/serving/service.ts';
import { parseJson } from '../src/storage/json.ts';
import { loadOf, told, writers } from './serve-kill-load.ts';

const job = loadOf(parseJson(process.argv[2] ?? ''));
const { served, state, stream, first } = job;
const service = await openService({
  export: served,
  state,
  threads: 1,
  clock: () => Number.MAX_SAFE_INTEGER,
});
process.stdout.write('ready\n');
await writers(told(service, stream), stream, first, async (number) => {
  if (!process.stdout.write(`${number}\n`)) await once(process.stdout, 'drain');
  return true;
});
