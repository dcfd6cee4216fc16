/**
 * The processes that work on one command together, on one machine or on many: what each has is brought to the others.
 *
 * The collectives have the names of MPI and its semantics: every process calls the same ones in the same order, with the same
 * lengths. They begin when they are called, so two may be under way at a time, and end when their promise does; until then
 * nobody touches the arrays. None of them returns an array: each fills those that it is given.
 */

/** What can be summed. */
export type Summable = Float32Array | Float64Array;

/** What can be moved, byte by byte. */
export type Movable = Summable | Uint8Array | Int32Array | BigInt64Array;

/** An element count for each process, in the order of their ranks. */
export type Lengths = readonly number[];

export interface ProcessGroup {
  /** Which of the processes this one is, from 0; the first is the one that writes what others read. */
  readonly rank: number;
  readonly size: number;
  /** The same among the processes of this machine, which share its cores, its memory and its devices. */
  readonly localRank: number;
  readonly localSize: number;

  /** Adds up the arrays of all processes, element by element; in place, the same bits everywhere. */
  allReduce(values: Summable): Promise<void>;
  /**
   * Gives everybody the parts of all, in the order of ranks.
   * @param whole as long as all parts together; the own one lies in its place already
   * @param lengths of the parts
   */
  allGather(whole: Movable, lengths: Lengths): Promise<void>;
  /**
   * Adds up the arrays of all processes and gives each one its part of the sum: what turns `allGather` around.
   * @param values as long as all parts together; they are not changed
   * @param lengths of the parts
   * @param part is filled with the own one
   */
  reduceScatter(values: Summable, lengths: Lengths, part: Summable): Promise<void>;
  /**
   * Each process sends every one a part of its own.
   * @param values the parts for all, in the order of ranks
   * @param sent their lengths
   * @param received is filled with the parts from all, in the order of ranks
   * @param lengths of those
   */
  allToAll(values: Movable, sent: Lengths, received: Movable, lengths: Lengths): Promise<void>;
  /** Fills the array everywhere with that of one process, by default of the first. */
  broadcast(values: Movable, root?: number): Promise<void>;
  /** Ends when all processes have come here. */
  barrier(): Promise<void>;

  /** What went through this process so far. */
  readonly traffic: Traffic;
}

export interface Traffic {
  /** From the beginning of each collective to its end, waiting for others included. */
  readonly milliseconds: number;
  /** Of the arrays that were handed in. */
  readonly bytes: number;
}

/** Where each part begins, and behind the last one where all end. */
export function offsetsOf(lengths: Lengths): readonly number[] {
  const offsets = [0];
  for (const length of lengths) offsets.push(offsets.at(-1)! + length);
  return offsets;
}

/** The same memory, byte by byte. */
export function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @throws Error where an array is not as long as its parts, or there is not one part for each process */
export function requireParts(group: Pick<ProcessGroup, 'size'>, values: Movable, lengths: Lengths): void {
  const total = offsetsOf(lengths).at(-1)!;
  if (lengths.length !== group.size) throw new Error(`${lengths.length} parts for ${group.size} processes`);
  if (values.length !== total) throw new Error(`${values.length} values for parts of ${total}`);
}
