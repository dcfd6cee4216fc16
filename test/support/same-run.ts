/** Two run folders of the same training, by different numbers of processes. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { readMetrics } from '../../src/runs/metrics-log.ts';
import { exists } from '../../src/storage/files.ts';
import { readSafeTensors } from '../../src/storage/safetensors.ts';
import { checkpointFile, metricsFile } from '../../src/training/run-start.ts';
import { encoderFile } from '../../src/training/written-encoder.ts';
import { leftoversOf } from './artefacts.ts';

/** How much of it the sum of many float32 gradients may differ by, with the order in which they are added. */
const rounding = 1e-5;

/** Both have ended with the same losses and gradients but for rounding, and a checkpoint and an encoder of them. */
export async function expectSameRun(out: string, other: string): Promise<void> {
  const [own, others] = await Promise.all([out, other].map((run) => readMetrics(join(run, metricsFile))));
  expect(own!.map(({ step }) => step)).toEqual(others!.map(({ step }) => step));
  for (const [place, { step, loss, gradientNorm, images, validationAuc }] of others!.entries()) {
    const metrics = own![place]!;
    expect(Math.abs(Number(metrics['loss']) / Number(loss) - 1), `step ${step}`).toBeLessThan(rounding);
    expect(Math.abs(Number(metrics['gradientNorm']) / Number(gradientNorm) - 1)).toBeLessThan(1e-4);
    expect([metrics['images'], typeof metrics['validationAuc']]).toEqual([images, typeof validationAuc]);
  }
  expect(await momentsApart(out, other)).toBeLessThan(rounding);
  expect(await exists(join(out, encoderFile))).toBe(true);
  expect(await leftoversOf(out)).toEqual([]);
}

/** How far Adam's first moments, which are sums of gradients, are from those of another run, as a share of them. */
async function momentsApart(out: string, other: string): Promise<number> {
  const [own, others] = [await momentsOf(out), await momentsOf(other)];
  const norm = (values: readonly number[]) => Math.hypot(...values);
  return norm(own.map((value, place) => value - others[place]!)) / norm(others);
}

async function momentsOf(out: string): Promise<readonly number[]> {
  const { tensors } = await readSafeTensors(join(out, checkpointFile), 'Checkpoint');
  return [...tensors].flatMap(([name, { data }]) =>
    name.startsWith('adam.m/') ? Array.from(data, Number) : [],
  );
}
