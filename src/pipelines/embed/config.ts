/** Settings of embedding, with every default. */
import { z } from 'zod';
import { embeddingSizes } from '../../data/embeddings/embedding-size.ts';
import { runSettings } from '../../runs/settings.ts';

export const embedConfig = z
  .strictObject({
    dataset: z
      .string()
      .min(1)
      .optional()
      .describe('Dataset folder, whose photos are decoded already. Either this or `photos` is needed.'),
    photos: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder of image files instead of a dataset: an item is called by its path below the folder, without extension.',
      ),
    encoder: z
      .string()
      .min(1)
      .describe('encoder.onnx that pretrain wrote. Photos of a folder are fitted to the side it takes.'),
    out: z
      .string()
      .min(1)
      .describe('Parquet file to write, with the columns `item_id`, `embedding` and `image_hash`.'),
    npy: z
      .boolean()
      .default(false)
      .describe(
        'Whether the vectors are written beside `out` as a matrix, too: `….npy` (float32), `….ids.csv` with a line for each of its rows, and where they come from in `….json`.',
      ),
    sizes: embeddingSizes.describe(
      'Smaller forms that are written beside `out`, too, each into a file of its own: 64 for the first 64 numbers of each embedding, brought to unit length, int8 for numbers of one byte, 64-int8 for both. `….64.parquet` is what `….parquet#first=64` reads.',
    ),
    precision: z
      .enum(['float32', 'int8'])
      .default('float32')
      .describe(
        '`int8` computes on bytes where it can, and leaves the quantised encoder beside `out`, as `….int8.onnx`.',
      ),
    device: runSettings.device,
  })
  .refine(({ dataset, photos }) => (dataset === undefined) !== (photos === undefined), {
    path: ['photos'],
    message: 'give either a dataset or a folder of photos',
  })
  .refine(({ precision, device }) => precision === 'float32' || device === 'cpu' || device === 'auto', {
    path: ['device'],
    message: 'int8 is computed on the cpu',
  });

export type EmbedConfigInput = z.input<typeof embedConfig>;
export type EmbedConfig = z.output<typeof embedConfig>;
