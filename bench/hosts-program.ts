/** One of the processes that bring to each other what a training step brings, again and again; the first one says what each time took. */
import { setPriority } from 'node:os';
import { Exchange } from '../src/collectives/exchange.ts';
import { evenShares } from '../src/collectives/shares.ts';
import { processGroup } from '../src/collectives/world.ts';

const { photos, dimension, parameters, rounds } = JSON.parse(process.argv[2] ?? '');
// The wire is measured, and not who else wants the cores.
setPriority(-10);
const group = await processGroup();
const parts = evenShares(photos, group).map((share) => share * dimension);
const [embeddings, gradient] = [new Float32Array(photos * dimension), new Float32Array(parameters)];
const losses = new Float64Array(3);
const took = [];
for (let round = 0; round < rounds; round++) {
  const exchange = new Exchange(group);
  await group.barrier();
  const began = performance.now();
  await group.allGather(embeddings, parts);
  await Promise.all([exchange.parts(embeddings, parts), group.allReduce(losses)]);
  const before = performance.now();
  await exchange.sum(gradient);
  const end = performance.now();
  took.push({ all: (end - began) / 1000, gradients: (end - before) / 1000 });
}
if (group.rank === 0) process.stdout.write(JSON.stringify(took));
