import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { oneProcess } from '../collectives/one-process.ts';
import { layoutOf, zeros } from '../graph/parameters.ts';
import { parameter } from '../graph/tensor.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { Engine } from '../runtime/engine.ts';
import { readSafeTensors } from '../storage/safetensors.ts';
import { checkpointFile } from './run-start.ts';
import { TrainingRun } from './training-run.ts';

const layout = layoutOf([parameter('weight', [1000], zeros)]);
const identity = { pipeline: 'pretrain', config: {}, datasetHash: '' };
const fresh = {
  vectors: { parameters: new Float32Array(1000) },
  arrays: {},
  sampler: { random: [1, 2, 3, 4], epoch: 0, taken: 0 },
  plan: async () => ({ chunk: 1, group: 1 }),
  learnedUntil: null,
};

/** Runs the work on a run and its state in a folder of its own. */
async function onRun(work: (run: TrainingRun, engine: Engine, out: string) => Promise<void>): Promise<void> {
  const out = join(await temporaryFolder(), 'run');
  const engine = Engine.start({ threads: 1 });
  try {
    await RunFolder.hold(out, async (folder) =>
      work(await TrainingRun.open(folder, oneProcess, identity, layout, fresh), engine, out),
    );
  } finally {
    await engine.close();
  }
}

describe('a checkpoint', () => {
  it('is of the step at which it was taken, whatever changes while it is written', () =>
    onRun(async (run, engine, out) => {
      const state = await engine.createState(fresh.vectors);
      await state.write({ parameters: new Float32Array(1000).fill(1) });
      await run.checkpoint(1, state, {});
      await state.write({ parameters: new Float32Array(1000).fill(2) });
      await run.written();
      const { metadata, tensors } = await readSafeTensors(join(out, checkpointFile), 'Checkpoint');
      expect(metadata).toMatchObject({ step: '1' });
      expect(tensors.get('parameters/weight')?.data).toEqual(new Float32Array(1000).fill(1));
    }));

  it('that follows another waits for it, and is the one that stays', () =>
    onRun(async (run, engine, out) => {
      const state = await engine.createState(fresh.vectors);
      for (const step of [1, 2, 3]) await run.checkpoint(step, state, {});
      await run.written();
      expect((await readSafeTensors(join(out, checkpointFile), 'Checkpoint')).metadata).toMatchObject({
        step: '3',
      });
    }));

  it('that cannot be written is told to whoever takes the next one, or waits for it', () =>
    onRun(async (run, engine, out) => {
      const state = await engine.createState(fresh.vectors);
      await rm(out, { recursive: true });
      await writeFile(out, 'in the way');
      await run.checkpoint(1, state, {});
      await expect(run.checkpoint(2, state, {})).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
      await expect(run.written()).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
      await rm(out);
    }));
});
