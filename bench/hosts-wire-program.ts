/**
 * One of two processes between which nothing is measured but the wire and one message: the first one says how long the other host's system
 * takes to refuse a connection, beyond what the own one takes, which is once there and back with no program in between, and what one way of a
 * long message takes.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { processGroup } from '../src/collectives/world.ts';

const { other, bytes, rounds } = JSON.parse(process.argv[2] ?? '');
/** Nobody listens there. */
const port = 1;
// The wire is measured, and not who else wants the cores.
setPriority(-10);
const group = await processGroup();
const [message, nothing] = [new Uint8Array(bytes), new Uint8Array(0)];
const [toOther, none] = [[0, 1].map((rank) => (rank === group.rank ? 0 : bytes)), [0, 0]];

async function refusalBy(host: string): Promise<number> {
  const began = performance.now();
  await once(connect(port, host), 'connect').catch(() => null);
  return (performance.now() - began) / 1000;
}

/** To and fro, halved. */
async function oneWay(): Promise<number> {
  await group.barrier();
  const began = performance.now();
  for (const sender of [0, 1]) {
    if (group.rank === sender) await group.allToAll(message, toOther, nothing, none);
    else await group.allToAll(nothing, none, message, toOther);
  }
  return (performance.now() - began) / 1000 / 2;
}

const took = [];
for (let round = 0; round < rounds; round++) {
  const thereAndBack = group.rank === 0 ? (await refusalBy(other)) - (await refusalBy('127.0.0.1')) : 0;
  took.push({ thereAndBack, message: await oneWay() });
}
if (group.rank === 0) process.stdout.write(JSON.stringify(took));
