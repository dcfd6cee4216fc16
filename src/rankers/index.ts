/** Every ranker, under the name that selects it in the configuration. */
import type { RankerConfig } from './config.ts';
import { din } from './din.ts';
import type { Ranker } from './ranker.ts';

export const rankers: Readonly<Record<RankerConfig['ranker'], Ranker>> = {
  din,
};
