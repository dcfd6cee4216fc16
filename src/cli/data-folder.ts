/** Which dataset folder `--data`, `--recipe` and `--dataset` together mean. */
import { join } from 'node:path';
import { parseConfig } from '../config.ts';
import { manifestName } from '../data/manifest.ts';
import { type Recipe, recipeNames } from '../data/recipes.ts';
import { CourierError } from '../errors.ts';
import { ingestConfig } from '../pipelines/ingest/config.ts';
import { ingest } from '../pipelines/ingest/index.ts';
import type { WorkOptions } from '../progress.ts';
import { exists } from '../storage/files.ts';

/**
 * A dataset folder as it is; of a folder with the files of a recipe what `ingest` makes of it, in `dataset` inside of `out`, unless
 * that is there already.
 * @param data as `--data` names it
 * @param recipe null without one
 * @param out run folder
 * @throws CourierError CONFIG_INVALID where something is missing to tell, and those of `ingest`
 */
export async function datasetFolder(
  data: string,
  recipe: Recipe | null,
  out: unknown,
  options: WorkOptions,
): Promise<string> {
  if (await exists(join(data, manifestName))) return data;
  if (recipe === null) {
    const remedy = `Name its recipe with --recipe: ${(await recipeNames()).join(', ')}, or a file. Anything else, \`courier ingest\` reads.`;
    throw new CourierError('CONFIG_INVALID', `${data} is no dataset folder.`, remedy);
  }
  if (typeof out !== 'string') {
    const problem = `There is no place for the dataset that is made of ${data}.`;
    throw new CourierError('CONFIG_INVALID', problem, 'Name a run folder with --out.');
  }
  const settings = { ...recipe.ingest, out: join(out, 'dataset') };
  const { folder } = await ingest(parseConfig(ingestConfig, settings, 'recipe'), options);
  return folder;
}

/** A recipe says how files are read, and not where they are. */
export function dataMissing(): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    '--recipe was given without --data.',
    'Name the folder of the files with --data.',
  );
}
