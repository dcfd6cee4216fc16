/** Which dataset folder `--data` and `--dataset` together mean. */
import { join } from 'node:path';
import { manifestName } from '../data/manifest.ts';
import { CourierError } from '../errors.ts';
import { ingest } from '../pipelines/ingest/index.ts';
import type { WorkOptions } from '../progress.ts';
import { exists } from '../storage/files.ts';

/** Layouts of which a folder is all there is to name. */
const layouts = ['hm', 'ml1m'] as const;
type Layout = (typeof layouts)[number];

/**
 * A dataset folder as it is; of a folder in a known layout what `ingest` makes of it, in `dataset` inside of `out`,
 * unless that is there already.
 * @param data as `--data` names it
 * @param dataset as `--dataset` does: the layout of `data`; not looked at where that is a dataset folder
 * @param out run folder
 * @throws CourierError CONFIG_INVALID where something is missing to tell, and those of `ingest`
 */
export async function datasetFolder(
  data: string,
  dataset: unknown,
  out: unknown,
  options: WorkOptions,
): Promise<string> {
  if (await exists(join(data, manifestName))) return data;
  if (!isLayout(dataset)) {
    const remedy = `Name its layout with --dataset: ${layouts.join(' or ')}. Anything else, \`courier ingest\` reads.`;
    throw new CourierError('CONFIG_INVALID', `${data} is no dataset folder.`, remedy);
  }
  if (typeof out !== 'string') {
    const problem = `There is no place for the dataset that is made of ${data}.`;
    throw new CourierError('CONFIG_INVALID', problem, 'Name a run folder with --out.');
  }
  const { folder } = await ingest({ source: dataset, folder: data, out: join(out, 'dataset') }, options);
  return folder;
}

function isLayout(value: unknown): value is Layout {
  return layouts.some((layout) => layout === value);
}
