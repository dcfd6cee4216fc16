/** The encoders by name. */

import type { HeadName } from '../graph/layers.ts';
import type { Encoder } from './encoder.ts';
import { type OutlinesConfig, outlines } from './outlines.ts';
import { type PresetName, presets } from './presets.ts';
import { type SwinConfig, swin } from './swin.ts';
import { type VitConfig, vit } from './vit.ts';

interface PresetConfig {
  readonly name: PresetName;
  readonly side: number;
  readonly head: HeadName;
  readonly dimension: number;
}

export type EncoderConfig = VitConfig | SwinConfig | OutlinesConfig | PresetConfig;

/** @throws CourierError CONFIG_INVALID when sizes do not fit each other */
export function createEncoder(config: EncoderConfig): Encoder {
  switch (config.name) {
    case 'vit':
      return vit(config);
    case 'swin':
      return swin(config);
    case 'outlines':
      return outlines(config);
    default: {
      const { name, ...rest } = config;
      return createEncoder({ ...presets[name], ...rest });
    }
  }
}
