/** What each process takes of work that comes in pieces. */
import { type Lengths, offsetsOf, type ProcessGroup } from './process-group.ts';

/** So many pieces in as many neighbouring shares as there are processes, which differ by one at most. */
export function evenShares(pieces: number, { size }: Pick<ProcessGroup, 'size'>): Lengths {
  return Array.from(
    { length: size },
    (_, rank) => Math.floor(((rank + 1) * pieces) / size) - Math.floor((rank * pieces) / size),
  );
}

/** The pieces of this process: from the first one to the one behind the last. */
export function ownShare(lengths: Lengths, { rank }: Pick<ProcessGroup, 'rank'>) {
  const offsets = offsetsOf(lengths);
  return { from: offsets[rank]!, to: offsets[rank + 1]! };
}
