/** One of two processes that bring a message to and fro, again and again; the first one says what one way took. */
import { setPriority } from 'node:os';
import { processGroup } from '../src/collectives/world.ts';

const { bytes, rounds } = JSON.parse(process.argv[2] ?? '');
// The wire is measured, and not who else wants the cores.
setPriority(-10);
const group = await processGroup();
const [message, nothing] = [new Uint8Array(bytes), new Uint8Array(0)];
const [toOther, none] = [[0, 1].map((rank) => (rank === group.rank ? 0 : bytes)), [0, 0]];
const took = [];
for (let round = 0; round < rounds; round++) {
  await group.barrier();
  const began = performance.now();
  for (const sender of [0, 1]) {
    if (group.rank === sender) await group.allToAll(message, toOther, nothing, none);
    else await group.allToAll(nothing, none, message, toOther);
  }
  took.push((performance.now() - began) / 1000 / 2);
}
if (group.rank === 0) process.stdout.write(JSON.stringify(took));
