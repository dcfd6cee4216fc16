import { availableParallelism } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { usableCores } from './cores.ts';

afterEach(() => void vi.unstubAllEnvs());

it('cores are those of the machine unless COURIER_THREADS says otherwise', () => {
  vi.stubEnv('COURIER_THREADS', '');
  expect(usableCores()).toBe(availableParallelism());
  vi.stubEnv('COURIER_THREADS', '3');
  expect(usableCores()).toBe(3);
});

it('processes that were started together on a machine share its cores', () => {
  vi.stubEnv('COURIER_THREADS', '');
  vi.stubEnv('MPI_LOCALNRANKS', '2');
  expect(usableCores()).toBe(Math.max(1, Math.floor(availableParallelism() / 2)));
  vi.stubEnv('MPI_LOCALNRANKS', '1000');
  expect(usableCores()).toBe(1);
});

it.each(['0', '-1', '1.5', 'all'])('COURIER_THREADS=%s is refused', (wanted) => {
  vi.stubEnv('COURIER_THREADS', wanted);
  expect(usableCores).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
