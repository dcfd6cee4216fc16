import type { Dataset } from '../../data/dataset.ts';
import type { TableData } from '../../evaluation/table.ts';
import type { ModelCoverage } from '../../report/evaluation.ts';

/** Exposures that were predicted, and what each model said of them. */
export interface Predicted {
  readonly data: TableData & Pick<Dataset, 'users'>;
  /** SHA-256 of what the exposures were read from. */
  readonly hash: string;
  /** Rows of the exposures that are to be measured. (n) */
  readonly rows: Int32Array;
  /** Probabilities of each model, NaN without one, in the order of the rows. (n) each; the first is what the others are compared with */
  readonly scores: ReadonlyMap<string, Float32Array>;
  readonly models: readonly ModelCoverage[];
}
