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
}
