/** One of several processes that train small rankers together, one after the other; the first one writes what came out. */
import { processGroup } from '../../src/collectives/world.ts';
import { Engine } from '../../src/runtime/engine.ts';
import { smallTrainings, trainSmall, writeOutcome } from './shared-rankers.ts';

/** Where to; which alone, the checkpoint that it goes on from, and when the last process is asked to stop. */
const [folder, only, checkpoint, stopAt] = process.argv.slice(2);
const group = await processGroup();
const engine = Engine.start({ threads: 1 });
for (const name of only === undefined ? Object.keys(smallTrainings) : [only]) {
  const how = checkpoint === undefined ? {} : { checkpoint };
  const isAsked = stopAt !== undefined && group.rank === group.size - 1;
  const stop = isAsked ? { stopAt: Number(stopAt) } : {};
  const trained = await trainSmall(name, group, engine, { ...how, ...stop });
  if (group.rank === 0) await writeOutcome(folder!, name, trained);
}
await engine.close();
