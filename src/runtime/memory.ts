/** How much memory this process may use, and amounts of memory as people write them. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { processesHere } from '../cores.ts';
import { CourierError } from '../errors.ts';

/** Where Linux keeps the limit of the control group that a container sees as its root: version 2, version 1. */
const limitFiles = ['memory.max', 'memory/memory.limit_in_bytes'];

/**
 * Bytes of memory that this process may use: the machine's, or the limit of its container where that is less.
 * @param cgroupRoot where the control groups are mounted; elsewhere than on Linux there are none
 */
export function usableMemory(cgroupRoot = '/sys/fs/cgroup'): number {
  const limits = limitFiles.map((file) => limitIn(join(cgroupRoot, file)));
  // Node knows the limit of the process' own group below the root, as systemd sets it; 0 for none.
  const own = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), own, ...limits);
}

/** Bytes that work may take where nothing else is said: half of what there is, shared with the processes started together. */
export function usualBudget(): number {
  return usableMemory() / 2 / processesHere();
}

/** The number in a limit file. "max", a huge number or no file: no limit. */
function limitIn(path: string): number {
  try {
    const limit = Number(readFileSync(path, 'utf8'));
    return limit > 0 ? limit : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

const unitSizes: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/**
 * `8GiB` → 8589934592. Upper and lower case are the same, a space before the unit is allowed.
 * @throws CourierError VALUE_INVALID for anything but a positive number of bytes, KB, MB, GB, KiB, MiB or GiB
 */
export function parseBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmg]i?b)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (unitSizes[unit.toLowerCase()] ?? Number.NaN));
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new CourierError(
    'VALUE_INVALID',
    `Not an amount of memory: ${JSON.stringify(text)}.`,
    'Give a positive number of bytes, or a number with KB, MB, GB, KiB, MiB or GiB, such as 8GiB.',
  );
}

/** 8589934592 → `8.0 GiB`. */
export function formatBytes(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
