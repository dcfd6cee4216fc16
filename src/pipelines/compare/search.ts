/** Settings of pre-training that are searched for each objective alike: a comparison with untuned rivals convinces nobody. */
import { join } from 'node:path';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { ObjectiveName } from '../../objectives/index.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import type { SettingsSearch } from '../../report/report.ts';
import type { Attempt } from '../../runs/failures.ts';
import { namedProgress } from '../../runs/lanes.ts';
import { settingsText } from '../../runs/settings.ts';
import type { StageCosts } from '../../runs/stage-costs.ts';
import { embeddingSources } from '../../training/embedding-sources.ts';
import { type FoundSettings, searchTraining } from '../../training/search/search.ts';
import { withDrawn } from '../../training/search/space.ts';
import type { SourceName } from '../../training/source-names.ts';
import type { CompareConfig } from './config.ts';
import { inTrainingLanes } from './training-lanes.ts';

/** What was found for an objective. */
export interface FinishedSearch {
  readonly objective: ObjectiveName;
  readonly pretrain: CompareConfig['pretrain'];
  readonly found: FoundSettings;
}

/**
 * Searches what is not found yet, several objectives at a time where the machine allows; of one whose search failed the settings are
 * those of `pretrain`.
 * @param group the processes that share it
 * @returns none where nothing is to be searched
 */
export async function searchEverySource(
  dataset: Dataset,
  config: CompareConfig,
  costs: StageCosts,
  attempt: Attempt,
  { progress = silent, signal }: WorkOptions,
  group: ProcessGroup,
): Promise<readonly FinishedSearch[]> {
  const { tune, sources, out, olderShare, dataset: folder } = config;
  const [seed = 0] = config.seeds;
  if (tune === null) return [];
  const searches: FinishedSearch[] = [];
  const objectives = objectivesOf(sources);
  // Processes share the trials of a search, which are of the same length.
  const lanes = group.size > 1 ? { ...config, parallel: 1 } : config;
  await inTrainingLanes(objectives, lanes, signal, async (objective, { engine, threads, room, signal }) => {
    const pretrain = embeddingSources[objective].configure({ ...config.pretrain, olderShare, threads });
    const search = { ...tune, pretrain, seed, dataset: folder, out: join(out, 'tune', objective) };
    const unit = { stage: 'tune', source: objective, features: null, start: null, seed } as const;
    const options = { progress: namedProgress(objective, progress), signal };
    await attempt(unit, () =>
      costs.measure(`Tune: ${objective}`, async () => {
        const found = await searchTraining({ dataset, engine, room }, search, options, group);
        searches.push({ objective, pretrain: withDrawn(pretrain, found.best.settings), found });
        return `${found.trials.length} trials`;
      }),
    );
  });
  return searches.sort((a, b) => objectives.indexOf(a.objective) - objectives.indexOf(b.objective));
}

/** What a source is trained with. */
export function pretrainOf(
  source: SourceName,
  { pretrain }: CompareConfig,
  searches: readonly FinishedSearch[],
): CompareConfig['pretrain'] {
  const { objective } = embeddingSources[source];
  return searches.find((search) => search.objective === objective)?.pretrain ?? pretrain;
}

/** The plan of the searches in lines for people. */
export function describeSearches({ tune, sources }: CompareConfig): readonly string[] {
  if (tune === null) return [];
  const names = objectivesOf(sources).join(', ');
  const how = `${tune.budget} settings each on the validation period`;
  return names === '' ? [] : [`Plan: first a search for ${names}: ${how}, whose time is in no estimate`];
}

export function describeSearch({ objective, found: { best, trials } }: FinishedSearch): SettingsSearch {
  const [first] = trials;
  const finalRound = trials.filter(({ round }) => round === best.round);
  return {
    objective,
    tried: trials.filter(({ round }) => round === first?.round).length,
    settings: settingsText(best.settings),
    score: best.score,
    finalRound: finalRound.length,
  };
}

function objectivesOf(sources: readonly SourceName[]): readonly ObjectiveName[] {
  const all = sources.map((source) => embeddingSources[source].objective);
  return [...new Set(all)].filter((objective) => objective !== null);
}
