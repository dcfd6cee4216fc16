export const objectiveNameMeaning =
  'Which objective; the settings beside it are its own. `courier` learns from clicks and histories, `scl` from clicks alone, `supervised` from a category, `clip` from titles, `simclr` and `simsiam` from photos alone.';

/** What every objective is told besides its own settings. */
export interface LessonConfig {
  /** Samples per batch. */
  readonly batchSize: number;
  /** Most candidates of a page view, and most earlier clicks. */
  readonly candidates: number;
  readonly history: number;
  readonly seed: number;
  /** d, the length of an embedding. */
  readonly dimension: number;
  /** Lengths n, shorter than d: the first n numbers of an embedding are learned to be of use by themselves. */
  readonly prefixes: readonly number[];
}
