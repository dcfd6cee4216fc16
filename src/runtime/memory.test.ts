import { mkdir, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { CourierError } from '../errors.ts';
import { parseBytes, usableMemory } from './memory.ts';

const mebibyte = 2 ** 20;

/** A folder that looks like mounted control groups. */
async function groups(file: string, content: string): Promise<string> {
  const root = await temporaryFolder();
  await mkdir(join(root, 'memory'));
  await writeFile(join(root, file), content);
  return root;
}

describe('usableMemory', () => {
  it.each([
    ['version 2', 'memory.max'],
    ['version 1', 'memory/memory.limit_in_bytes'],
  ])('is the limit of the container where that is less than the machine has: %s', async (_, file) => {
    expect(usableMemory(await groups(file, `${64 * mebibyte}\n`))).toBe(64 * mebibyte);
  });

  it('takes "max", a limit beyond the machine, an empty file and no file for no limit', async () => {
    const unlimited = usableMemory(await temporaryFolder());
    expect(unlimited).toBeGreaterThan(64 * mebibyte);
    expect(unlimited).toBeLessThanOrEqual(totalmem());
    expect(usableMemory(await groups('memory.max', 'max\n'))).toBe(unlimited);
    expect(usableMemory(await groups('memory.max', ''))).toBe(unlimited);
    expect(usableMemory(await groups('memory/memory.limit_in_bytes', '9223372036854771712\n'))).toBe(
      unlimited,
    );
  });
});

describe('parseBytes', () => {
  it.each([
    ['1', 1],
    ['8GiB', 8 * 2 ** 30],
    ['1.5 GB', 1_500_000_000],
    ['250mb', 250_000_000],
    ['64 kB', 64_000],
    ['64KiB', 65_536],
    [' 2MiB ', 2 * mebibyte],
  ])('reads %j', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it('reads every whole number of bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(parseBytes(String(bytes))).toBe(bytes);
      }),
    );
  });

  it.each(['', '0', '0GiB', '-1', '8 Gi', '8G', '1e9', 'GiB', '8GiB!', '1.GB', 'NaN', '99999999999GiB'])(
    'refuses %j, names it and says what is accepted',
    (text) => {
      expect(() => parseBytes(text)).toThrow(
        expect.objectContaining({ code: 'VALUE_INVALID', remedy: expect.stringContaining('8GiB') }),
      );
      expect(() => parseBytes(text)).toThrow(CourierError);
      expect(() => parseBytes(text)).toThrow(JSON.stringify(text));
    },
  );
});
