import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { RunFolder, withRunFolder } from '../runs/run-folder.ts';
import { withOutput } from './lock.ts';

const identity = { pipeline: 'cluster', config: {}, datasetHash: '' };

describe('what killed processes left', () => {
  it('beside an output is cleared before it is written again, and nothing else is', async () => {
    const folder = await temporaryFolder();
    // The second carries the number of this process, as it may where numbers come again.
    const left = ['e.parquet.12.partial', `e.parquet.${process.pid}.partial`, 'e.parquet.lock.x.12.partial'];
    const others = ['e.parquet.partial', 'e.parquet', 'f.parquet.12.partial'];
    for (const name of [...left, ...others]) await writeFile(join(folder, name), name);
    await withOutput(join(folder, 'e.parquet'), async () => {});
    expect((await readdir(folder)).sort()).toEqual(others.sort());
  });

  it('of a folder that was being replaced is put back', async () => {
    const folder = await temporaryFolder();
    const [set, kept] = [join(folder, 'set'), join(folder, 'kept')];
    for (const path of [`${set}.12.replaced`, `${set}.12.partial`, kept, `${kept}.12.replaced`]) {
      await mkdir(path);
      await writeFile(join(path, 'name'), path);
    }
    await withOutput(set, async () => {});
    await withOutput(kept, async () => {});
    expect((await readdir(folder)).sort()).toEqual(['kept', 'set']);
    expect(await readFile(join(set, 'name'), 'utf8')).toBe(`${set}.12.replaced`);
    expect(await readFile(join(kept, 'name'), 'utf8')).toBe(kept);
  });

  it('in a run folder is cleared when the run goes on, but not where another process is at work', async () => {
    const folder = await temporaryFolder();
    const inner = join(folder, 'courier', 'seed-1');
    await withRunFolder(folder, identity, async () => {});
    await mkdir(join(folder, 'rankers'));
    await mkdir(inner, { recursive: true });
    const left = ['encoder.onnx.12.partial', 'rankers/none.safetensors.12.partial'];
    for (const name of [...left, 'courier/seed-1/theirs.12.partial'])
      await writeFile(join(folder, name), name);
    await RunFolder.hold(inner, () => withRunFolder(folder, identity, async () => {}));
    expect((await readdir(folder)).sort()).toEqual(['courier', 'manifest.json', 'rankers']);
    expect(await readdir(join(folder, 'rankers'))).toEqual([]);
    expect(await readdir(inner)).toEqual(['theirs.12.partial']);
  });

  it('stays where the folder holds another run', async () => {
    const folder = await temporaryFolder();
    await withRunFolder(folder, identity, async () => {});
    await writeFile(join(folder, 'centres.12.partial'), '');
    const other = { ...identity, pipeline: 'rank' };
    await expect(withRunFolder(folder, other, async () => {})).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
    expect((await readdir(folder)).sort()).toEqual(['centres.12.partial', 'manifest.json']);
  });
});
