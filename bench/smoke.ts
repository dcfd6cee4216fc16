/**
 * A minute that tells whether something became much slower. Each speed is told in one that the same run measures beside it, the
 * machine's at products, in a plain loop or at copying, so that what is left does not depend on who else uses the machine. Runs are
 * remembered in history.jsonl, for machines of the same kind.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../src/runtime/engine.ts';
import { version } from '../src/version.ts';
import type { Benchmark } from './benchmark.ts';
import { addToHistory, fallenIn, readHistory } from './history.ts';
import { startProducts } from './products.ts';
import { describeRow, machine, type Row, rowOf } from './report.ts';
import { drawSmokePhotos, type SmokeReference, smokeCases } from './smoke-cases.ts';

const history = new URL('./history.jsonl', import.meta.url);

/** Rows, width and inner width of the products that others are told in: the encoders' own. */
const productShape = [2048, 128, 512] as const;

export const smoke: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const engine = Engine.start();
  try {
    await drawSmokePhotos(folder);
    const products = await startProducts(engine, [productShape]);
    const references: Readonly<Record<SmokeReference, () => number | Promise<number>>> = {
      GFLOP: async () => (await products()) / 1e9,
      'million turns': loopSpeed,
      'GB copied': copySpeed,
    };
    const rows: Row[] = [];
    for (const { name, unit, reference, start } of smokeCases) {
      if (!name.includes(only)) continue;
      const { speed, stop } = await start(folder);
      const ratios = await measure(speed, references[reference], rounds);
      await stop();
      rows.push(rowOf(name, `${unit} per ${reference}`, 'higher', ratios, {}));
      say(describeRow(rows.at(-1)!));
    }
    if (only === '') await remember(rows, say);
    return { rows, missing: [] };
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** A ratio a round: the speed over what the reference is before and after it. */
async function measure(
  speed: () => Promise<number>,
  reference: () => number | Promise<number>,
  rounds: number,
): Promise<readonly number[]> {
  const ratios: number[] = [];
  await speed();
  let before = await reference();
  for (let round = 0; round < rounds; round++) {
    const own = await speed();
    const after = await reference();
    ratios.push((2 * own) / (before + after));
    before = after;
  }
  return ratios;
}

/** A run of which something has fallen is told, and not remembered: else it would soon be what is expected. */
async function remember(rows: readonly Row[], say: (text: string) => void): Promise<void> {
  const run = {
    version,
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString(),
    machine: machine(),
    ratios: Object.fromEntries(rows.map((row) => [row.case, row.ours])),
  };
  const fallen = fallenIn(run, await readHistory(history));
  for (const { name, ratio, before } of fallen) {
    say(`Slower than before: ${name}, ${ratio} instead of ${before.toPrecision(4)}`);
  }
  if (fallen.length > 0) process.exitCode = 1;
  else await addToHistory(history, run);
}

/** The best of some tries, in units of work a second. */
function bestOf(tries: number, units: number, work: () => void): number {
  const seconds = Array.from({ length: tries }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  return units / Math.min(...seconds);
}

const numbers = new Float64Array(4096).fill(1);
const passes = 2000;

function loopSpeed(): number {
  return bestOf(5, (passes * numbers.length) / 1e6, () => {
    for (let pass = 0; pass < passes; pass++) {
      for (let at = 0; at < numbers.length; at++) numbers[at] = numbers[at]! * 0.999 + 0.001;
    }
  });
}

const [source, target] = [new Uint8Array(64e6), new Uint8Array(64e6)];

function copySpeed(): number {
  return bestOf(5, source.length / 1e9, () => target.set(source));
}
