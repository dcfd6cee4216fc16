/** A row of a click log, parsed and checked. */

export interface LogRow {
  readonly user: number;
  readonly item: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  readonly clicked: boolean;
  /** When it was clicked: that of the row where the log does not say; without meaning where it was not clicked. */
  readonly clickedAt: number;
  /** Rows of one user with the same text were shown together. */
  readonly pageView: string;
  /** In the order of the options; NaN where missing. */
  readonly numeric: readonly number[];
  readonly context: readonly (string | null)[];
}
