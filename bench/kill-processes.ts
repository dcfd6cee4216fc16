/**
 * A training of two processes of which one is killed at a random moment between two of its steps, and which is started again: how
 * long the others go on, and whether it ends with the artefacts of an undisturbed run and leaves nothing over. A round is one kill.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Random } from '../src/random.ts';
import { readMetrics } from '../src/runs/metrics-log.ts';
import { exists } from '../src/storage/files.ts';
import { metricsFile } from '../src/training/run-start.ts';
import { artefactsOf, leftoversOf } from '../test/support/artefacts.ts';
import { startMpi, whatItSaid } from '../test/support/mpi.ts';
import { tinyDataset, tinyPretraining } from '../test/support/tiny-dataset.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, rowOf } from './report.ts';

const program = fileURLToPath(new URL('../test/support/pretrain-program.ts', import.meta.url));
const [processes, steps] = [2, 40];

interface Outcome {
  /** From the kill until all had ended; null where the run was over before. */
  readonly secondsToEnd: number | null;
  /** Steps that the killed run had made. */
  readonly steps: number;
  /** Of the second start. */
  readonly secondsToGoOn: number;
  readonly resumed: boolean;
  readonly differing: readonly string[];
  readonly left: readonly string[];
}

export const killProcesses: Benchmark = async ({ rounds, say }) => {
  const root = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  try {
    const dataset = await tinyDataset(root);
    const start = async (out: string) => {
      const file = `${out}.json`;
      const settings = { ...tinyPretraining, steps, checkpointEvery: 1, validateEvery: 20, dataset, out };
      await writeFile(file, JSON.stringify([settings]));
      return startMpi(processes, [program, file]);
    };
    const undisturbed = join(root, 'undisturbed');
    const { exitCode, stderr } = await whatItSaid(await start(undisturbed));
    if (exitCode !== 0) throw new Error(`mpirun ended with ${exitCode}: ${stderr}`);
    const wanted = await artefactsOf(undisturbed);
    const random = Random.seeded(1, 'kills');
    const outcomes: Outcome[] = [];
    for (let round = 0; round < rounds; round++) {
      const out = join(root, `round-${round}`);
      const moment = { step: random.integer(steps), later: random.uniform() };
      const rank = random.integer(processes);
      const killed = await start(out);
      const secondsToEnd = await killOne(killed, rank, () => untilStep(killed, out, moment));
      const made = await stepsOf(out);
      const began = performance.now();
      const again = await whatItSaid(await start(out));
      const found = await artefactsOf(out);
      const outcome = {
        secondsToEnd,
        steps: made,
        secondsToGoOn: (performance.now() - began) / 1000,
        resumed: again.exitCode === 0,
        differing: Object.keys({ ...found, ...wanted }).filter((path) => found[path] !== wanted[path]),
        left: await leftoversOf(out),
      };
      say(
        `  process ${rank + 1} of ${processes}: ${JSON.stringify(outcome)}, then ended with ${again.exitCode} ${again.stderr}`,
      );
      outcomes.push(outcome);
      await rm(out, { recursive: true });
    }
    const count = (is: (outcome: Outcome) => boolean) => [outcomes.filter(is).length];
    const of = `of ${rounds} kills`;
    const ends = outcomes.flatMap(({ secondsToEnd }) => secondsToEnd ?? []);
    const rows = [
      rowOf('killed before the end', of, 'higher', [ends.length], {}),
      rowOf(
        'killed with steps made and steps to come',
        of,
        'higher',
        count((outcome) => outcome.steps > 0 && outcome.steps < steps),
        {},
      ),
      rowOf(
        'started again to the end',
        of,
        'higher',
        count(({ resumed }) => resumed),
        {},
      ),
      rowOf(
        'the same artefacts',
        of,
        'higher',
        count(({ differing }) => differing.length === 0),
        {},
      ),
      rowOf(
        'nothing left over',
        of,
        'higher',
        count(({ left }) => left.length === 0),
        {},
      ),
      ...(ends.length === 0
        ? []
        : [
            rowOf('until all had ended', 's', 'lower', ends, {}),
            rowOf('until all had ended, the longest', 's', 'lower', [Math.max(...ends)], {}),
          ]),
    ];
    for (const row of rows) say(describeRow(row));
    return { rows, missing: [] };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

/** When a step has been made, and up to a step's time later; or the launcher has ended. */
async function untilStep(
  launcher: ChildProcess,
  out: string,
  { step, later }: { readonly step: number; readonly later: number },
): Promise<void> {
  let [found, last, between] = [0, performance.now(), 0];
  while (launcher.exitCode === null && found <= step) {
    await sleep(5);
    const now = await stepsOf(out);
    if (now === found) continue;
    between = (performance.now() - last) / (now - found);
    [found, last] = [now, performance.now()];
  }
  await sleep(later * between);
}

async function stepsOf(out: string): Promise<number> {
  const path = join(out, metricsFile);
  return (await exists(path)) ? (await readMetrics(path)).length : 0;
}

/** @returns the seconds from the kill until the launcher had ended; null where there was nobody to kill any more */
async function killOne(
  launcher: ChildProcess,
  rank: number,
  moment: () => Promise<void>,
): Promise<number | null> {
  if (launcher.stdout === null || launcher.stderr === null) throw new Error('the launcher has no streams');
  launcher.stdout.resume();
  launcher.stderr.resume();
  const closed = new Promise<void>((resolve) => launcher.once('close', () => resolve()));
  await moment();
  const workers = await workersOf(launcher);
  const victim = workers[rank];
  const at = performance.now();
  if (victim !== undefined) process.kill(victim, 'SIGKILL');
  await closed;
  return victim === undefined ? null : (performance.now() - at) / 1000;
}

/** The processes that the launcher's helper has started. */
async function workersOf({ pid, exitCode }: ChildProcess): Promise<readonly number[]> {
  if (pid === undefined || exitCode !== null) return [];
  const helpers = await childrenOf(pid);
  return (await Promise.all(helpers.map(childrenOf))).flat();
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return listed.split(' ').filter(Boolean).map(Number);
}
