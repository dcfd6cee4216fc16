/** The usable rows of a click log as typed columns. */

export interface LogRows {
  /** The row of the log, the first after the header being 1. (R) each */
  readonly row: Float64Array;
  readonly user: Int32Array;
  readonly item: Int32Array;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: Float64Array;
  readonly clicked: Uint8Array;
  /** When it was clicked: that of the row where the log does not say, and where it was not clicked. */
  readonly clickedAt: Float64Array;
  /** In the order of the options; NaN where missing. */
  readonly numeric: readonly Float64Array[];
  /** Codes of the texts, in the order of the options; 0 is unknown. */
  readonly context: readonly Int32Array[];
}
