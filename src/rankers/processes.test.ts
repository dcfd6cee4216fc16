import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasMpi, mpirun, underMpi } from '../../test/support/mpi.ts';
import { filesOf, smallTrainings, trainSmall } from '../../test/support/shared-rankers.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { oneProcess } from '../collectives/one-process.ts';
import { Engine } from '../runtime/engine.ts';
import { readSafeTensors } from '../storage/safetensors.ts';
import { decodeState } from './state-file.ts';
import type { RankerResult, TrainedRanker } from './train.ts';

const program = fileURLToPath(new URL('../../test/support/shared-rankers-program.ts', import.meta.url));
const names = Object.keys(smallTrainings);

/** How much of it a sum of many float32 numbers may differ by, with the order in which they are added. */
const rounding = 1e-5;

type Outcome = Pick<TrainedRanker, 'result' | 'state'>;

describe.skipIf(!hasMpi)(`a ranker that several processes train together, ${underMpi}`, () => {
  const alone = new Map<string, Outcome>();
  beforeAll(async () => {
    const engine = Engine.start({ threads: 1 });
    for (const name of names) alone.set(name, await trainSmall(name, oneProcess, engine));
    await engine.close();
  });

  async function run(processes: number, ...words: string[]) {
    const { exitCode, stderr } = await mpirun(processes, [program, ...words]);
    return { exitCode, stderr };
  }

  async function outcomeOf(folder: string, name: string): Promise<Outcome> {
    const files = filesOf(folder, name);
    const result: RankerResult = JSON.parse(await readFile(files.result, 'utf8'));
    const state = decodeState('state', await readSafeTensors(files.state, 'State'), files.state);
    return { result, state };
  }

  function expectSame(name: string, { result, state }: Outcome): void {
    const one = alone.get(name)!;
    expect(result.steps).toBe(one.result.steps);
    expect(result.curve.map(({ step }) => step)).toEqual(one.result.curve.map(({ step }) => step));
    for (const [place, { step, loss }] of one.result.curve.entries())
      expect(Math.abs(result.curve[place]!.loss! / loss! - 1), `loss of step ${step}`).toBeLessThan(rounding);
    expect(apart(Float32Array.from(result.testScores), one.result.testScores)).toBeLessThan(rounding);
    expect([...state.table.rows]).toEqual([...one.state.table.rows]);
    expect(apart(state.table.memory, one.state.table.memory)).toBeLessThan(rounding);
    expect(apart(state.vectors.parameters, one.state.vectors.parameters)).toBeLessThan(rounding);
    expect(state.table.current).toEqual(one.state.table.current);
    expect([state.step, state.table.step]).toEqual([one.state.step, one.state.table.step]);
  }

  for (const processes of [2, 3]) {
    describe(`${processes} of them`, () => {
      let folder: string;
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'courier-'));
        expect(await run(processes, folder)).toEqual({ exitCode: 0, stderr: '' });
      });
      afterAll(() => rm(folder, { recursive: true, force: true }));

      for (const name of names)
        it(`give the losses, the scores and the table of one: ${name}`, async () => {
          const outcome = await outcomeOf(folder, name);
          expectSame(name, outcome);
          expect(outcome.result.communicationSeconds).toBeGreaterThan(0);
        });
    });
  }

  it('is gone on with by another number of them, and at last by one, wherever any was asked to stop', async () => {
    const folder = await temporaryFolder();
    const checkpoint = join(folder, 'checkpoint');
    for (const name of names.slice(0, 2)) {
      for (const [processes, stopAt] of [
        [2, 5],
        [3, 9],
      ] as const) {
        const stopped = await run(processes, folder, name, checkpoint, String(stopAt));
        expect(stopped.exitCode).not.toBe(0);
        expect(stopped.stderr).toContain('INTERRUPTED');
      }
      const engine = Engine.start({ threads: 1 });
      const done = await trainSmall(name, oneProcess, engine, { checkpoint });
      await engine.close();
      expectSame(name, done);
      await rm(checkpoint);
    }
  });
});

/** How far values are from others, as a share of them. */
function apart(values: Float32Array, others: Float32Array): number {
  const norm = (all: Float32Array) => Math.sqrt(all.reduce((sum, value) => sum + value * value, 0));
  return norm(values.map((value, place) => value - others[place]!)) / norm(others);
}
