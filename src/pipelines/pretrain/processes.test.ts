import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasMpi, mpirun, startMpi, underMpi } from '../../../test/support/mpi.ts';
import { modelFile, node, value, weights } from '../../../test/support/onnx-graphs.ts';
import { expectSameRun } from '../../../test/support/same-run.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { readMetrics } from '../../runs/metrics-log.ts';
import { metricsFile } from '../../training/run-start.ts';
import type { PretrainConfigInput } from './config.ts';
import { pretrain } from './index.ts';

const supportFile = (name: string) =>
  fileURLToPath(new URL(`../../../test/support/${name}`, import.meta.url));
const [program, agreement] = [supportFile('pretrain-program.ts'), supportFile('agreement-program.ts')];

type Settings = Omit<PretrainConfigInput, 'dataset' | 'out'>;

describe.skipIf(!hasMpi)(`pretrain ${underMpi}`, () => {
  let folder: string;
  let dataset: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The same training by several processes and by one: the run folders of both. */
  const trained = (name: string, processes: number) => ({
    several: join(folder, `${name}-by-${processes}`),
    one: join(folder, `${name}-by-${processes}-alone`),
  });

  async function trainAll(processes: number, all: Readonly<Record<string, Settings>>): Promise<void> {
    const file = join(folder, `by-${processes}.json`);
    const configs = Object.entries(all).map(([name, settings]) => ({
      ...settings,
      dataset,
      out: trained(name, processes).several,
    }));
    await writeFile(file, JSON.stringify(configs));
    for (const [name, settings] of Object.entries(all))
      await pretrain({ ...settings, dataset, out: trained(name, processes).one });
    const { exitCode, stderr } = await mpirun(processes, [program, file]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }

  async function expectSameTraining(name: string, processes: number): Promise<void> {
    const { several, one } = trained(name, processes);
    await expectSameRun(several, one);
  }

  it('the updates of two are those of one, also where earlier batches are remembered', async () => {
    const scl = { ...tinyPretraining, objective: { name: 'scl' as const, queue: 40 }, steps: 4 };
    await trainAll(2, { courier: tinyPretraining, scl });
    for (const name of ['courier', 'scl']) await expectSameTraining(name, 2);
    const [first] = await readMetrics(join(trained('courier', 2).several, metricsFile));
    expect(first).toMatchObject({
      communicationMs: expect.any(Number),
      communicationBytes: expect.any(Number),
    });
  });

  it('so are those of three, also of views of a photo, and of the head of a network whose features one computes', async () => {
    const file = join(folder, 'network.onnx');
    await writeFile(file, network());
    const head = { name: 'perceptron' as const, hidden: 16, dropout: 0.5 };
    const encoder = { name: 'backbone' as const, file, components: 12, head, dimension: 8, dropout: 0.2 };
    const simclr = { ...tinyPretraining, objective: { name: 'simclr' as const }, steps: 4 };
    const ofNetwork = { ...tinyPretraining, encoder, firstStage: { steps: 3, batchSize: 20 } };
    await trainAll(3, { courier: tinyPretraining, simclr, ofNetwork });
    for (const name of ['courier', 'simclr', 'ofNetwork']) await expectSameTraining(name, 3);
  });

  it('a run that was killed is gone on with by another number of processes, and at last by one', async () => {
    const [out, one] = [join(folder, 'killed'), join(folder, 'undisturbed')];
    const settings = { ...tinyPretraining, dataset, checkpointEvery: 1 };
    await pretrain({ ...settings, out: one });
    const config = join(folder, 'killed.json');
    await writeFile(config, JSON.stringify([{ ...settings, out }]));
    for (const [processes, steps] of [
      [2, 3],
      [3, 6],
    ] as const) {
      const child = startMpi(processes, [program, config]);
      const ended = once(child, 'close');
      while (child.exitCode === null && (await stepsOf(out)) < steps) await sleep(5);
      process.kill(await holderOf(out), 'SIGKILL');
      await ended;
    }
    await pretrain({ ...settings, out });
    await expectSameRun(out, one);
  });

  it('ends where the processes have come to different parameters, and says which', async () => {
    const { exitCode, stderr } = await mpirun(3, [agreement]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/Process 3 on .+ has other parameters after step 7 than the first one/);
  });
});

async function stepsOf(out: string): Promise<number> {
  const text = await readFile(join(out, metricsFile), 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}

/** The process that writes into a run folder. */
async function holderOf(out: string): Promise<number> {
  const lock = join(out, '.lock');
  const [owner] = await readdir(lock);
  const { pid }: { pid: number } = JSON.parse(await readFile(join(lock, owner!), 'utf8'));
  return pid;
}

/** A network that says eight numbers of a photo. */
function network(): Uint8Array {
  return modelFile({
    input: [value('image', ['n', 3, 'h', 'w'])],
    node: [
      node('Conv', ['image', 'first'], ['edges'], { strides: [8, 8], kernel_shape: [4, 4] }),
      node('Relu', ['edges'], ['bent']),
      node('Flatten', ['bent'], ['said']),
    ],
    initializer: [weights('first', [8, 3, 4, 4], 1)],
    output: [value('said', ['n', 'f'])],
  });
}
