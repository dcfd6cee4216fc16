/** Settings of an export for serving, with every default. */
import { z } from 'zod';
import { runSettings } from '../../runs/settings.ts';

export const exportConfig = z.strictObject({
  dataset: runSettings.dataset.describe(
    'Dataset folder that ingest wrote: its catalogue, counters and histories are what a service goes on from. It may have more days than the one that the ranker was trained on.',
  ),
  ranker: z.string().min(1).describe('Folder that `courier rank --export` wrote.'),
  embeddings: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of item embeddings, as rank takes it: that of the ranker, if it takes images; for a ranker without images, those that `similar` goes by.',
    ),
  encoder: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The encoder.onnx that made the embeddings, so that photos of new items can be embedded; without it, new items come with their embeddings.',
    ),
  attention: z
    .string()
    .min(1)
    .optional()
    .describe('The attention.onnx of the same pre-training, so that answers can say what they rest on.'),
  until: z
    .union([z.iso.datetime({ offset: true }), z.iso.date()])
    .nullable()
    .default(null)
    .describe(
      'Events from this moment on are left out of the state, so that a period can be replayed: a date or ISO 8601. null takes all of the dataset.',
    ),
  seed: runSettings.seed,
  out: z
    .string()
    .min(1)
    .describe('Folder to write; an earlier export there is replaced when the new one is whole.'),
});

export type ExportConfig = z.output<typeof exportConfig>;
export type ExportConfigInput = z.input<typeof exportConfig>;
