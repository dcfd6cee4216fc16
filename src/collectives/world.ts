/** The processes that this one was started with. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { CourierError } from '../errors.ts';
import { type Launch, launchOf } from './launcher.ts';
import { Departures } from './mpi/departures.ts';
import { check, type Mpi, openMpi, versionOf } from './mpi/library.ts';
import { MpiGroup } from './mpi/mpi-group.ts';
import { longestWait, Requests } from './mpi/requests.ts';
import { sleep } from './mpi/sleep.ts';
import { withinTime } from './mpi/time-limit.ts';
import { oneProcess } from './one-process.ts';
import type { ProcessGroup } from './process-group.ts';
import { allGatherTexts } from './texts.ts';

let joined: Promise<ProcessGroup> | null = null;

const alone = new AsyncLocalStorage<true>();

/** Runs work in which the others take no part: whatever it calls is of this process only. */
export function withoutOthers<T>(work: () => Promise<T>): Promise<T> {
  // Node follows every promise from the first such mark on, which takes a tenth of what a server can answer.
  return hasOthers(launchOf(process.env)) ? alone.run(true, work) : work();
}

function hasOthers(launch: Launch | null): launch is Launch {
  return launch !== null && launch.size !== 1;
}

/**
 * All processes of the launch that this one belongs to: of mpirun, mpiexec or srun; by itself where there is none, and then no
 * MPI is looked for. When the process ends well, after as many collectives as the others, it leaves them when all do; when it
 * ends otherwise, whatever threw, it ends them all.
 * @throws CourierError MPI_UNAVAILABLE, MPI_FAILED, CONFIG_INVALID
 */
export async function processGroup(): Promise<ProcessGroup> {
  if (alone.getStore() === true) return oneProcess;
  joined ??= join(launchOf(process.env));
  return joined;
}

async function join(launch: Launch | null): Promise<ProcessGroup> {
  if (!hasOthers(launch)) return oneProcess;
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

/** Processes are started together: milliseconds after which one has waited in vain for others to begin. */
const longestJoining = 300_000;

const millisecondsToBeHeard = 250;

/**
 * Between the last question to MPI and its end, longer than a message takes. At its end UCX has what went over TCP acknowledged once more; MPICH 4.0
 * then waits for the others without acknowledging anything (until pmodels/mpich#6596). So a process that still has to ask must not acknowledge
 * for one that is at its end already: it would never be answered itself.
 */
const millisecondsOfSilence = 100;

function begin(mpi: Mpi): MpiGroup {
  const limit = longestWait(process.env);
  const { world, errorsReturn } = mpi.abi;
  const joining = Math.min(limit, longestJoining);
  const missing = `Error: a process has waited for ${joining / 1000} s for all others to begin: one may have ended before, or does not reach it.\n`;
  withinTime(joining, missing, () =>
    check(mpi, mpi.initThread(null, null, funneled, new Int32Array(1)), 'its beginning'),
  );
  check(mpi, mpi.commSetErrhandler(world, errorsReturn), 'its beginning');
  const rank = numberOf(mpi, mpi.commRank, 'asking for the rank');
  const size = numberOf(mpi, mpi.commSize, 'asking for the number of processes');
  const requests = new Requests(mpi, rank, new Departures(mpi, rank, size), limit);
  // What nobody caught is told by Node only after that has been tidied up which ends the process here.
  process.on('uncaughtExceptionMonitor', (error) => process.stderr.write(`${inspect(error)}\n`));
  process.on('exit', (code) => {
    if (code === 0 && leaveWell(requests)) {
      sleep(millisecondsOfSilence);
      mpi.finalize();
      return;
    }
    // A launcher that is told to end all drops what it has not read yet of what they said.
    sleep(millisecondsToBeHeard);
    mpi.abort(world, code === 0 ? 1 : code);
  });
  return new MpiGroup(mpi, requests, { rank, size, localRank: 0, localSize: 1 });
}

function numberOf(mpi: Mpi, ask: Mpi['commRank'], what: string): number {
  const number = new Int32Array(1);
  check(mpi, ask(mpi.abi.world, number), what);
  return number[0]!;
}

/** Waits for the others, and tells what is wrong with that. */
function leaveWell(requests: Requests): boolean {
  const problem = requests.leave();
  if (problem !== null) process.stderr.write(`Error: ${problem}\n`);
  return problem === null;
}

function otherMpi(mpi: Mpi, started: number, found: number): CourierError {
  return new CourierError(
    'MPI_UNAVAILABLE',
    `${started} processes were started together, and ${mpi.name} (${versionOf(mpi)}) sees ${found}: it is not the MPI that started them.`,
    'Start them with the mpirun of that library, or name the right library in the environment variable COURIER_MPI.',
  );
}
