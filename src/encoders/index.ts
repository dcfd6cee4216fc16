/** The encoders by name. */
import type { Encoder } from './encoder.ts';
import { type SwinConfig, swin } from './swin.ts';
import { type VitConfig, vit } from './vit.ts';

export type EncoderConfig = VitConfig | SwinConfig;

/** @throws CourierError CONFIG_INVALID when sizes do not fit each other */
export function createEncoder(config: EncoderConfig): Encoder {
  switch (config.name) {
    case 'vit':
      return vit(config);
    case 'swin':
      return swin(config);
  }
}
