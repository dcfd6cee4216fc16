/**
 * What a training step brings from one host to another over a wire of known bandwidth, beside what its sizes predict, by the latency that the wire
 * has by itself and by its nominal one. The hosts are made on this machine, by root.
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { median } from '../src/metrics/quantile.ts';
import { TwoHosts } from '../test/support/two-hosts.ts';
import type { Benchmark } from './benchmark.ts';
import {
  communicationBytes,
  communicationSeconds,
  latenciesOfLongMessage,
  type Network,
} from './communication.ts';
import { settings as rankerSettings } from './our-ranker.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const programOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const program = programOf('./hosts-program.ts');
const rankerProgram = programOf('./processes-ranker-program.ts');
const wireProgram = programOf('./hosts-wire-program.ts');
/** Seconds that the wire takes there and back, and a long message one way. */
const wireAnswer = z.array(z.object({ thereAndBack: z.number(), message: z.number() }));
/** Seconds of all that a step brings, and of the sum of gradients at its end. */
const answer = z.array(z.object({ all: z.number(), gradients: z.number() }));

/** Of each round so many batches; the waiting of all of them, in milliseconds. */
const rankerAnswer = z.object({
  steps: z.array(z.object({ seconds: z.number(), found: z.object({ communicationMs: z.number() }) })),
});

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

/** Steps of a round, and what they are of. */
const ranker = { size: 10_000, batches: 50 };

/** Bytes of one message to and fro, long enough to be announced. */
const messageBytes = 1_000_000;

/** The first ones open the connections and find their speed. */
const unmeasured = 3;

export const hosts: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const { what, bitsPerSecond, milliseconds } of wires) {
    if (!what.includes(only)) continue;
    const two = await TwoHosts.make({ bitsPerSecond, milliseconds });
    const bytesPerSecond = bitsPerSecond / 8;
    const nominal = { bytesPerSecond, latency: milliseconds / 1000 };
    try {
      const wire = JSON.stringify({
        other: two.addresses[1],
        bytes: messageBytes,
        rounds: rounds + unmeasured,
      });
      const ways = wireAnswer.parse(await saidBy(two, [wireProgram, wire])).slice(unmeasured);
      const network = { bytesPerSecond, latency: median(ways.map(({ thereAndBack }) => thereAndBack)) / 2 };
      const messages = ways.map(({ message }) => (message - messageBytes / bytesPerSecond) / network.latency);
      rows.push(
        rowOf(
          `${what}: there and back`,
          's',
          'lower',
          ways.map(({ thereAndBack }) => thereAndBack),
          {
            nominal: ways.map(() => 2 * nominal.latency),
          },
        ),
        rowOf(`${what}: a long message, beyond its bytes`, 'latencies', 'lower', messages, {
          predicted: messages.map(() => latenciesOfLongMessage),
        }),
      );
      for (const row of rows.slice(-2)) say(describeRow(row));
      for (const each of cases) {
        const step = { ...each, processes: 2 };
        const before = two.bytes();
        const settings = JSON.stringify({ ...each, rounds: rounds + unmeasured });
        const measured = answer.parse(await saidBy(two, [program, settings])).slice(unmeasured);
        const bytes = (two.bytes() - before) / 2 / (rounds + unmeasured);
        const name = `${what}, ${each.photos} photos, ${each.parameters / 1e6} million parameters`;
        const predictedFor = (by: Network) => measured.map(() => communicationSeconds(step, by));
        const predictions = { predicted: predictedFor(network), nominal: predictedFor(nominal) };
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
      rows.push(...(await rankerRows(two, what, rounds)));
      for (const row of rows.slice(-3)) say(describeRow(row));
    } finally {
      await two.remove();
    }
  }
  return { rows, missing: [] };
};

/** DIN as in `processes`, its ID table in shards, on the two hosts. */
async function rankerRows(two: TwoHosts, what: string, rounds: number): Promise<readonly Row[]> {
  const { size, batches } = ranker;
  const before = two.bytes();
  const settings = JSON.stringify({ size, batches, threads: 1, rounds: rounds + 1 });
  const { steps } = rankerAnswer.parse(await saidBy(two, [rankerProgram, settings]));
  const megabytes = (two.bytes() - before) / 2 / (rounds + 1) / batches / 1e6;
  // In the first round memory is taken, and what repeats is compiled.
  const measured = steps.slice(1);
  const name = `${what}, ranker, ${rankerSettings.batchSize} exposures, ${size} users and items`;
  const times = measured.map(({ seconds }) => seconds / batches);
  const waiting = measured.map(({ found }) => found.communicationMs / 1000 / batches);
  return [
    rowOf(`${name}: a step`, 's', 'lower', times, {}),
    rowOf(`${name}: of which waiting`, 's', 'lower', waiting, {}),
    rowOf(`${name}: sent by a process in a step`, 'MB', 'lower', [megabytes], {}),
  ];
}

async function saidBy(two: TwoHosts, words: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await two.mpirun(words);
  if (exitCode !== 0) throw new Error(`mpirun ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
}
