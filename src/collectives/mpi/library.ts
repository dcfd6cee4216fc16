/** MPI's library, found on this machine and called through its C interface. */
import { CourierError, messageOf } from '../../errors.ts';
import { type Koffi, keepLoaded, loadKoffi } from '../../koffi.ts';
import type { Launch } from '../launcher.ts';
import { type Abi, abiOf, type Handle } from './abi.ts';

/** An address. */
export type Pointer = bigint;
export type Memory = Pointer | NodeJS.TypedArray | null;

/** 0 for success. */
export type Code = number;

/** What is used of the C interface. Counts are ints there, so nothing longer than that goes in one piece. */
export interface Mpi {
  /** What was opened. */
  readonly name: string;
  readonly abi: Abi;
  /** The address of an array's memory, which stays where it is as long as somebody holds the array. */
  addressOf(memory: NodeJS.TypedArray): Pointer;

  getLibraryVersion(version: Memory, length: Memory): Code;
  errorString(code: Code, text: Memory, length: Memory): Code;
  initThread(count: Memory, words: Memory, required: number, provided: Memory): Code;
  finalize(): Code;
  abort(communicator: Handle, exitCode: number): Code;
  commSetErrhandler(communicator: Handle, handler: Handle): Code;
  commRank(communicator: Handle, rank: Memory): Code;
  commSize(communicator: Handle, size: Memory): Code;
  test(request: Memory, done: Memory, status: Pointer): Code;

  iallreduce(
    send: Memory,
    receive: Memory,
    count: number,
    type: Handle,
    operation: Handle,
    communicator: Handle,
    request: Memory,
  ): Code;
  ireduce(
    send: Memory,
    receive: Memory,
    count: number,
    type: Handle,
    operation: Handle,
    root: number,
    communicator: Handle,
    request: Memory,
  ): Code;
  ireduceScatter(
    send: Memory,
    receive: Memory,
    counts: Memory,
    type: Handle,
    operation: Handle,
    communicator: Handle,
    request: Memory,
  ): Code;
  iallgatherv(
    send: Memory,
    count: number,
    sendType: Handle,
    receive: Memory,
    counts: Memory,
    places: Memory,
    type: Handle,
    communicator: Handle,
    request: Memory,
  ): Code;
  ibcast(
    values: Memory,
    count: number,
    type: Handle,
    root: number,
    communicator: Handle,
    request: Memory,
  ): Code;
  isend(
    values: Memory,
    count: number,
    type: Handle,
    to: number,
    tag: number,
    communicator: Handle,
    request: Memory,
  ): Code;
  irecv(
    values: Memory,
    count: number,
    type: Handle,
    from: number,
    tag: number,
    communicator: Handle,
    request: Memory,
  ): Code;
  ibarrier(communicator: Handle, request: Memory): Code;
  /** Whether a message has come that nobody has received yet. */
  iprobe(from: number, tag: number, communicator: Handle, found: Memory, status: Pointer): Code;
}

/** Sonames: those with the interface of MPICH (Intel MPI and MVAPICH have it too), and those of Open MPI. */
const names = {
  mpich: ['libmpich.so.12', 'libmpi.so.12', 'libmpi.12.dylib', '/opt/homebrew/lib/libmpi.12.dylib'],
  openMpi: ['libmpi.so.40', 'libmpi.40.dylib', '/opt/homebrew/lib/libmpi.40.dylib'],
} as const;

/**
 * Opens the library that the environment variable COURIER_MPI names, or else the first of the usual names that there is.
 * @param launch what started this process: its own library comes first
 * @throws CourierError MPI_UNAVAILABLE
 */
export function openMpi(launch: Launch | null): Mpi {
  const tried: string[] = [];
  for (const name of candidates(launch)) {
    try {
      return open(name);
    } catch (error) {
      tried.push(`${name} (${messageOf(error)})`);
    }
  }
  throw new CourierError(
    'MPI_UNAVAILABLE',
    `No MPI library can be opened; tried ${tried.join(', ')}.`,
    'Install MPICH (Debian: mpich) or Open MPI, or name the library in the environment variable COURIER_MPI.',
  );
}

function candidates(launch: Launch | null): readonly string[] {
  const { COURIER_MPI: wanted } = process.env;
  if (wanted !== undefined && wanted !== '') return [wanted];
  const { mpich, openMpi } = names;
  const isOpenMpi = launch?.launcher === 'Open MPI' || launch?.launcher === 'PMIx';
  const ordered = isOpenMpi ? [...openMpi, ...mpich] : [...mpich, ...openMpi];
  const ending = process.platform === 'darwin' ? '.dylib' : '.so';
  return ordered.filter((name) => name.includes(ending));
}

/**
 * What libraries below MPI (UCX, libfabric) must not do here, unless the user says so: rewrite the functions by which a process asks the
 * system for memory, to notice what is freed. Node's threads ask at the same time, and 2 of 25 starts of three processes ended in a
 * segmentation fault with Debian's MPICH. Without it they register memory anew for each message.
 */
const noMemoryHooks = { UCX_MEM_EVENTS: 'no', FI_MR_CACHE_MONITOR: 'disabled' } as const;

function open(name: string): Mpi {
  for (const [variable, value] of Object.entries(noMemoryHooks)) process.env[variable] ??= value;
  const koffi = loadKoffi();
  // Open MPI's own plugins look for its symbols among those of the process.
  const library = koffi.load(name, { global: true });
  keepLoaded(koffi, name);
  const abi = abiOf(library);
  return functionsOf(koffi, library, name, abi);
}

function functionsOf(koffi: Koffi, library: ReturnType<Koffi['load']>, name: string, abi: Abi): Mpi {
  const { handle } = abi;
  const pointer = 'void *';
  const of = (symbol: string, ...parameters: string[]) => library.func(symbol, 'int', parameters);
  return {
    name,
    abi,
    addressOf: koffi.address,
    getLibraryVersion: of('MPI_Get_library_version', pointer, pointer),
    errorString: of('MPI_Error_string', 'int', pointer, pointer),
    initThread: of('MPI_Init_thread', pointer, pointer, 'int', pointer),
    finalize: of('MPI_Finalize'),
    abort: of('MPI_Abort', handle, 'int'),
    commSetErrhandler: of('MPI_Comm_set_errhandler', handle, handle),
    commRank: of('MPI_Comm_rank', handle, pointer),
    commSize: of('MPI_Comm_size', handle, pointer),
    test: of('MPI_Test', pointer, pointer, pointer),
    iallreduce: of('MPI_Iallreduce', pointer, pointer, 'int', handle, handle, handle, pointer),
    ireduce: of('MPI_Ireduce', pointer, pointer, 'int', handle, handle, 'int', handle, pointer),
    ireduceScatter: of('MPI_Ireduce_scatter', pointer, pointer, pointer, handle, handle, handle, pointer),
    iallgatherv: of(
      'MPI_Iallgatherv',
      ...[pointer, 'int', handle],
      ...[pointer, pointer, pointer, handle, handle, pointer],
    ),
    ibcast: of('MPI_Ibcast', pointer, 'int', handle, 'int', handle, pointer),
    isend: of('MPI_Isend', pointer, 'int', handle, 'int', 'int', handle, pointer),
    irecv: of('MPI_Irecv', pointer, 'int', handle, 'int', 'int', handle, pointer),
    ibarrier: of('MPI_Ibarrier', handle, pointer),
    iprobe: of('MPI_Iprobe', 'int', 'int', handle, pointer, pointer),
  };
}

/** As long as any library's version or error is. */
const longestText = 8192;

/** What a library says that it is, on one line; it may be asked before anything has begun. */
export function versionOf(mpi: Mpi): string {
  return textFrom((text, length) => mpi.getLibraryVersion(text, length))
    .trim()
    .split('\n')[0]!
    .replaceAll(/\s+/g, ' ');
}

/** @throws CourierError MPI_FAILED for anything but success */
export function check(mpi: Mpi, code: Code, what: string): void {
  if (code === 0) return;
  const text = textFrom((into, length) => mpi.errorString(code, into, length)).replaceAll(/\s+/g, ' ');
  throw new CourierError(
    'MPI_FAILED',
    `MPI failed at ${what}: ${text.trim()}`,
    'Run the same command again to go on. If it comes again, look whether all machines reach each other, and whether all of them have the same MPI.',
  );
}

function textFrom(fill: (text: Uint8Array, length: Int32Array) => Code): string {
  const [text, length] = [new Uint8Array(longestText), new Int32Array(1)];
  fill(text, length);
  return new TextDecoder().decode(text.subarray(0, length[0])).replaceAll('\0', '');
}
