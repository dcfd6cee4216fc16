/**
 * What a training step brings from one host to another over a wire of known bandwidth and delay, beside what its sizes predict. The
 * hosts are made on this machine, by root.
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { TwoHosts } from '../test/support/two-hosts.ts';
import type { Benchmark } from './benchmark.ts';
import {
  communicationBytes,
  communicationSeconds,
  latenciesOfLongMessage,
  type Network,
} from './communication.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const programOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const program = programOf('./hosts-program.ts');
const messageProgram = programOf('./hosts-message-program.ts');
/** Seconds of one way. */
const ways = z.array(z.number());
/** Seconds of all that a step brings, and of the sum of gradients at its end. */
const answer = z.array(z.object({ all: z.number(), gradients: z.number() }));

const wires = [
  { what: '1 Gbit/s, 1 ms', bitsPerSecond: 1e9, milliseconds: 1 },
  { what: '1 Gbit/s, 0.25 ms', bitsPerSecond: 1e9, milliseconds: 0.25 },
  { what: '300 Mbit/s, 1 ms', bitsPerSecond: 3e8, milliseconds: 1 },
  { what: '200 Mbit/s, 5 ms', bitsPerSecond: 2e8, milliseconds: 5 },
];

/** A head on 512 components with the photos of a small batch, `vit-nano`, a network of 11 million parameters, and one of two. */
const cases = [
  { photos: 2253, dimension: 128, parameters: 330_000 },
  { photos: 1024, dimension: 128, parameters: 1_400_000 },
  { photos: 11_000, dimension: 256, parameters: 11_000_000 },
  { photos: 4500, dimension: 64, parameters: 2_000_000 },
];

/** Bytes of one message to and fro, long enough to be announced. */
const messageBytes = 1_000_000;

/** The first ones open the connections and find their speed. */
const unmeasured = 3;

export const hosts: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const { what, bitsPerSecond, milliseconds } of wires) {
    if (!what.includes(only)) continue;
    const two = await TwoHosts.make({ bitsPerSecond, milliseconds });
    const network = { bytesPerSecond: bitsPerSecond / 8, latency: milliseconds / 1000 };
    try {
      const message = await measureMessage(two, network, rounds);
      rows.push(
        rowOf(`${what}: a long message, beyond its bytes`, 'latencies', 'lower', message, {
          predicted: message.map(() => latenciesOfLongMessage),
        }),
      );
      say(describeRow(rows.at(-1)!));
      for (const each of cases) {
        const step = { ...each, processes: 2 };
        const predicted = communicationSeconds(step, network);
        const before = two.bytes();
        const settings = JSON.stringify({ ...each, rounds: rounds + unmeasured });
        const measured = answer.parse(await saidBy(two, [program, settings])).slice(unmeasured);
        const bytes = (two.bytes() - before) / 2 / (rounds + unmeasured);
        const name = `${what}, ${each.photos} photos, ${each.parameters / 1e6} million parameters`;
        const predictions = { predicted: measured.map(() => predicted) };
        const all = measured.map((took) => took.all);
        const gradients = measured.map((took) => took.gradients);
        rows.push(
          rowOf(`${name}: communication of a step`, 's', 'lower', all, predictions),
          rowOf(`${name}: of which the sum of gradients`, 's', 'lower', gradients, {}),
          rowOf(`${name}: sent by a process`, 'MB', 'lower', [bytes / 1e6], {
            predicted: [communicationBytes(step) / 1e6],
          }),
        );
        for (const row of rows.slice(-3)) say(describeRow(row));
      }
    } finally {
      await two.remove();
    }
  }
  return { rows, missing: [] };
};

/** What a long message takes beyond its bytes, in latencies: by itself, and not in a step, it tells how many messages UCX makes of it. */
async function measureMessage(
  two: TwoHosts,
  { bytesPerSecond, latency }: Network,
  rounds: number,
): Promise<readonly number[]> {
  const settings = JSON.stringify({ bytes: messageBytes, rounds: rounds + unmeasured });
  const seconds = ways.parse(await saidBy(two, [messageProgram, settings])).slice(unmeasured);
  return seconds.map((way) => (way - messageBytes / bytesPerSecond) / latency);
}

async function saidBy(two: TwoHosts, words: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await two.mpirun(words);
  if (exitCode !== 0) throw new Error(`mpirun ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
}
