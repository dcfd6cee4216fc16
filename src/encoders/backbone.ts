/** Settings of an encoder that is a pretrained network and a learned head. */
import { z } from 'zod';
import { backboneSettings, fineTuneSettings } from '../backbones/settings.ts';
import { embeddingDimension, encoderNameMeaning, layerWidth } from './settings.ts';

/** Two views of the features of a photo have to differ. */
export const viewDropout = 0.2;

const hidden = layerWidth.default(512).describe('Width of the hidden layer of the head.');
const hiddenDropout = z
  .number()
  .min(0)
  .max(0.9)
  .default(0)
  .describe('Share of the units of the hidden layer that a training step hides of each photo.');
const headMeaning =
  '`linear`: components straight through, which begins as the leading ones; `perceptron`: one hidden layer, which begins at random; `both`: a perceptron beside what goes straight through; `grid`: the same, but the perceptron sees the cells of taps that are grids, each of them through the same small map.';

const featureHeadSettings = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('both').default('both').describe(headMeaning),
    hidden,
    dropout: hiddenDropout,
  }),
  z.strictObject({ name: z.literal('linear').describe(headMeaning) }),
  z.strictObject({ name: z.literal('perceptron').describe(headMeaning), hidden, dropout: hiddenDropout }),
  z.strictObject({
    name: z.literal('grid').describe(headMeaning),
    hidden,
    dropout: hiddenDropout,
    components: z
      .int()
      .min(1)
      .max(512)
      .default(32)
      .describe('Principal components of the channels of a cell that are looked at.'),
    channels: z
      .int()
      .min(1)
      .max(512)
      .default(16)
      .describe(
        'Numbers of each cell that the hidden layer sees: what the small map makes of its components.',
      ),
  }),
]);

export type FeatureHeadSettings = z.output<typeof featureHeadSettings>;

export const backboneEncoderSettings = z.strictObject({
  name: z.literal('backbone').describe(encoderNameMeaning),
  ...backboneSettings.shape,
  beside: z
    .array(backboneSettings)
    .max(7)
    .default([])
    .describe('Further models, whose features are looked at beside those of `file`.'),
  outlines: z
    .int()
    .min(1)
    .max(64)
    .nullable()
    .default(null)
    .describe(
      "Cells a side of the photos whose outlines and colours are looked at, too, as by the encoder `outlines`; must divide the photos' side. null for none.",
    ),
  fineTune: fineTuneSettings
    .nullable()
    .default(null)
    .describe(
      'Trains the last part of the model in `file`, too; {} takes the defaults below. null leaves all of it as it is.',
    ),
  components: z
    .int()
    .min(4)
    .max(4096)
    .default(512)
    .describe('Principal components of its features that are looked at.'),
  whitening: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe(
      'How far components are made equally wide: 0 leaves them, 1 makes them equal, 0.5 takes the root of their widths.',
    ),
  head: featureHeadSettings.prefault({}).describe('What is learned on top.'),
  dropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe(
      `Share of the components of each photo that a training step does not see. Objectives that compare two views of a photo take ${viewDropout} where it is 0.`,
    ),
  dimension: embeddingDimension.default(256),
});

export type BackboneEncoderConfig = z.output<typeof backboneEncoderSettings>;
