import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { createFeature, featureSet } from '../features/index.ts';
import { type Progress, silent } from '../progress.ts';
import { Engine } from '../runtime/engine.ts';
import { exists } from '../storage/files.ts';
import { readSafeTensors, writeSafeTensors } from '../storage/safetensors.ts';
import { type RankerConfigInput, rankerConfig } from './config.ts';
import { rowsOfSplit } from './fields.ts';
import type { RankerState } from './model.ts';
import { type RankerTraining, type TrainedRanker, trainRanker } from './train.ts';

const { data, embeddings } = tinyLog();
const feature = createFeature(featureSet('sim-score'), data, { embeddings, clusters: [], semanticIds: [] });

/** 15 steps an epoch, a look after 8 of them and after the last. */
const small = { minimumCount: 2, batchSize: 250, epochs: 2, embeddingDimension: 4, hiddenWidths: [8] };

/** Says to stop when it is asked for the nth time, which is before the nth step of a call. */
function stopBefore(step: number): { readonly aborted: boolean } {
  let asked = 0;
  return {
    get aborted() {
      return ++asked >= step;
    },
  };
}

describe('a ranker whose training is stopped', () => {
  let engine: Engine;
  let base: RankerState;
  beforeAll(async () => {
    engine = Engine.start({ threads: 1 });
    base = (await train({ tableOptimizer: 'adam', epochs: 1 }, { feature: null })).state;
  });
  afterAll(() => engine.close());

  async function train(options: RankerConfigInput, how: Partial<RankerTraining>): Promise<TrainedRanker> {
    const config = rankerConfig.parse({ ...small, ...options });
    const course = { rows: rowsOfSplit(data, 'train'), course: 'passes' } as const;
    const plain = { ...course, base: null, progress: silent, signal: undefined, checkpoint: null, seed: 1 };
    const trained = await trainRanker({ dataset: data, feature, config, engine, ...plain, ...how });
    await trained.model.release();
    return trained;
  }

  /** All but the time that it took. */
  function learned({ result, state }: TrainedRanker) {
    return { state, result: { ...result, seconds: 0 } };
  }

  async function place() {
    return { path: join(await temporaryFolder(), 'checkpoint'), seconds: 1e9 };
  }

  it.each([
    { name: 'from nothing, with Adagrad', options: {}, warm: false },
    { name: 'going on from another ranker, with Adam', options: { tableOptimizer: 'adam' }, warm: true },
  ] as const)('ends with the same bytes wherever it was stopped, $name', async ({ options, warm }) => {
    const start = warm ? base : null;
    const whole = await train(options, { base: start });
    const checkpoint = await place();
    // Between looks, right after one, before anything was done, and later.
    for (const step of [4, 6, 1, 6]) {
      const stopped = train(options, { base: start, checkpoint, signal: stopBefore(step) });
      await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    }
    const before = await readFile(checkpoint.path);
    const done: number[] = [];
    const progress: Progress = (event) => void (event.kind === 'advance' && done.push(event.done));
    const resumed = await train(options, { base: start, checkpoint, progress });
    expect(learned(resumed)).toEqual(learned(whole));
    // 13 steps were there, and the look after the eighth is not taken again.
    expect(done).toEqual([16, 24, 30]);
    expect(await readFile(checkpoint.path)).toEqual(before);
  });

  it('goes on from the last checkpoint where it was killed, and the time of all calls counts', async () => {
    const whole = await train({}, {});
    const checkpoint = { ...(await place()), seconds: 0 };
    const dying: Progress = (event) => {
      if (event.kind === 'advance') throw new Error('killed');
    };
    await expect(train({}, { checkpoint, progress: dying })).rejects.toThrow('killed');
    expect(await exists(checkpoint.path)).toBe(true);
    const older = `${checkpoint.path}.older`;
    await copyFile(checkpoint.path, older);
    const rare = { ...checkpoint, seconds: 1e9 };
    await expect(train({}, { checkpoint: rare, signal: stopBefore(9) })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await copyFile(older, checkpoint.path);
    expect(learned(await train({}, { checkpoint }))).toEqual(learned(whole));
    await copyFile(older, checkpoint.path);
    const { metadata, tensors } = await readSafeTensors(older, 'Checkpoint');
    const standing = JSON.stringify({ ...JSON.parse(metadata['standing']!), seconds: 1e6 });
    await writeSafeTensors(checkpoint.path, { metadata: { ...metadata, standing }, tensors });
    const { result } = await train({}, { checkpoint: rare });
    expect(result.seconds).toBeGreaterThan(1e6);
  });

  it('refuses a checkpoint of another ranker, or one that is damaged', async () => {
    const checkpoint = await place();
    const stopped = train({}, { checkpoint, signal: stopBefore(2) });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    for (const other of [{ seed: 2 }, { feature: null }, { base }]) {
      await expect(train({}, { checkpoint, ...other })).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
    }
    await expect(train({ epochs: 3 }, { checkpoint })).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
    const good = await readFile(checkpoint.path);
    await writeFile(checkpoint.path, good.subarray(0, good.length - 1));
    await expect(train({}, { checkpoint })).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});
