import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { collectivesContract } from '../../test/support/collectives-contract.ts';
import { hasMpi, mpirun, underMpi } from '../../test/support/mpi.ts';
import { launchOf } from './launcher.ts';
import { oneProcess } from './one-process.ts';
import { processGroup } from './world.ts';

const supportFile = (name: string) => fileURLToPath(new URL(`../../test/support/${name}`, import.meta.url));

describe('one process', () => {
  for (const [claim, check] of Object.entries(collectivesContract)) it(claim, () => check(oneProcess));

  it('is what a process is that nobody started with others', async () => {
    expect(await processGroup()).toBe(oneProcess);
  });
});

for (const size of [2, 3]) {
  describe.skipIf(!hasMpi)(`${size} processes, ${underMpi}`, () => {
    let said: { rank: number; size: number; failures: Record<string, string> }[];

    beforeAll(async () => {
      const ran = await mpirun(size, [supportFile('collectives-program.ts')]);
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
      said = ran.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    });

    it('are so many, each of another rank', () => {
      expect(said.map(({ rank }) => rank).sort()).toEqual(Array.from({ length: size }, (_, rank) => rank));
      for (const one of said) expect(one.size).toBe(size);
    });

    for (const claim of Object.keys(collectivesContract)) {
      for (const pieces of ['whole', 'cut']) {
        it(`${claim} (arrays ${pieces})`, () => {
          for (const { failures } of said) expect(failures[`${pieces}: ${claim}`]).toBeUndefined();
        });
      }
    }
  });
}

describe.skipIf(!hasMpi)(`what happens to the others, ${underMpi}`, () => {
  const program = supportFile('collectives-failure-program.ts');

  it('ends them and tells what was thrown where one throws', async () => {
    const { exitCode, stderr } = await mpirun(3, [program, 'throws']);
    expect(exitCode).not.toBe(0);
    expect(stderr.match(/the second process has enough/g)).toHaveLength(1);
  });

  it('ends them where one ends with another exit code than 0', async () => {
    expect((await mpirun(2, [program, 'exits'])).exitCode).toBe(3);
  });

  it('ends them where one is killed', async () => {
    expect((await mpirun(3, [program, 'is killed'])).exitCode).not.toBe(0);
  });

  it('says which library is not there instead of working alone', async () => {
    const ran = await mpirun(2, [program, 'exits'], {
      environment: { COURIER_MPI: 'libnosuchmpi.so' },
    });
    expect(ran.exitCode).not.toBe(0);
    expect(ran.stderr).toContain('libnosuchmpi.so');
    expect(ran.stderr).toContain('COURIER_MPI');
  });
});

describe('launchOf', () => {
  it('knows the launchers by what they tell each process', () => {
    expect(launchOf({ PMI_RANK: '0', PMI_SIZE: '4' })).toEqual({ launcher: 'PMI', rank: 0, size: 4 });
    const openMpi = { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2', PMIX_RANK: '1' };
    expect(launchOf(openMpi)).toEqual({ launcher: 'Open MPI', rank: 1, size: 2 });
    expect(launchOf({ PMIX_RANK: '1' })).toEqual({ launcher: 'PMIx', rank: 1, size: null });
    expect(launchOf({ PMIX_RANK: '1', SLURM_STEP_NUM_TASKS: '8' })).toEqual({
      launcher: 'PMIx',
      rank: 1,
      size: 8,
    });
  });

  it('takes a batch script of Slurm, and any other process, for one that works alone', () => {
    expect(launchOf({ SLURM_PROCID: '0', SLURM_NTASKS: '8' })).toBeNull();
    expect(launchOf({})).toBeNull();
  });
});
