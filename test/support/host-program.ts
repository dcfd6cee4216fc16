/** One of several processes: the first one prints where each of them runs. */
import { hostname, networkInterfaces } from 'node:os';
import { allGatherTexts } from '../../src/collectives/texts.ts';
import { processGroup } from '../../src/collectives/world.ts';

const group = await processGroup();
const addresses = Object.values(networkInterfaces()).flatMap((card) => card ?? []);
const own = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
const hosts = await allGatherTexts(
  group,
  JSON.stringify({ host: hostname(), address: own?.address, localSize: group.localSize }),
);
if (group.rank === 0) process.stdout.write(`[${hosts.join(',')}]`);
