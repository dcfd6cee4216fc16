/** What processes that work together have to be at one about. */
import { hostname } from 'node:os';
import { CourierError } from '../errors.ts';
import type { ProcessGroup } from './process-group.ts';
import { allGatherTexts } from './texts.ts';

/**
 * Looks whether all have the same text, such as a hash.
 * @param what another process has where it differs, such as `other photos`
 * @throws CourierError PROCESSES_DIFFER
 */
export async function requireSame(
  group: ProcessGroup,
  text: string,
  what: string,
  remedy: string,
): Promise<void> {
  if (group.size === 1) return;
  const texts = await allGatherTexts(group, text);
  const hosts = await allGatherTexts(group, hostname());
  const other = texts.findIndex((found) => found !== texts[0]);
  if (other < 0) return;
  throw new CourierError(
    'PROCESSES_DIFFER',
    `Process ${other + 1} on ${hosts[other]} has ${what} than the first one on ${hosts[0]}.`,
    remedy,
  );
}
