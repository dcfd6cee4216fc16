import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { type AssignResult, assignClusters } from '../../pipelines/cluster/assign.ts';
import { assignConfig, clusterConfig } from '../../pipelines/cluster/config.ts';
import { type ClusterResult, cluster } from '../../pipelines/cluster/index.ts';
import { decimals, duration, integer } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, list, number } from '../settings.ts';

interface Options extends CommonOptions {
  readonly embeddings?: string;
  readonly dataset?: string;
  readonly clusters?: (number | string)[];
  readonly semanticLevels?: number | string;
  readonly semanticCodes?: number | string;
  readonly seed?: number | string;
  readonly assign?: string;
  readonly out?: string;
}

export function clusterCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('cluster', 'embeddings → cluster ids', [
    [
      'courier cluster --embeddings runs/embeddings.parquet --dataset datasets/shop',
      '--clusters 10,100 --out runs/clusters',
    ].join(' \\\n'),
    [
      'courier cluster --assign runs/clusters/centres.safetensors',
      '--embeddings runs/photos.parquet --out runs/assigned',
    ].join(' \\\n'),
  ])
    .option('--embeddings <file>', 'Parquet file that embed wrote, or one of any encoder')
    .option('--dataset <folder>', 'dataset folder with the photos, for pictures of the clusters')
    .option('--clusters <counts>', 'numbers of clusters, separated by commas', (text) =>
      list(text).map(number),
    )
    .option('--semantic-levels <count>', 'also residual codes, with so many levels', number)
    .option('--semantic-codes <count>', 'codes at each level', number)
    .option('--seed <number>', 'where the random start comes from', number)
    .option('--assign <file>', 'cluster nothing: nearest centres of this centres.safetensors')
    .option('--out <folder>', 'run folder')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const settings = await collectSettings(options, own);
        if ('assign' in settings) {
          const config = parseConfig(assignConfig, settings, 'cluster configuration');
          const result = await assignClusters(config, context);
          print(describeAssignment(result));
          return { ...result };
        }
        const config = parseConfig(clusterConfig, settings, 'cluster configuration');
        const result = await cluster(config, context);
        print(describeClusters(result));
        return { ...result };
      }),
    );
}

function describeClusters(result: ClusterResult): string {
  const { items, without, granularities, seconds, clusters, centres } = result;
  const rows = granularities.map(({ name, count, sizes, meanCosine, sheet }) => {
    const { min, median, max, empty } = sizes;
    const numbers = `${integer(min)} to ${integer(max)} items, median ${integer(median)}, ${integer(empty)} empty`;
    const picture = sheet === null ? '' : `\n  ${sheet}`;
    return `${name}: ${integer(count)} clusters of ${numbers}, mean cosine ${decimals(meanCosine, 3)}${picture}`;
  });
  return [
    ...rows,
    ...describeErrors(result.semanticErrors),
    `${describeItems(items, without)}, in ${duration(seconds)}`,
    `Cluster ids: ${clusters}`,
    `Centres: ${centres}`,
  ].join('\n');
}

function describeAssignment({ clusters, items, without, meanCosines, semanticErrors }: AssignResult): string {
  const cosines = Object.entries(meanCosines).map(
    ([name, cosine]) => `${name}: mean cosine to the nearest centre ${decimals(cosine, 3)}`,
  );
  return [
    ...cosines,
    ...describeErrors(semanticErrors),
    describeItems(items, without),
    `Cluster ids: ${clusters}`,
  ].join('\n');
}

function describeErrors(errors: readonly number[]): readonly string[] {
  return errors.map((error, level) => `semantic_${level + 1}: squared error ${decimals(error, 4)} so far`);
}

function describeItems(items: number, without: number): string {
  const left = without === 0 ? '' : `, ${integer(without)} without an embedding left out`;
  return `${integer(items)} items${left}`;
}
