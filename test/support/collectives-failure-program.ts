/** One of several processes, of which one ends in the way that it is told while the others wait for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { processGroup } from '../../src/collectives/world.ts';

const [way, leaver = '1'] = process.argv.slice(2);
if (way === 'is over before it begins' && process.env['PMI_RANK'] === leaver) process.exit(0);
const group = await processGroup();
const leaves = group.rank === Number(leaver);
switch (way) {
  case 'throws':
    if (leaves) throw new Error('the second process has enough');
    await group.barrier();
    break;
  case 'exits':
    if (leaves) process.exitCode = 3;
    else await group.barrier();
    break;
  case 'is killed':
    if (leaves) process.kill(process.pid, 'SIGKILL');
    await group.barrier();
    break;
  case 'hangs':
    if (leaves) process.kill(process.pid, 'SIGSTOP');
    await group.barrier();
    break;
  case 'is over':
    if (!leaves) await group.allReduce(Float32Array.of(1));
    break;
  case 'is over while it waits':
    if (leaves) {
      void group.barrier();
      process.exit(0);
    }
    // Until then it cannot be through.
    await sleep(1500);
    await group.barrier();
    break;
  case 'is over where nobody has to wait for it':
    // The first one needs nothing of those that it tells.
    if (!leaves) await group.broadcast(Float32Array.of(1));
    break;
  case 'is over long before the others':
    await group.barrier();
    if (!leaves) await sleep(1500);
    break;
}
