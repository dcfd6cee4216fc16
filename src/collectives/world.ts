/** The processes that this one was started with. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { CourierError } from '../errors.ts';
import { type Launch, launchOf } from './launcher.ts';
import { check, type Mpi, openMpi, versionOf } from './mpi/library.ts';
import { MpiGroup } from './mpi/mpi-group.ts';
import { Requests } from './mpi/requests.ts';
import { oneProcess } from './one-process.ts';
import type { ProcessGroup } from './process-group.ts';
import { allGatherTexts } from './texts.ts';

let joined: Promise<ProcessGroup> | null = null;

const alone = new AsyncLocalStorage<true>();

/** Runs work in which the others take no part: whatever it calls is of this process only. */
export function withoutOthers<T>(work: () => Promise<T>): Promise<T> {
  return alone.run(true, work);
}

/**
 * All processes of the launch that this one belongs to: of mpirun, mpiexec or srun; by itself where there is none, and then no
 * MPI is looked for. When the process ends well it leaves the others, which wait until all do; when it ends with another exit
 * code than 0, whatever threw, it ends them all.
 * @throws CourierError MPI_UNAVAILABLE, MPI_FAILED
 */
export async function processGroup(): Promise<ProcessGroup> {
  if (alone.getStore() === true) return oneProcess;
  joined ??= join(launchOf(process.env));
  return joined;
}

async function join(launch: Launch | null): Promise<ProcessGroup> {
  if (launch === null || launch.size === 1) return oneProcess;
  if (!isMainThread) throw new Error('processes are joined from the main thread');
  const mpi = openMpi(launch);
  const group = begin(mpi);
  if (launch.size !== null && launch.size !== group.size) throw otherMpi(mpi, launch.size, group.size);
  // Whoever shares a name shares a machine: what MPI calls one differs from library to library.
  const hosts = await allGatherTexts(group, hostname());
  const isHere = (rank: number) => hosts[rank] === hosts[group.rank];
  const before = hosts.filter((_, rank) => rank < group.rank && isHere(rank));
  return group.with({
    localRank: before.length,
    localSize: hosts.filter((_, rank) => isHere(rank)).length,
  });
}

/** MPI is called from this thread only, which every library can do; what takes long is asked about and not waited for. */
const funneled = 1;

const millisecondsToBeHeard = 250;

function begin(mpi: Mpi): MpiGroup {
  const { world, errorsReturn } = mpi.abi;
  check(mpi, mpi.initThread(null, null, funneled, new Int32Array(1)), 'its beginning');
  check(mpi, mpi.commSetErrhandler(world, errorsReturn), 'its beginning');
  const requests = new Requests(mpi);
  // What nobody caught is told by Node only after that has been tidied up which ends the process here.
  process.on('uncaughtExceptionMonitor', (error) => process.stderr.write(`${inspect(error)}\n`));
  process.on('exit', (code) => {
    if (code === 0 && !requests.busy) {
      mpi.finalize();
      return;
    }
    // A launcher that is told to end all drops what it has not read yet of what they said.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millisecondsToBeHeard);
    mpi.abort(world, code === 0 ? 1 : code);
  });
  return new MpiGroup(mpi, requests, { localRank: 0, localSize: 1 });
}

function otherMpi(mpi: Mpi, started: number, found: number): CourierError {
  return new CourierError(
    'MPI_UNAVAILABLE',
    `${started} processes were started together, and ${mpi.name} (${versionOf(mpi)}) sees ${found}: it is not the MPI that started them.`,
    'Start them with the mpirun of that library, or name the right library in the environment variable COURIER_MPI.',
  );
}
