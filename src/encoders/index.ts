/** The encoders by name, each with its settings in its file. */
import { z } from 'zod';
import { type AutoConfig, autoSettings } from './auto.ts';
import { type BackboneEncoderConfig, backboneEncoderSettings } from './backbone.ts';
import type { Encoder } from './encoder.ts';
import { outlines, outlinesSettings } from './outlines.ts';
import { presetSettings, presets } from './presets.ts';
import type { ForPhotos } from './settings.ts';
import { swin, swinSettings } from './swin.ts';
import { vit, vitSettings } from './vit.ts';

export const encoderSettings = z.discriminatedUnion('name', [
  autoSettings,
  vitSettings,
  swinSettings,
  outlinesSettings,
  presetSettings,
  backboneEncoderSettings,
]);

export type EncoderSettings = z.output<typeof encoderSettings>;

/** Of encoders that see pixels. */
export type EncoderConfig = ForPhotos<Exclude<EncoderSettings, BackboneEncoderConfig | AutoConfig>>;

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
