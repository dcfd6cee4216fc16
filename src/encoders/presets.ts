/** Encoders of known sizes. */
import { z } from 'zod';
import { embeddingDimension, encoderNameMeaning, headSetting } from './settings.ts';
import type { SwinConfig } from './swin.ts';
import type { VitConfig } from './vit.ts';

type Size<T> = Omit<T, 'side' | 'head' | 'dimension'>;

/** About a million parameters, for photos of 64 pixels on a CPU. */
const vitNano: Size<VitConfig> = { name: 'vit', patch: 8, width: 128, depth: 5, heads: 4, mlpRatio: 4 };

/** About a million parameters, for photos of 64 to 128 pixels: half of Swin-T's widths, less deep. */
const swinNano: Size<SwinConfig> = {
  name: 'swin',
  patch: 4,
  width: 48,
  depths: [2, 2, 2],
  heads: [3, 6, 12],
  window: 4,
  mlpRatio: 4,
};

/** Swin-T (Liu et al., 2021), the paper's encoder: 28 million parameters, for photos of 224 pixels. */
const swinTiny: Size<SwinConfig> = {
  name: 'swin',
  patch: 4,
  width: 96,
  depths: [2, 2, 6, 2],
  heads: [3, 6, 12, 24],
  window: 7,
  mlpRatio: 4,
};

export const presetNames = ['vit-nano', 'swin-nano', 'swin-tiny'] as const;
export type PresetName = (typeof presetNames)[number];

/** `name`, `head` and `dimension` are all there is to choose. */
export const presetSettings = z.strictObject({
  name: z.enum(presetNames).describe(encoderNameMeaning),
  head: headSetting,
  dimension: embeddingDimension,
});

export const presets: Readonly<Record<PresetName, Size<VitConfig> | Size<SwinConfig>>> = {
  'vit-nano': vitNano,
  'swin-nano': swinNano,
  'swin-tiny': swinTiny,
};
