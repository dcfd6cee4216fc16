import type { Dataset } from '../../data/dataset.ts';
import type { TableData } from '../../evaluation/table.ts';
import type { ModelCoverage } from '../../report/evaluation.ts';

/** What a model says of the exposures, and how its file met them. */
export interface PredictedModel extends Omit<ModelCoverage, 'share'> {
  /** Probabilities, NaN without one, in the order of the rows. (n) */
  readonly scores: Float32Array;
}

/** Exposures that were predicted, and what each model said of them. */
export interface Predicted {
  readonly data: TableData & Pick<Dataset, 'users'>;
  /** SHA-256 of what the exposures were read from. */
  readonly hash: string;
  /** Rows of the exposures that are to be measured. (n) */
  readonly rows: Int32Array;
  /** The first is what the others are compared with. */
  readonly models: readonly PredictedModel[];
}
