/** A process that works alone: every collective ends at once. */
import {
  bytesOf,
  type Lengths,
  type Movable,
  type ProcessGroup,
  requireParts,
  type Summable,
} from './process-group.ts';

class OneProcess implements ProcessGroup {
  readonly rank = 0;
  readonly size = 1;
  readonly localRank = 0;
  readonly localSize = 1;
  readonly traffic = { milliseconds: 0, bytes: 0 };

  async allReduce(): Promise<void> {}

  async allGather(whole: Movable, lengths: Lengths): Promise<void> {
    requireParts(this, whole, lengths);
  }

  async reduceScatter(values: Summable, lengths: Lengths, part: Summable): Promise<void> {
    requireParts(this, values, lengths);
    bytesOf(part).set(bytesOf(values));
  }

  async allToAll(values: Movable, sent: Lengths, received: Movable, lengths: Lengths): Promise<void> {
    requireParts(this, values, sent);
    requireParts(this, received, lengths);
    bytesOf(received).set(bytesOf(values));
  }

  async broadcast(): Promise<void> {}

  async barrier(): Promise<void> {}
}

export const oneProcess: ProcessGroup = new OneProcess();
