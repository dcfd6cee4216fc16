/** A whole training step of COURIER with a head on features that were computed before, up to the paper's batch. */
import { availableParallelism } from 'node:os';
import { featureHead } from '../src/encoders/feature-head.ts';
import { usableMemory } from '../src/runtime/memory.ts';
import type { Benchmark } from './benchmark.ts';
import { describeEncoder, noiseFeatures, startDescribed } from './our-step.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const [components, hidden] = [512, 512];

/** Samples of a batch and the distinct photos that they name: those of a catalogue repeat. */
const cases = [
  { samples: 384, photos: 2253, dimension: 128 },
  { samples: 384, photos: 2253, dimension: 256 },
  { samples: 3072, photos: 11_000, dimension: 256 },
  { samples: 3072, photos: 30_720, dimension: 256 },
];

/** Rounds that are not counted: memory is taken. */
const warmUp = 2;

export const headStep: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const each of cases) {
    const title = `${each.samples} samples, ${each.photos} photos, ${each.dimension} numbers`;
    if (!title.includes(only)) continue;
    const seconds = await secondsOf(each, warmUp + rounds);
    const counted = seconds.slice(warmUp);
    rows.push(
      rowOf(title, 's a step', 'lower', counted, {}),
      rowOf(
        title,
        'photos/s',
        'higher',
        counted.map((taken) => each.photos / taken),
        {},
      ),
    );
    for (const row of rows.slice(-2)) say(describeRow(row));
  }
  return { rows, missing: [] };
};

async function secondsOf({ samples, photos, dimension }: (typeof cases)[number], rounds: number) {
  const head = featureHead({ head: { name: 'both', hidden, dropout: 0 }, components, grids: [], dimension });
  const description = describeEncoder(head, photos, samples);
  const threads = availableParallelism();
  const step = await startDescribed(description, threads, usableMemory() / 2, noiseFeatures(components));
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) seconds.push(await step.round());
  await step.stop();
  return seconds;
}
