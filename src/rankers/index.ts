/** Every ranker, under the name that selects it in the configuration. */
import { CourierError } from '../errors.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import type { RankerConfig } from './config.ts';
import { dcnv2 } from './dcnv2.ts';
import { deepfm } from './deepfm.ts';
import { din } from './din.ts';
import { mlp } from './mlp.ts';
import type { Ranker, RankerInputs } from './ranker.ts';

const rankers: Readonly<Record<RankerConfig['ranker'], Ranker>> = { mlp, din, dcnv2, deepfm };

/** Whether a ranker weighs each place of the history for the candidate, and so has a use for how near the two are. */
export const weighsPlaces: Readonly<Record<RankerConfig['ranker'], boolean>> = {
  mlp: false,
  din: true,
  dcnv2: false,
  deepfm: false,
};

/**
 * The logit of a click by the ranker of the configuration. (B, 1)
 * @throws CourierError CONFIG_INVALID as `requireWeighing` does, for inputs with nearness
 */
export function logitOf(inputs: RankerInputs, config: RankerConfig): FloatTensor {
  if (inputs.nearness !== null) requireWeighing(config);
  return rankers[config.ranker](inputs, config);
}

/**
 * Refuses nearness to a ranker that would not look at it: it would be the ranker without, under another name.
 * @throws CourierError CONFIG_INVALID
 */
export function requireWeighing({ ranker }: Pick<RankerConfig, 'ranker'>): void {
  if (weighsPlaces[ranker]) return;
  const able = Object.entries(weighsPlaces).flatMap(([name, weighs]) => (weighs ? [name] : []));
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid ranker configuration: attention-cosine is of no use to ${ranker}, which does not weigh the places of a history.`,
    `Set ranker.ranker to ${able.join(' or ')}, or leave attention-cosine out.`,
  );
}
