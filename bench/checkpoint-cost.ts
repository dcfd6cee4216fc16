/**
 * A training with checkpoints beside the same without any, in turns: what one costs, and the share of the time that they take at the
 * default interval. They are written every five steps here, since rounds differ by more than one in ten seconds costs.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportUntrainedEncoder } from '../src/encoders/export.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import type { PretrainConfigInput } from '../src/pipelines/pretrain/config.ts';
import { pretrain } from '../src/pipelines/pretrain/index.ts';
import { Random } from '../src/random.ts';
import { numberOf, readMetrics } from '../src/runs/metrics-log.ts';
import { shopSource } from '../src/shop/files.ts';
import { generateShop } from '../src/shop/generate.ts';
import { checkpointFile, metricsFile } from '../src/training/run-start.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const side = 64;
const checkpointEvery = 5;
/** Seconds from one to the next by default. */
const usual = 10;

/** After the first of these steps the clock starts, and it stops at the last: memory is taken, and nothing has ended. */
const [from, to] = [5, 55];
const steps = to + 1;

export const checkpointCost: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const rows: Row[] = [];
  try {
    const shop = { items: 3000, shoppers: 400, pageViews: 6000, photoSide: side };
    const files = await generateShop({ ...shop, out: join(folder, 'shop') });
    const dataset = join(folder, 'dataset');
    await ingest({ ...shopSource(files), side, out: dataset });
    for (const [name, encoder] of Object.entries(await encodersIn(folder))) {
      if (!name.includes(only)) continue;
      const settings = { encoder, dataset, steps, validateEvery: steps, patience: null };
      const [without, written]: [number[], number[]] = [[], []];
      let megabytes = 0;
      for (let round = 0; round < rounds; round++) {
        const out = (way: string) => join(folder, `${name}-${round}-${way}`);
        without.push(await secondsOfStep({ ...settings, checkpointEvery: steps, out: out('without') }));
        written.push(await secondsOfStep({ ...settings, checkpointEvery, out: out('with') }));
        megabytes = (await stat(join(out('with'), checkpointFile))).size / 1e6;
        say(`  round ${round + 1}: ${without.at(-1)} s a step without, ${written.at(-1)} s with`);
      }
      const costs = written.map((seconds, round) => checkpointEvery * (seconds - without[round]!));
      const shares = costs.map((cost) => (100 * cost) / usual);
      const title = `${name}, ${megabytes.toFixed(1)} MB`;
      rows.push(
        rowOf(`${name}, a step`, 's', 'lower', without, {}),
        rowOf(`${title}: a checkpoint`, 's', 'lower', costs, {}),
        rowOf(`${title}: one every ${usual} s`, '% of the time', 'lower', shares, {}),
      );
      for (const row of rows.slice(-3)) say(describeRow(row));
    }
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Heads, whose steps are the shortest beside their checkpoints: of usual size, and a wide one. */
async function encodersIn(folder: string): Promise<Readonly<Record<string, PretrainConfigInput['encoder']>>> {
  const file = join(folder, 'network.onnx');
  const shape = { name: 'vit', side, patch: 16, width: 64, depth: 1, heads: 2, mlpRatio: 2 } as const;
  const network = createEncoder({ ...shape, head: 'mean', dimension: 512 });
  const model = exportUntrainedEncoder(network, Random.seeded(1, 'network'));
  await writeFile(file, model.encode('standard'));
  return {
    'a head on 512 components': { name: 'backbone', file },
    'a wide head': {
      name: 'backbone',
      file,
      head: { name: 'both', hidden: 2048, dropout: 0 },
      dimension: 512,
    },
  };
}

/** Of one process, on the average. */
async function secondsOfStep(settings: PretrainConfigInput): Promise<number> {
  await pretrain(settings);
  const records = await readMetrics(join(settings.out, metricsFile));
  const at = (wanted: number) =>
    numberOf(
      records.find(({ step }) => step === wanted),
      'seconds',
    );
  return (at(to) - at(from)) / (to - from);
}
