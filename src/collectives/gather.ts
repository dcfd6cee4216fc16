/** What all have, for one of them: the others need no memory for it. */
import { bytesOf, type Lengths, type Movable, offsetsOf, type ProcessGroup } from './process-group.ts';

/**
 * Brings the bytes of all to the first process.
 * @param lengths of the bytes of each, which the first has to know
 * @returns those of each, by rank; none in the others
 */
export async function gatherBytes(
  group: ProcessGroup,
  own: Movable,
  lengths: Lengths | null,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const { rank, size } = group;
  const bytes = bytesOf(own);
  const known = rank === 0 ? lengths : null;
  const sent = Array.from({ length: size }, (_, to) => (to === 0 ? bytes.length : 0));
  const received = known ?? Array.from({ length: size }, () => 0);
  const offsets = offsetsOf(received);
  const all = new Uint8Array(offsets.at(-1)!);
  await group.allToAll(bytes, sent, all, received);
  return known?.map((length, from) => all.slice(offsets[from]!, offsets[from]! + length)) ?? [];
}
