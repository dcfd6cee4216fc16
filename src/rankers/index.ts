/** Every ranker, under the name that selects it in the configuration. */
import type { RankerConfig } from './config.ts';
import { dcnv2 } from './dcnv2.ts';
import { deepfm } from './deepfm.ts';
import { din } from './din.ts';
import { mlp } from './mlp.ts';
import type { Ranker } from './ranker.ts';

export const rankers: Readonly<Record<RankerConfig['ranker'], Ranker>> = { mlp, din, dcnv2, deepfm };
