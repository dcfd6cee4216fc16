/** Whether this process is one of several that a launcher such as mpirun started, as its environment says. */

export interface Launch {
  /** Whose conventions they are. */
  readonly launcher: 'Open MPI' | 'PMI' | 'MVAPICH' | 'PMIx';
  readonly rank: number;
  /** How many there are; null where the environment does not say. */
  readonly size: number | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * mpirun and mpiexec of Open MPI; of MPICH, Intel MPI and Slurm with PMI; of MVAPICH; whatever speaks PMIx. That Slurm started
 * a process (SLURM_PROCID) says nothing: a batch script is one too, and so is a job of processes that know nothing of each other.
 */
const conventions = [
  { launcher: 'Open MPI', rank: 'OMPI_COMM_WORLD_RANK', size: 'OMPI_COMM_WORLD_SIZE' },
  { launcher: 'PMI', rank: 'PMI_RANK', size: 'PMI_SIZE' },
  { launcher: 'MVAPICH', rank: 'MV2_COMM_WORLD_RANK', size: 'MV2_COMM_WORLD_SIZE' },
  { launcher: 'PMIx', rank: 'PMIX_RANK', size: 'SLURM_STEP_NUM_TASKS' },
] as const;

/** null: nobody started several processes. */
export function launchOf(environment: Environment): Launch | null {
  const found = conventions.find(({ rank }) => environment[rank] !== undefined);
  if (found === undefined) return null;
  const size = Number(environment[found.size]);
  const rank = Number(environment[found.rank]);
  return { launcher: found.launcher, rank, size: Number.isSafeInteger(size) && size > 0 ? size : null };
}
