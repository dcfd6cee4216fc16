import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSameRun } from '../../../test/support/same-run.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { hasTwoHosts, onTwoHosts, TwoHosts } from '../../../test/support/two-hosts.ts';
import { pretrain } from './index.ts';

const supportFile = (name: string) =>
  fileURLToPath(new URL(`../../../test/support/${name}`, import.meta.url));

describe.skipIf(!hasTwoHosts)(`pretrain ${onTwoHosts}`, () => {
  let folder: string;
  let hosts: TwoHosts;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    // So long a way that one process is at its end while the other still asks.
    hosts = await TwoHosts.make({ bitsPerSecond: 1e9, milliseconds: 5 });
  });
  afterAll(async () => {
    await hosts.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('is of processes that each see a host of their own, with another name and address', async () => {
    const { stdout, stderr, exitCode } = await hosts.mpirun([supportFile('host-program.ts')]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const [one, two] = JSON.parse(stdout);
    expect([one.address, two.address]).toEqual(hosts.addresses);
    expect(one.host).not.toBe(two.host);
    expect([one.localSize, two.localSize]).toEqual([1, 1]);
  });

  it('makes the updates of one process, and brings what it shares over the wire', async () => {
    const dataset = await tinyDataset(folder);
    const settings = { ...tinyPretraining, dataset, steps: 4 };
    const [several, one] = [join(folder, 'several'), join(folder, 'one')];
    const file = join(folder, 'settings.json');
    await writeFile(file, JSON.stringify([{ ...settings, out: several }]));
    await pretrain({ ...settings, out: one });
    const before = hosts.bytes();
    const { exitCode, stderr } = await hosts.mpirun([supportFile('pretrain-program.ts'), file]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    await expectSameRun(several, one);
    expect(hosts.bytes() - before).toBeGreaterThan(settings.steps * 10_000);
  });
});
