/**
 * What a service keeps: one log of what happened, in the order in which it was acknowledged, and photos of new items.
 *
 * Counters, histories and the catalogue are what the log makes of an export's state, in memory. So a restart, a replica and a
 * new export need nothing but the log, and all who read it know the same.
 */

/** Something to be appended. */
export interface LogEntry {
  /** An entry whose id is there already is not appended again. */
  readonly id: string;
  readonly content: Uint8Array;
}

export interface KeptEntry extends LogEntry {
  /** Ascending over the log, from 1. */
  readonly position: number;
}

/** Characters of an id at most. */
export const idLimit = 200;

export interface StateStore {
  /**
   * Appends the entries that are new, in their order, all of a call or none. What it resolves for outlives a kill of this
   * process and of the store.
   * @returns for each whether it is new
   */
  append(entries: readonly LogEntry[]): Promise<readonly boolean[]>;
  /** Entries behind a position, in order. @param most how many at most */
  read(behind: number, most: number): Promise<readonly KeptEntry[]>;
  /** Forgets entries up to a position, and their ids. */
  forget(through: number): Promise<void>;
  /** Keeps bytes under a name, for good. */
  keep(name: string, bytes: Uint8Array): Promise<void>;
  /** @returns null where nothing is kept under the name */
  kept(name: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}
