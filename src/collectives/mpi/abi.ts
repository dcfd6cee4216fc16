/** What the two families of MPI libraries call the same things: numbers in MPICH's, addresses of symbols in Open MPI. */
import type { Koffi } from '../../koffi.ts';

/** Of a communicator, a type, an operation. */
export type Handle = number | bigint;

export interface Abi {
  readonly family: 'MPICH' | 'Open MPI';
  /** The C type of a handle. */
  readonly handle: 'int' | 'void *';
  readonly world: Handle;
  readonly byte: Handle;
  readonly float: Handle;
  readonly double: Handle;
  readonly sum: Handle;
  /** Errors are given back instead of ending the process. */
  readonly errorsReturn: Handle;
  /** Stands for an array that is read where the result is written. */
  readonly inPlace: bigint;
  readonly statusIgnore: bigint;
}

/** The constants of MPICH's header, which are the same in Intel MPI and MVAPICH (the MPICH ABI compatibility initiative). */
const mpich: Abi = {
  family: 'MPICH',
  handle: 'int',
  world: 0x44000000,
  byte: 0x4c00010d,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
  errorsReturn: 0x54000001,
  inPlace: 0xffff_ffff_ffff_ffffn,
  statusIgnore: 1n,
};

/** @throws Error where a symbol is missing */
export function abiOf(library: ReturnType<Koffi['load']>): Abi {
  const addressOf = (symbol: string): bigint => library.symbol(symbol);
  if (!has(library, 'ompi_mpi_comm_world')) return mpich;
  return {
    family: 'Open MPI',
    handle: 'void *',
    world: addressOf('ompi_mpi_comm_world'),
    byte: addressOf('ompi_mpi_byte'),
    float: addressOf('ompi_mpi_float'),
    double: addressOf('ompi_mpi_double'),
    sum: addressOf('ompi_mpi_op_sum'),
    errorsReturn: addressOf('ompi_mpi_errors_return'),
    inPlace: 1n,
    statusIgnore: 0n,
  };
}

function has(library: ReturnType<Koffi['load']>, symbol: string): boolean {
  try {
    library.symbol(symbol);
    return true;
  } catch {
    return false;
  }
}
