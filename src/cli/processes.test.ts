import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasMpi, mpirun, underMpi } from '../../test/support/mpi.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { exists } from '../storage/files.ts';
import { encoderFile } from '../training/written-encoder.ts';

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

  it('runs the example of docs/scale.md as it is', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'datasets'));
    await rename(await tinyDataset(folder), join(folder, 'datasets', 'shop'));
    await writeFile(join(folder, 'small.json'), JSON.stringify(tinyPretraining));
    const text = await readFile(new URL('../../docs/scale.md', import.meta.url), 'utf8');
    const [, processes, words] = /^mpirun -n (\d) courier (.+)$/m.exec(text) ?? [];
    const all = [bin, ...words!.split(' '), '--config', 'small.json'];
    const { exitCode, stderr } = await mpirun(Number(processes), all, { folder });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr.match(/^Pre-train: done/gm)).toHaveLength(1);
    expect(await exists(join(folder, 'runs', 'shared', encoderFile))).toBe(true);
  });
});
