/** One of several processes: goes through the contract with whole arrays, and with arrays that are cut into small pieces. */
import { MpiGroup } from '../../src/collectives/mpi/mpi-group.ts';
import { processGroup } from '../../src/collectives/world.ts';
import { messageOf } from '../../src/errors.ts';
import { collectivesContract } from './collectives-contract.ts';

const world = await processGroup();
if (!(world instanceof MpiGroup)) throw new Error('this process is alone');
const failures: Record<string, string> = {};
for (const [pieces, group] of [
  ['whole', world],
  ['cut', world.with({ longest: 4 })],
] as const) {
  for (const [claim, check] of Object.entries(collectivesContract)) {
    await check(group).catch((error: unknown) => {
      failures[`${pieces}: ${claim}`] = messageOf(error);
    });
  }
}
process.stdout.write(`${JSON.stringify({ rank: world.rank, size: world.size, failures })}\n`);
