/** With how many cores this process computes. */
import { availableParallelism, cpus } from 'node:os';
import { CourierError } from './errors.ts';

/**
 * Cores that this process may compute with: those that the system grants it, or as many as the environment variable
 * COURIER_THREADS says, for a machine that is shared with others. Processes that mpirun started together on a machine
 * share its cores, unless it has bound each to cores of its own.
 * @throws CourierError CONFIG_INVALID when COURIER_THREADS is no whole number from 1
 */
export function usableCores(): number {
  const { COURIER_THREADS: wanted } = process.env;
  if (wanted === undefined || wanted === '') return ownCores();
  const threads = Number(wanted);
  if (Number.isSafeInteger(threads) && threads >= 1) return threads;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid COURIER_THREADS: ${wanted}.`,
    'Set it to a whole number of cores, such as 4, or unset it to use all.',
  );
}

function ownCores(): number {
  const cores = availableParallelism();
  return cores < cpus().length ? cores : Math.max(1, Math.floor(cores / processesHere()));
}

/** How many processes a launcher (MPICH's, Intel's, Open MPI's) started on this machine together; 1 where none did. */
export function processesHere(): number {
  const { MPI_LOCALNRANKS, OMPI_COMM_WORLD_LOCAL_SIZE } = process.env;
  const count = Number(MPI_LOCALNRANKS ?? OMPI_COMM_WORLD_LOCAL_SIZE);
  return Number.isSafeInteger(count) && count >= 1 ? count : 1;
}
