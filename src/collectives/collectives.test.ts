import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { collectivesContract } from '../../test/support/collectives-contract.ts';
import { hasMpi, mpirun, underMpi } from '../../test/support/mpi.ts';
import { launchOf, localRankOf } from './launcher.ts';
import { longestWait } from './mpi/requests.ts';
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

  for (const [leaver, waits] of [
    [0, '[23]'],
    [1, '1'],
    [2, '1'],
  ] as const) {
    it(`ends them where the work of number ${leaver + 1} is over and the others wait, and says so`, async () => {
      const { exitCode, stderr } = await mpirun(3, [program, 'is over', String(leaver)]);
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(
        new RegExp(
          `Process ${leaver + 1} on .+ ended after 2 collectives, and process ${waits} on .+ waits for it in a sum, number 3`,
        ),
      );
    });
  }

  it('ends them where one ends as if all were well while it waits itself', async () => {
    const { exitCode, stderr } = await mpirun(2, [program, 'is over while it waits']);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/Process 2 on .+ ended while it was in a barrier/);
  });

  it('ends them where one has not come to what nobody waits for', async () => {
    const { exitCode, stderr } = await mpirun(2, [program, 'is over where nobody has to wait for it']);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/Process 2 on .+ ended after 2 collectives, and process 1 on .+ after 3/);
  });

  it('lets one go long before the others where they have all been through the same', async () => {
    expect(await mpirun(3, [program, 'is over long before the others'])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  });

  it('ends them where the work of one is over before it has begun with them', async () => {
    const environment = { COURIER_MPI_WAIT: '2' };
    const { exitCode, stderr } = await mpirun(2, [program, 'is over before it begins'], { environment });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('has waited for 2 s for all others to begin');
  });

  it('ends them where one hangs for longer than they are told to wait', async () => {
    // Longer than processes start one after the other on a machine that is full.
    const environment = { COURIER_MPI_WAIT: '5' };
    const { exitCode, stderr } = await mpirun(2, [program, 'hangs'], { environment });
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/Process 1 on .+ has waited for the others for \d+ s in a barrier/);
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

describe('longestWait', () => {
  it('is what it is told in seconds, and no limit by default', () => {
    expect(longestWait({})).toBe(Number.POSITIVE_INFINITY);
    expect(longestWait({ COURIER_MPI_WAIT: '90' })).toBe(90_000);
    for (const wrong of ['soon', '0', '-1'])
      expect(() => longestWait({ COURIER_MPI_WAIT: wrong })).toThrow(/COURIER_MPI_WAIT: .+\./);
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

describe('localRankOf', () => {
  it('is what the launcher tells each process of its machine, and 0 without one', () => {
    expect(localRankOf({ PMI_RANK: '5', MPI_LOCALRANKID: '1' })).toBe(1);
    expect(localRankOf({ PMI_RANK: '5', SLURM_LOCALID: '2' })).toBe(2);
    expect(localRankOf({ OMPI_COMM_WORLD_RANK: '5', OMPI_COMM_WORLD_LOCAL_RANK: '3' })).toBe(3);
    expect(localRankOf({ PMIX_RANK: '5', SLURM_LOCALID: '1' })).toBe(1);
    expect(localRankOf({ PMI_RANK: '5' })).toBe(0);
    expect(localRankOf({ SLURM_LOCALID: '1' })).toBe(0);
  });
});
