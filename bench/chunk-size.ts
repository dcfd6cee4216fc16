/** Training speed by the number of photos that go through the encoder at a time. */
import { availableParallelism } from 'node:os';
import type { Benchmark } from './benchmark.ts';
import { startStep } from './our-step.ts';
import { type Row, rowOf } from './report.ts';

const photos = 1024;
const step = { encoder: 'vit-nano', side: 64, photos, samples: 128 } as const;

export const chunkSize: Benchmark = async ({ rounds, say }) => {
  const rows: Row[] = [];
  const plans = [
    { name: 'one graph, chunks of', chunk: 8, group: photos / 8 },
    { name: 'one graph, chunks of', chunk: 32, group: photos / 32 },
    { name: 'one graph, chunks of', chunk: 128, group: photos / 128 },
    { name: 'one graph, chunks of', chunk: photos, group: 1 },
    { name: 'a share for each core, chunks of', chunk: 4, group: photos / 4, shares: 2 },
    { name: 'a share for each core, chunks of', chunk: 8, group: photos / 8, shares: 2 },
    { name: 'a share for each core, chunks of', chunk: 32, group: photos / 32, shares: 2 },
    { name: 'cut, chunks of', chunk: 32, group: 4 },
  ];
  for (const { name, ...plan } of plans) {
    const { chunk } = plan;
    say(`${name} ${chunk}`);
    const started = await startStep({ ...step, threads: availableParallelism() }, plan);
    const rates: number[] = [];
    for (let round = -2; round < rounds; round++) {
      const seconds = await started.round();
      if (round >= 0) rates.push(photos / seconds);
    }
    await started.stop();
    rows.push(rowOf(`${name} ${chunk}`, 'photos/s', 'higher', rates, {}));
  }
  return { rows, missing: [] };
};
