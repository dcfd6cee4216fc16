/** What can be said about a backbone, with every default. */
import { z } from 'zod';
import { distinct } from '../config.ts';

const numberOrThree = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);
const deviation = z.number().positive();

export const layouts = ['nchw', 'nhwc'] as const;
const layout = z.enum(layouts);

const inputSettings = z.strictObject({
  layout: layout.optional().describe('Where the colours stand. By default where the graph has a 3.'),
  channels: z.enum(['rgb', 'bgr']).optional().describe('Order of the colours.'),
  side: z
    .int()
    .min(8)
    .max(2048)
    .optional()
    .describe(
      'Pixels a side that the model is given. By default its own, or that of the photos where it takes any.',
    ),
  scale: z
    .number()
    .positive()
    .optional()
    .describe('Factor on bytes from 0 to 255, before the mean is taken off.'),
  mean: numberOrThree.optional().describe('Taken off afterwards; a number, or one for red, green and blue.'),
  deviation: z
    .union([deviation, z.tuple([deviation, deviation, deviation])])
    .optional()
    .describe('Divides what is left.'),
});

const tapSettings = z.strictObject({
  name: z.string().min(1).describe('An output of the graph, or any tensor inside.'),
  pool: z
    .enum(['class', 'mean', 'grid'])
    .optional()
    .describe(
      '`class` takes the first token, `mean` the mean over tokens or places, `grid` keeps places. By default grids are kept, and of tokens the first is taken where there is one more than a square has.',
    ),
  cells: z.int().min(1).max(64).optional().describe('Grids of more cells a side are averaged to so many.'),
  layout: layout.optional().describe('Where the channels of a grid stand.'),
});

/** A pretrained model as an ONNX file, and what it does not say itself. */
export const backboneSettings = z.strictObject({
  file: z.string().min(1).describe('ONNX file of an image model.'),
  input: inputSettings
    .prefault({})
    .describe('What the model takes, where neither the file nor preprocessor_config.json tells it right.'),
  taps: distinct(
    z
      .array(z.union([z.string().min(1), tapSettings]))
      .min(1)
      .max(16),
  )
    .optional()
    .describe('Tensors that are the features. By default every output.'),
});

/** How a part of the model itself learns, beside what is learned on top of it. */
export const fineTuneSettings = z.strictObject({
  from: z
    .union([z.int().min(1).max(1000), z.string().min(1)])
    .default(1)
    .describe(
      'What trains: so many of the last blocks with attention, or all that comes behind a tensor of the graph, by its name.',
    ),
  lora: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe(
      'Rank of the changes that its matrix products get, all else of it staying as it is (LoRA); null trains all its weights themselves.',
    ),
  learningRate: z
    .number()
    .positive()
    .optional()
    .describe(
      'Highest learning rate of what trains of the model, beside `learningRate` of the head. By default 3e-5, or 3e-4 with `lora`.',
    ),
});

export type FineTuneSettings = z.output<typeof fineTuneSettings>;
export type BackboneSettings = z.input<typeof backboneSettings>;
export type InputSettings = z.output<typeof inputSettings>;
export type TapSettings = z.output<typeof tapSettings>;
export type Layout = (typeof layouts)[number];
