/** What the shards of a table have learned, and what the whole table has. Row numbers are those of the whole table. */
import { offsetsOf, type ProcessGroup } from '../collectives/process-group.ts';
import { allGatherNumbers, broadcastJson } from '../collectives/texts.ts';
import type { TableState } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';
import { shardOf, type TableShard } from './table-shard.ts';

/** What of a state belongs to a shard. */
export function partOfState(state: TableState, shard: TableShard): TableState {
  return shard.count === 1 ? state : pick(state, placesIn(state, shard));
}

/**
 * Brings what all have to the first process, which needs room for it twice.
 * @returns in the others what they gave
 */
export async function gatherState(group: ProcessGroup, own: TableState): Promise<TableState> {
  if (group.size === 1) return own;
  const counts = await allGatherNumbers(group, own.rows.length);
  const isFirst = group.rank === 0;
  const all = await exchange(
    group,
    own,
    counts.map((_, to) => (to === 0 ? own.rows.length : 0)),
    counts.map((count) => (isFirst ? count : 0)),
  );
  if (!isFirst) return own;
  const { rows } = all;
  return pick(
    all,
    Int32Array.from(rows.keys()).sort((a, b) => rows[a]! - rows[b]!),
  );
}

/**
 * Gives each process what belongs to its shard.
 * @param whole of the first process; others give none
 */
export async function scatterState(group: ProcessGroup, whole: TableState | null): Promise<TableState> {
  if (group.size === 1 && whole !== null) return whole;
  const places = Array.from({ length: group.size }, (_, index) =>
    whole === null ? new Int32Array(0) : placesIn(whole, { index, count: group.size }),
  );
  const counts = places.map(({ length }) => length);
  const known = await broadcastJson(group, whole === null ? null : { ...aboutOf(whole), counts });
  if (known === null) throw new Error('the first process has no state');
  const own = whole === null ? emptyState(known) : pick(whole, joined(places));
  const received = known.counts[group.rank]!;
  return exchange(
    group,
    own,
    counts,
    counts.map((_, from) => (from === 0 ? received : 0)),
  );
}

/** Sends the rows of a state, so many to each process in their order, and gives those that came, in the order of ranks. */
async function exchange(
  group: ProcessGroup,
  state: TableState,
  sent: readonly number[],
  received: readonly number[],
): Promise<TableState> {
  const width = widthOf(state);
  const times = (counts: readonly number[], by: number) => counts.map((count) => count * by);
  const count = offsetsOf(received).at(-1)!;
  const [rows, memory] = [new Int32Array(count), new Float32Array(count * width)];
  const current = state.current === null ? null : new Int32Array(count);
  await group.allToAll(state.rows, sent, rows, received);
  await group.allToAll(state.memory, times(sent, width), memory, times(received, width));
  if (state.current !== null && current !== null)
    await group.allToAll(state.current, sent, current, received);
  return { ...state, rows, memory, current };
}

/** Places of the rows that a shard has. */
function placesIn({ rows }: TableState, shard: TableShard): Int32Array {
  return Int32Array.from(rows.keys()).filter((place) => shardOf(rows[place]!, shard) === shard.index);
}

/** The rows at these places, in their order. */
function pick(state: TableState, places: Int32Array): TableState {
  const width = widthOf(state);
  const memory = new Float32Array(places.length * width);
  for (let index = 0; index < places.length; index++) {
    const from = places[index]! * width;
    memory.set(state.memory.subarray(from, from + width), index * width);
  }
  const of = (values: Int32Array) => places.map((place) => values[place]!);
  return { ...state, rows: of(state.rows), memory, current: state.current && of(state.current) };
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const offsets = offsetsOf(parts.map(({ length }) => length));
  const all = new Int32Array(offsets.at(-1)!);
  for (const [index, part] of parts.entries()) all.set(part, offsets[index]);
  return all;
}

function aboutOf({ optimizer, dimension, step, current }: TableState) {
  return { optimizer, dimension, step, idle: current !== null };
}

function emptyState({ optimizer, dimension, step, idle }: ReturnType<typeof aboutOf>): TableState {
  const rows = new Int32Array(0);
  return { optimizer, dimension, step, rows, memory: new Float32Array(0), current: idle ? rows : null };
}

/** Numbers of a row: its values and slots. */
function widthOf({ optimizer, dimension }: Pick<TableState, 'optimizer' | 'dimension'>): number {
  return dimension * (1 + sparseOptimizers[optimizer].slots);
}
