/** One of several processes, of which one ends in the way that it is told while the others wait for it. */
import { processGroup } from '../../src/collectives/world.ts';

const group = await processGroup();
const [way] = process.argv.slice(2);
if (group.rank !== 1) await group.barrier();
else if (way === 'throws') throw new Error('the second process has enough');
else if (way === 'exits') process.exitCode = 3;
else process.kill(process.pid, 'SIGKILL');
