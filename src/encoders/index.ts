/** The encoders by name. */
import type { Encoder } from './encoder.ts';
import { type VitConfig, vit } from './vit.ts';

export type EncoderConfig = { readonly name: 'vit' } & VitConfig;

const encoders: { readonly [Name in EncoderConfig['name']]: (config: EncoderConfig) => Encoder } = { vit };

export function createEncoder(config: EncoderConfig): Encoder {
  return encoders[config.name](config);
}
