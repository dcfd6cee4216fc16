/** Texts, numbers, and whatever JSON holds, between processes. */
import { offsetsOf, type ProcessGroup } from './process-group.ts';

/** The text of one process, by default the first, for all. Others give theirs for nothing. */
export async function broadcastText(group: ProcessGroup, text: string, root = 0): Promise<string> {
  const own = new TextEncoder().encode(text);
  const length = Float64Array.of(own.length);
  await group.broadcast(length, root);
  const bytes = group.rank === root ? own : new Uint8Array(length[0]!);
  await group.broadcast(bytes, root);
  return new TextDecoder().decode(bytes);
}

/** The texts of all, by rank. */
export async function allGatherTexts(group: ProcessGroup, text: string): Promise<readonly string[]> {
  const own = new TextEncoder().encode(text);
  const lengths = await allGatherNumbers(group, own.length);
  const offsets = offsetsOf(lengths);
  const bytes = new Uint8Array(offsets.at(-1)!);
  bytes.set(own, offsets[group.rank]);
  await group.allGather(bytes, lengths);
  return lengths.map((_, rank) => new TextDecoder().decode(bytes.subarray(offsets[rank], offsets[rank + 1])));
}

/** A number of each process, by rank. */
export async function allGatherNumbers(group: ProcessGroup, own: number): Promise<readonly number[]> {
  const all = new Float64Array(group.size);
  all[group.rank] = own;
  await group.allGather(
    all,
    Array.from(all, () => 1),
  );
  return [...all];
}

/** What the first process has, in another that knows nothing of it. */
export async function receiveJson<T>(group: ProcessGroup): Promise<T> {
  return JSON.parse(await broadcastText(group, ''));
}

/** What one process has, by default the first, for all. Others give what they like. */
export async function broadcastJson<T>(group: ProcessGroup, value: T, root = 0): Promise<T> {
  if (group.size === 1) return value;
  const text = await broadcastText(group, group.rank === root ? JSON.stringify(value) : '', root);
  return group.rank === root ? value : JSON.parse(text);
}

/** What each has, by rank. */
export async function allGatherJson<T>(group: ProcessGroup, value: T): Promise<readonly T[]> {
  if (group.size === 1) return [value];
  const texts = await allGatherTexts(group, JSON.stringify(value));
  return texts.map((text, rank) => (rank === group.rank ? value : JSON.parse(text)));
}
