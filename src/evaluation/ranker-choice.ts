/** Settings that keep rankers from learning ids by heart: chosen once, on validation, without images, and shared by all rows. */
import { join } from 'node:path';
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { broadcastJson } from '../collectives/texts.ts';
import { dealt, workTogether } from '../collectives/together.ts';
import { messageOf } from '../errors.ts';
import { known, type Measured } from '../metrics/measured.ts';
import { type Progress, silent } from '../progress.ts';
import { type RankerConfig, rankerConfig } from '../rankers/config.ts';
import type { SettingsChoice, Start } from '../report/report.ts';
import { endsEverything } from '../runs/failures.ts';
import { settingsText } from '../runs/settings.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import { counted } from '../text.ts';
import type { EvaluationConfig } from './config.ts';
import { KeptRankers } from './kept-rankers.ts';
import { readBase, readResult, writeBase, writeResult } from './ranker-file.ts';
import { basePath, rankerPlace } from './ranker-place.ts';
import type { RankerTrainer } from './ranker-trainer.ts';

export interface ChosenSettings {
  /** Trains with them. */
  readonly trainer: RankerTrainer;
  /** One for each start of which several settings were tried. */
  readonly choices: readonly SettingsChoice[];
}

/**
 * Tries the settings of `choices` on the ranker without images of the first seed, for each start, and takes those with the
 * best AUC on the validation split: the first of those that hardly differ, and the first of all where none has an AUC. The rankers that were
 * tried stay in the run folder, so that nothing is tried twice; nobody looks at what they score on the test split.
 * @param costs gets what those took that are not taken; the others are rows
 * @param group the processes that share the trying
 * @throws CourierError INTERRUPTED, and those of writing; settings that cannot be trained are passed over
 */
export async function chooseSettings(
  trainer: RankerTrainer,
  costs: StageCosts,
  progress: Progress = silent,
  group: ProcessGroup = oneProcess,
): Promise<ChosenSettings> {
  const { starts, choices, seeds } = trainer.config;
  const isFirst = group.rank === 0;
  const kept: [string, Measured][] = [];
  for (const one of isFirst ? triedRankers(trainer.config) : []) {
    const result = await readResult(pathOfTried(trainer.folder, one, seeds[0]!)).catch(() => null);
    if (result !== null) kept.push([keyOf(one), result.validationAuc]);
  }
  const aucs = new Map(await broadcastJson(group, kept));
  const missing = triedRankers(trainer.config).filter((one) => !aucs.has(keyOf(one)));
  if (missing.length > 0) {
    const stage = 'Choose settings';
    const together = trainer.group.size > 1;
    const own = together ? missing : dealt(missing, group);
    progress({ kind: 'start', stage, total: own.length, unit: 'rankers' });
    const tryOwn = async () => {
      const tried: [string, Measured][] = [];
      await trainer.each(own, async (one, each) => {
        tried.push([keyOf(one), await validationAucOf(trying(each, one), one.start)]);
        const detail = `${one.start}, ${settingsText(choices[one.choice]!)}`;
        progress({ kind: 'advance', stage, done: tried.length, detail });
      });
      return tried;
    };
    const all = together ? [await tryOwn()] : await workTogether(group, tryOwn);
    for (const [key, auc] of all.flat()) aucs.set(key, auc);
    progress({ kind: 'end', stage });
  }
  const chosen = new Map<Start, RankerConfig>();
  const told: SettingsChoice[] = [];
  const passedOver: TriedRanker[] = [];
  for (const start of starts) {
    const tried = choices.map((settings, choice) => {
      const validationAuc = aucs.get(keyOf({ start, choice })) ?? untried;
      return { settings: settingsText(settings), validationAuc };
    });
    const best = bestOf(tried.map(({ validationAuc }) => validationAuc));
    const own = trying(trainer, { start, choice: best });
    chosen.set(start, own.settingsOf(start));
    if (choices.length === 1) continue;
    told.push({ start, tried, chosen: best });
    passedOver.push(...[...choices.keys()].flatMap((choice) => (choice === best ? [] : { start, choice })));
    if (isFirst) await keepTried(own, trainer, start);
  }
  if (isFirst && passedOver.length > 0) {
    const detail = `${counted(passedOver.length, 'rankers')} tried and not taken`;
    await costs.add('Choose settings', await secondsOf(trainer, passedOver), detail);
  }
  await group.barrier();
  return { trainer: trainer.with({ chosen }), choices: told };
}

const untried: Measured = { kind: 'undefined', why: 'It was not tried.' };

/** A ranker without images of the first seed, with settings that are tried. */
export interface TriedRanker {
  readonly start: Start;
  /** Place among the settings to choose from. */
  readonly choice: number;
}

/** All that are tried; none where there is nothing to choose. */
export function triedRankers({
  starts,
  choices,
}: Pick<EvaluationConfig, 'starts' | 'choices'>): readonly TriedRanker[] {
  if (choices.length === 1) return [];
  return starts.flatMap((start) => [...choices.keys()].map((choice) => ({ start, choice })));
}

function folderOfTried(folder: string, { start, choice }: TriedRanker): string {
  return join(folder, 'tried', `${start}-${choice + 1}`);
}

/** @param folder of the rankers of a run */
export function pathOfTried(folder: string, tried: TriedRanker, seed: number): string {
  return rankerPlace(folderOfTried(folder, tried), null, tried.start, seed).path;
}

function trying(trainer: RankerTrainer, { start, choice }: TriedRanker): RankerTrainer {
  const { config, folder } = trainer;
  const settings = rankerConfig.parse({ ...config.ranker, ...config.choices[choice]! });
  return trainer.with({
    folder: folderOfTried(folder, { start, choice }),
    chosen: new Map([[start, settings]]),
  });
}

async function validationAucOf(trainer: RankerTrainer, start: Start): Promise<Measured> {
  try {
    return await new KeptRankers(trainer).validationAuc(null, start, trainer.config.seeds[0]!);
  } catch (thrown) {
    if (endsEverything(thrown, trainer.signal)) throw thrown;
    return { kind: 'undefined', why: messageOf(thrown) };
  }
}

/** Less than this is no difference, on a validation period of any size: the settings that come first are the plainer ones. */
const noDifference = 0.001;

/** Place of the largest, or of the first that is hardly less. */
export function bestOf(aucs: readonly Measured[]): number {
  const values = aucs.map((auc) => known(auc) ?? Number.NEGATIVE_INFINITY);
  const best = Math.max(...values);
  return values.findIndex((value) => value === best || value >= best - noDifference);
}

/** The ranker without images of the first seed, and what it went on from, need not be trained again. */
async function keepTried(from: RankerTrainer, to: RankerTrainer, start: Start): Promise<void> {
  const seed = to.config.seeds[0]!;
  const base = start === 'warm' ? await readBase(basePath(from.folder, seed)) : null;
  if (base !== null && (await readBase(basePath(to.folder, seed))) === null)
    await writeBase(basePath(to.folder, seed), base);
  const own = await readResult(rankerPlace(from.folder, null, start, seed).path);
  const { path } = rankerPlace(to.folder, null, start, seed);
  if (own !== null && (await readResult(path)) === null) await writeResult(path, own);
}

/** What training them took, and what they went on from. */
async function secondsOf({ folder, config }: RankerTrainer, tried: readonly TriedRanker[]): Promise<number> {
  const seed = config.seeds[0]!;
  const paths = tried.flatMap((one) => {
    const own = pathOfTried(folder, one, seed);
    return one.start === 'warm' ? [basePath(folderOfTried(folder, one), seed), own] : [own];
  });
  // Settings that cannot be trained left nothing.
  const results = await Promise.all(paths.map((path) => readResult(path).catch(() => null)));
  return results.reduce((sum, result) => sum + (result?.seconds ?? 0), 0);
}

function keyOf({ start, choice }: TriedRanker): string {
  return `${start} ${choice}`;
}
