/** The description of an image model's input that Hugging Face's libraries keep beside it. */

import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { exists, withInput } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { BackboneFault } from './errors.ts';

const name = 'preprocessor_config.json';
const mostBytes = 2 ** 20;

const length = z.int().min(1).max(8192);

const edge = z.union([
  length,
  z.looseObject({ height: length, width: length }).transform(({ height, width }) => Math.max(height, width)),
  z.looseObject({ shortest_edge: length }).transform(({ shortest_edge }) => shortest_edge),
  z.looseObject({ longest_edge: length }).transform(({ longest_edge }) => longest_edge),
]);

const colour = z.union([
  z.number().transform((value): readonly [number, number, number] => [value, value, value]),
  z.tuple([z.number(), z.number(), z.number()]),
]);

const schema = z.looseObject({
  size: edge.nullish(),
  crop_size: edge.nullish(),
  do_resize: z.boolean().nullish(),
  do_center_crop: z.boolean().nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: colour.nullish(),
  image_std: colour.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
});

export interface PreprocessorConfig {
  readonly path: string;
  /** Pixels a side that the model was trained with; undefined where that is not said. */
  readonly side: number | undefined;
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
  readonly channels: 'rgb' | 'bgr';
}

/**
 * Reads preprocessor_config.json beside a model, or beside its folder `onnx`, where exports lie on Hugging Face's hub.
 * Photos are never cropped: they keep their bars, and the whole of them gets the side that a crop would have.
 * @returns null where there is none
 * @throws BackboneFault for one that cannot be understood
 */
export async function readPreprocessorConfig(file: string): Promise<PreprocessorConfig | null> {
  const folder = dirname(file);
  const folders = basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder];
  for (const each of folders) {
    const path = join(each, name);
    if (await exists(path)) return understand(path, await readSmall(path));
  }
  return null;
}

function readSmall(path: string): Promise<string> {
  return withInput(path, name, async (handle) => {
    const about = await handle.stat();
    if (about.isFile() && about.size <= mostBytes) return handle.readFile('utf8');
    throw new BackboneFault(`${path} is no file, or larger than any of its kind.`, 'Move it away.');
  });
}

function understand(path: string, text: string): PreprocessorConfig {
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    const problem = `${path} cannot be understood: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`;
    throw new BackboneFault(problem, 'Correct it, or move it away and give the settings of `input`.');
  }
  const config = parsed.data;
  const side = config.do_center_crop !== false ? (config.crop_size ?? config.size) : config.size;
  const [zero, one] = [[0, 0, 0] as const, [1, 1, 1] as const];
  const normalizes = config.do_normalize !== false && (config.image_mean ?? null) !== null;
  const mean = normalizes ? (config.image_mean ?? zero) : zero;
  const offset = config.rescale_offset === true ? 1 : 0;
  return {
    path,
    side: config.do_resize === false && config.crop_size == null ? undefined : (side ?? undefined),
    scale: config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255),
    mean: [mean[0] + offset, mean[1] + offset, mean[2] + offset],
    deviation: normalizes ? (config.image_std ?? one) : one,
    channels: config.do_flip_channel_order === true ? 'bgr' : 'rgb',
  };
}
