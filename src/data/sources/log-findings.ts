/** What is odd about a whole log. */
import { integer, percent } from '../../text.ts';
import type { Findings } from '../findings.ts';
import type { Indexer } from '../indexer.ts';
import type { LogRows } from './log-row.ts';

/** An id has more than its share with more than this part of the log, and so many times the mean. */
const [largestShare, timesTheMean] = [0.01, 20];

/** A single user or item with a large part of the log is a robot, a test, or a word for nothing that is not known as one. */
export function findHeavyIds(
  rows: LogRows,
  indexers: { readonly users: Indexer; readonly items: Indexer },
  findings: Findings,
): void {
  for (const [kind, ids, indices] of [
    ['user', indexers.users.ids, rows.user],
    ['item', indexers.items.ids, rows.item],
  ] as const) {
    const counts = new Int32Array(ids.length);
    for (const index of indices) counts[index]! += 1;
    const known = counts.filter((count) => count > 0).length;
    for (const [id, count] of counts.entries()) {
      if (count <= largestShare * indices.length || count <= (timesTheMean * indices.length) / known)
        continue;
      const example = `${ids[id]} with ${integer(count)}, ${percent(count / indices.length)}`;
      findings.add(`Rows of a single ${kind} with more than its share of the log`, example, count);
    }
  }
}

/** Of the middle 98 % of the log how many lengths a time may lie before or after them. */
const farLengths = 5;

/** Times by which the middle of a log is known. */
const sampled = 100_000;

/** Times that lie far from all others: of clocks that were wrong. */
export function findFarTimes({ time }: LogRows, findings: Findings): void {
  // Some out of all parts say where most of them lie.
  const step = Math.ceil(time.length / sampled);
  const times = time.filter((_, row) => row % step === 0).sort();
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
  const [low, high] = [at(0.01), at(0.99)];
  const room = farLengths * Math.max(high - low, 86_400_000);
  const far = time.filter((each) => each < low - room || each > high + room);
  const example = [...new Set(far)].slice(0, 3).map((time) => new Date(time).toISOString().slice(0, 10));
  findings.add('Rows at times far from all others', example.join(', '), far.length);
}
