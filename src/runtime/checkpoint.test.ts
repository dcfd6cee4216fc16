import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../graph/checkpoint.ts';
import { layoutOf, zeros } from '../graph/parameters.ts';
import { parameter } from '../graph/tensor.ts';
import { readSafeTensors, type SafeTensor, writeSafeTensors } from '../storage/safetensors.ts';

const layout = layoutOf([parameter('a', [2, 2], zeros), parameter('b', [3], zeros)]);
const names = ['parameters', 'best'];
const checkpoint: Checkpoint = {
  step: 7,
  vectors: {
    parameters: Float32Array.of(1, 2, 3, 4, 5, 6, 7),
    best: Float32Array.of(-1, -2, -3, -4, -5, -6, -7),
  },
  arrays: { keys: Float32Array.of(8), photos: Int32Array.of(-1, 9) },
  progress: { epoch: 3 },
};

describe('a checkpoint', () => {
  let path: string;
  beforeEach(async () => {
    path = join(await temporaryFolder(), 'checkpoint.safetensors');
  });

  it('gives back what was saved, and is not there before', async () => {
    expect(await loadCheckpoint(path, 'run', layout, names)).toBeNull();
    await saveCheckpoint(path, 'run', layout, checkpoint);
    expect(await loadCheckpoint(path, 'run', layout, names)).toEqual(checkpoint);
    expect(await readdir(dirname(path))).toEqual(['checkpoint.safetensors']);
  });

  it('holds a tensor for each parameter, which can be taken alone', async () => {
    await saveCheckpoint(path, 'run', layout, checkpoint);
    const { tensors } = await readSafeTensors(path, 'File', (name) => (name === 'best/b' ? 'new' : 'none'));
    expect(tensors).toEqual(new Map([['best/b', { shape: [3], data: Float32Array.of(-5, -6, -7) }]]));
  });

  it('of another run, without a vector, or with a parameter of another size or type is refused', async () => {
    const refused = { code: 'CHECKPOINT_INVALID' };
    await saveCheckpoint(path, 'run', layout, checkpoint);
    await expect(loadCheckpoint(path, 'other', layout, names)).rejects.toMatchObject(refused);
    await expect(loadCheckpoint(path, 'run', layout, [...names, 'average'])).rejects.toMatchObject(refused);
    const content = await readSafeTensors(path, 'File');
    for (const data of [Float32Array.of(1, 2), Int32Array.of(1, 2, 3)]) {
      const other: SafeTensor = { shape: [data.length], data };
      const tensors = new Map([...content.tensors, ['parameters/b', other]]);
      await writeSafeTensors(path, { ...content, tensors });
      await expect(loadCheckpoint(path, 'run', layout, names)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('lacks parameters/b of 3 values'),
      });
    }
  });
});
