/** What shared-pool-program.ts prints. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SmallTraining } from './small-training.ts';

export interface SharedPoolReport {
  /** Threads of the pool that sessions share. */
  readonly pooled: number;
  /** Threads of the process that six more sessions have added; null where the system does not tell. */
  readonly threadsAdded: number | null;
  /** By engine, by session. */
  readonly embeddings: readonly (readonly (readonly number[])[])[];
  /** Of one thread, by session. */
  readonly embeddingsAlone: readonly (readonly number[])[];
  readonly trainings: readonly SmallTraining[];
  /** Of one thread. */
  readonly trainingsAlone: readonly SmallTraining[];
}

/** Runs it in a process of its own, which has a pool of so many threads. It fails where that has not ended in time. */
export async function runSharedPool(cores: number, seconds: number): Promise<SharedPoolReport> {
  const program = fileURLToPath(new URL('./shared-pool-program.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), program],
    {
      env: { ...process.env, COURIER_THREADS: String(cores) },
      timeout: 1000 * seconds,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    },
  );
  return JSON.parse(stdout);
}
