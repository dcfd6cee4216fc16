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
  {
    launcher: 'Open MPI',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: 'OMPI_COMM_WORLD_SIZE',
    localRank: 'OMPI_COMM_WORLD_LOCAL_RANK',
  },
  { launcher: 'PMI', rank: 'PMI_RANK', size: 'PMI_SIZE', localRank: 'MPI_LOCALRANKID' },
  {
    launcher: 'MVAPICH',
    rank: 'MV2_COMM_WORLD_RANK',
    size: 'MV2_COMM_WORLD_SIZE',
    localRank: 'MV2_COMM_WORLD_LOCAL_RANK',
  },
  { launcher: 'PMIx', rank: 'PMIX_RANK', size: 'SLURM_STEP_NUM_TASKS', localRank: 'SLURM_LOCALID' },
] as const;

/** null: nobody started several processes. */
export function launchOf(environment: Environment): Launch | null {
  const found = conventionOf(environment);
  if (found === undefined) return null;
  const size = Number(environment[found.size]);
  const rank = Number(environment[found.rank]);
  return { launcher: found.launcher, rank, size: Number.isSafeInteger(size) && size > 0 ? size : null };
}

/** Which one a process is of those that its launcher started on the same machine, from 0; 0 where it was not told. */
export function localRankOf(environment: Environment): number {
  const found = conventionOf(environment);
  // srun speaks PMI as well, and tells the place on the machine in its own words.
  const rank = Number(found && (environment[found.localRank] ?? environment['SLURM_LOCALID']));
  return Number.isSafeInteger(rank) && rank >= 0 ? rank : 0;
}

function conventionOf(environment: Environment) {
  return conventions.find(({ rank }) => environment[rank] !== undefined);
}
