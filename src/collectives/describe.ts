/** Which MPI this machine has, for those who want to know before they start several processes. */
import { messageOf } from '../errors.ts';
import { launchOf } from './launcher.ts';
import { openMpi, versionOf } from './mpi/library.ts';

export type MpiReport =
  | { readonly found: true; readonly library: string; readonly interface: string; readonly version: string }
  | { readonly found: false; readonly reason: string };

/** Opens MPI's library and asks it; nothing is begun. */
export function describeMpi(): MpiReport {
  try {
    const mpi = openMpi(launchOf(process.env));
    return { found: true, library: mpi.name, interface: mpi.abi.family, version: versionOf(mpi) };
  } catch (error) {
    return { found: false, reason: messageOf(error) };
  }
}
