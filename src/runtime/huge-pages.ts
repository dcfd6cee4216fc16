/**
 * Large memory in large pages. A processor knows where some thousand pages lie; of all others it looks that up in memory, at
 * each access to a table that is read here and there more than once.
 */
import { createRequire } from 'node:module';
import { freemem } from 'node:os';
import { usableMemory } from './memory.ts';

/** Below, the processor knows all pages as they are. */
const smallest = 2 ** 24;

/** A large page is there as a whole, whatever is used of it: memory that is scarce stays in small ones. */
const shareOfMemory = 1 / 4;

/** Of the smallest pages that Linux has anywhere large ones are of use to us. */
const pageBytes = 65_536;

/** `MADV_HUGEPAGE` of Linux. */
const wantsHugePages = 14;

/**
 * Asks the operating system for large pages, which takes microseconds and changes nothing in the memory itself. Anywhere but on
 * Linux, and where memory is small or scarce, it is left as it is.
 * @param memory which is not read or written yet
 * @returns whether the system was asked, and has such pages
 */
export function askForHugePages(memory: Float32Array | Int32Array): boolean {
  const { byteLength } = memory;
  if (process.platform !== 'linux' || byteLength < smallest) return false;
  if (byteLength > shareOfMemory * Math.min(freemem(), usableMemory())) return false;
  try {
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    const advise = koffi.load(null).func('madvise', 'int', ['void *', 'size_t', 'int']);
    const start: bigint = koffi.address(memory);
    const [first, end] = [start + BigInt(pageBytes - 1), start + BigInt(byteLength)].map(
      (address) => address - (address % BigInt(pageBytes)),
    );
    if (first === undefined || end === undefined) return false;
    return advise(first, Number(end - first), wantsHugePages) === 0;
  } catch {
    return false;
  }
}
