import { describe, expect, it } from 'vitest';
import { ownGpu, providerOf } from './own-gpu.ts';

/** As mpirun of MPICH tells the process of a machine. */
const local = (rank: number) => ({ PMI_RANK: String(8 + rank), MPI_LOCALRANKID: String(rank) });

describe('ownGpu', () => {
  it('gives each process of a machine a GPU of its own, and the first one to who works alone', () => {
    expect([0, 1, 2, 3].map((rank) => ownGpu(local(rank), 4))).toEqual([0, 1, 2, 3]);
    expect(ownGpu({}, 4)).toBe(0);
  });

  it('deals them out again where there are more processes', () => {
    expect([0, 1, 2, 3].map((rank) => ownGpu(local(rank), 2))).toEqual([0, 1, 0, 1]);
  });

  it('counts among those that CUDA shows: with one for each process that is its first', () => {
    expect(ownGpu({ ...local(3), CUDA_VISIBLE_DEVICES: '3' }, 4)).toBe(0);
    expect(ownGpu({ ...local(1), CUDA_VISIBLE_DEVICES: '2,3' }, 4)).toBe(1);
    expect(ownGpu({ ...local(1), CUDA_VISIBLE_DEVICES: '' }, 4)).toBe(0);
  });

  it('is the first where nobody knows how many there are', () => {
    expect(ownGpu(local(1), 0)).toBe(0);
  });
});

describe('providerOf', () => {
  it('numbers GPUs of CUDA, and nothing else', () => {
    expect(providerOf('cuda')).toEqual({ name: 'cuda', deviceId: 0 });
    expect([providerOf('cpu'), providerOf('webgpu')]).toEqual(['cpu', 'webgpu']);
  });
});
