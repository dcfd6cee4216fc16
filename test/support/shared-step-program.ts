/** One of several processes: makes tiny steps by each of the plans that it is told; the first says what they did to the parameters. */
import { processGroup } from '../../src/collectives/world.ts';
import { Engine } from '../../src/runtime/engine.ts';
import { smallestPlan } from '../../src/training/run-start.ts';
import { tinyEncoders, tinyHead, trainTiny } from './tiny-step.ts';

const group = await processGroup();
const { plans, found } = JSON.parse(process.argv[2] ?? '');
const engine = Engine.start({ threads: 2 });
const encoders = { vit: tinyEncoders[0]!, head: tinyHead(0) };
const trained = [];
for (const [name, encoder] of Object.entries(encoders)) {
  for (const plan of plans) {
    const { update, losses } = await trainTiny(engine, encoder, plan, { group });
    trained.push({ name, plan, update: [...update], losses });
  }
}
await engine.close();
const smallest = await smallestPlan(group, found[group.rank]);
if (group.rank === 0) process.stdout.write(JSON.stringify({ trained, smallest }));
