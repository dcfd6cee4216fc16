import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasMpi, mpirun, underMpi } from '../../test/support/mpi.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';

const bin = fileURLToPath(new URL('bin.ts', import.meta.url));

describe.skipIf(!hasMpi)(`a command of several processes, ${underMpi}`, () => {
  it('speaks once, whether it shares its work or not', async () => {
    const { exitCode, stdout } = await mpirun(2, [bin, 'doctor', '--json']);
    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ ok: true }]);
  });

  it('tells an error that all have once, and ends', async () => {
    const missing = join(await temporaryFolder(), 'missing');
    const words = [bin, 'pretrain', '--dataset', missing, '--out', `${missing}-run`];
    const { exitCode, stderr } = await mpirun(3, words);
    expect(exitCode).toBe(1);
    expect(stderr.match(/\[FILE_NOT_FOUND\]/g)).toHaveLength(1);
  });
});
