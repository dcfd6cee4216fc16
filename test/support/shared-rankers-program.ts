/** One of several processes that train small rankers together, one after the other; the first one writes what came out. */
import { processGroup } from '../../src/collectives/world.ts';
import { Engine } from '../../src/runtime/engine.ts';
import { smallTrainings, trainSmall, writeOutcome } from './shared-rankers.ts';

/** Where to; with a name also which alone, the checkpoint that it is to go on from, and when to stop it. */
const [folder, only, checkpoint, stopAt] = process.argv.slice(2);
const group = await processGroup();
const engine = Engine.start({ threads: 1 });
for (const name of only === undefined ? Object.keys(smallTrainings) : [only]) {
  const how = checkpoint === undefined ? {} : { checkpoint };
  const stop = stopAt === undefined ? {} : { stopAt: Number(stopAt) };
  const trained = await trainSmall(name, group, engine, { ...how, ...stop });
  if (group.rank === 0) await writeOutcome(folder!, name, trained);
}
await engine.close();
