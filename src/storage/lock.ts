/**
 * One process at a time. A lock is a folder that holds one file, which says who has it.
 *
 * The folder is made aside and renamed into place, which fails where there is one that is not empty: of several
 * processes one wins, and nobody ever sees half a lock. The file of a dead owner is removed by its name, which no other
 * lock has, so that of several who find it nobody can take the lock of who was faster. It needs no cleaning up, whenever
 * a process was killed.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CourierError, hasSystemCode } from '../errors.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { asOutputError, exists, prepareOutputFolder } from './files.ts';
import { parseJson } from './json.ts';
import { clearLeftovers, temporaryOf } from './leftovers.ts';
import { isRunning, thisProcess } from './processes.ts';

const ownerSchema = z.object({
  pid: z.int().positive(),
  started: z.string().nullable(),
  host: z.string(),
  /** ISO 8601. */
  since: z.string(),
  command: z.string(),
});

type Owner = z.infer<typeof ownerSchema>;

const lockName = '.lock';

/** Between two tries of who waits. */
const pollMilliseconds = 100;

/** A process of this host has the lock. */
class LockedHere extends CourierError {
  constructor(what: string, { pid, since, command }: Owner) {
    super(
      'OUTPUT_IN_USE',
      `${what} is in use by process ${pid}, since ${since}: ${command}`,
      'Wait until it ends, stop it, or choose another output.',
    );
  }
}

/**
 * Holds a file, or a folder that is written as a whole, while the work lasts. Its lock is beside it. Clears first what
 * killed processes left there.
 * @throws CourierError as withLock does
 */
export function withOutput<T>(path: string, work: () => Promise<T>): Promise<T> {
  return withLock(`${path}${lockName}`, path, async () => {
    await clearLeftovers(dirname(path), (of) => of === basename(path));
    return work();
  });
}

/**
 * Holds a folder that is filled file by file, made where it is not there, while the work lasts. Its lock is inside.
 * @throws CourierError as withLock does
 */
export async function withOutputFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await prepareOutputFolder(folder);
  return withLock(join(folder, lockName), folder, work);
}

/** Clears what killed processes left in a folder and those in it. One with a lock of its own is left to who holds it. */
export async function clearBelow(folder: string): Promise<void> {
  await clearLeftovers(folder, () => true);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !(await exists(join(path, lockName)))) await clearBelow(path);
  }
}

/**
 * Gives back the locks that dead processes of this host left below a folder. Who holds the folder for processes of several hosts has each
 * host do that: from another one it cannot be told whether they are dead.
 */
export async function releaseDeadBelow(folder: string): Promise<void> {
  // Meanwhile other hosts remove theirs.
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (hasSystemCode(error, 'ENOENT')) return [];
    throw error;
  });
  for (const entry of entries.filter((one) => one.isDirectory())) {
    const path = join(folder, entry.name);
    await (entry.name === lockName ? releaseDead(path) : releaseDeadBelow(path));
  }
}

async function releaseDead(lock: string): Promise<void> {
  for (const name of await namesIn(lock)) {
    const owner = await readOwner(join(lock, name));
    if (owner === null || owner.host !== hostname() || (await isRunning(owner))) continue;
    await rm(join(lock, name), { force: true });
  }
  await removeIfEmpty(lock);
}

/**
 * Runs the work while nobody else has the lock, and gives it back however the work ends. A lock that a dead process of
 * this host left is taken over.
 * @param path of the lock; its folder is made where it is not there
 * @param what is locked, for the message
 * @throws CourierError OUTPUT_IN_USE, naming who has it; OUTPUT_NOT_WRITABLE
 */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  return holding(path, await acquire(path, what), work);
}

/**
 * As withLock, but waits while another process has it: for what several runs share, such as a cache that each may add to.
 * @throws CourierError OUTPUT_NOT_WRITABLE; OUTPUT_IN_USE where a process of another host has it, of which nobody here sees
 * whether it still runs; what the signal was aborted with
 */
export async function withSharedLock<T>(
  path: string,
  what: string,
  options: WorkOptions,
  work: () => Promise<T>,
): Promise<T> {
  return holding(path, await waitFor(path, what, options), work);
}

/** @returns path of the file that stands for the owner */
async function waitFor(
  path: string,
  what: string,
  { progress = silent, signal }: WorkOptions,
): Promise<string> {
  for (let told = false; ; told = true) {
    signal?.throwIfAborted();
    try {
      return await acquire(path, what);
    } catch (error) {
      if (!(error instanceof LockedHere)) throw error;
      if (!told) progress({ kind: 'note', text: `Waiting: ${error.message}` });
    }
    await sleep(pollMilliseconds);
  }
}

async function holding<T>(path: string, owner: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await rm(owner, { force: true });
    await removeIfEmpty(path);
  }
}

/** @returns path of the file that stands for the owner */
async function acquire(path: string, what: string): Promise<string> {
  const name = randomUUID();
  const own = temporaryOf(`${path}.${name}`);
  try {
    while (!(await taken(path, own, name))) await removeDead(path, what);
    await clearLeftovers(dirname(path), (of) => of.startsWith(`${basename(path)}.`));
    return join(path, name);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw asOutputError(error, path);
  }
}

async function ourselves(): Promise<Owner> {
  const [, script = '', ...words] = process.argv;
  return {
    ...(await thisProcess()),
    host: hostname(),
    since: new Date().toISOString(),
    command: [basename(script), ...words].join(' '),
  };
}

/** @returns false where there is a lock, or there was one whose owner took `own` for a leftover */
async function taken(path: string, own: string, name: string): Promise<boolean> {
  await mkdir(own, { recursive: true });
  try {
    await writeFile(join(own, name), JSON.stringify(await ourselves()));
    await removeIfEmpty(path);
    await rename(own, path);
    return true;
  } catch (error) {
    if (hasSystemCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return false;
    // What Windows says of a folder that is there.
    if (hasSystemCode(error, 'EPERM') && (await exists(path))) return false;
    throw error;
  }
}

async function removeIfEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (!hasSystemCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
  });
}

/** @throws CourierError OUTPUT_IN_USE unless its owner is dead */
async function removeDead(path: string, what: string): Promise<void> {
  for (const name of await namesIn(path)) {
    const file = join(path, name);
    const owner = await readOwner(file);
    if (owner !== null && (owner.host !== hostname() || (await isRunning(owner))))
      throw inUse(path, what, owner);
    await rm(file, { force: true });
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: unknown): string[] => {
    if (hasSystemCode(error, 'ENOENT')) return [];
    throw error;
  });
}

/** @returns null where it was given back just now, or the machine went down before it reached the disk */
async function readOwner(file: string): Promise<Owner | null> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasSystemCode(error, 'ENOENT')) return '';
    throw error;
  });
  return ownerSchema.safeParse(parseJson(text)).data ?? null;
}

function inUse(path: string, what: string, owner: Owner): CourierError {
  const { pid, host, since, command } = owner;
  if (host === hostname()) return new LockedHere(what, owner);
  return new CourierError(
    'OUTPUT_IN_USE',
    `${what} is in use by process ${pid} on ${host}, since ${since}: ${command}`,
    `Wait until it ends, or choose another output. If it no longer runs on ${host}, delete ${path}.`,
  );
}
