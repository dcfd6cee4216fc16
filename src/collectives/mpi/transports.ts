/** What the libraries below MPI, UCX and libfabric, are asked for, unless the user has set the same variables. */
import { existsSync } from 'node:fs';

/**
 * They rewrite the functions by which a process asks the system for memory, to notice what is freed. Node's threads ask at the same
 * time, and 2 of 25 starts of three processes ended in a segmentation fault with Debian's MPICH. Without it they register memory
 * anew for each message.
 */
const noMemoryHooks = { UCX_MEM_EVENTS: 'no', FI_MR_CACHE_MONITOR: 'disabled' };

/**
 * UCX announces a long message, is told where to put it, sends it, is told that it has come, and says so: over TCP five messages that
 * wait for each other, where the array alone would do. It is worth its time to network cards that write where the answer says.
 */
const longMessagesAtOnce = { UCX_RNDV_THRESH: 'inf' };

/** Linux lists the cards here that write into the memory of other machines (InfiniBand, RoCE). */
const remoteMemoryCards = '/sys/class/infiniband';

/** @returns environment variables, to be set before MPI begins */
export function transportSettings(
  hasRemoteMemory = existsSync(remoteMemoryCards),
): Readonly<Record<string, string>> {
  return hasRemoteMemory ? noMemoryHooks : { ...noMemoryHooks, ...longMessagesAtOnce };
}
