/**
 * The search for pre-training settings: random search (Bergstra and Bengio, 2012) with successive halving
 * (Jamieson and Talwalkar, 2016) over steps.
 *
 * Trials are judged by what pre-training measures anyway, the AUC of SimScore on the validation period, which is how
 * the paper screens encoders. The test period is never read. A round trains anew, since the learning rate falls
 * over all steps of a run.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { oneProcess } from '../../collectives/one-process.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { broadcastJson } from '../../collectives/texts.ts';
import { workTogether } from '../../collectives/together.ts';
import type { Dataset } from '../../data/dataset.ts';
import { CourierError, messageOf } from '../../errors.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { Random } from '../../random.ts';
import { endsEverything } from '../../runs/failures.ts';
import { writeJson } from '../../storage/files.ts';
import type { TrainingConfig, TrainingSettings } from '../config.ts';
import { holdsBothClasses } from '../screening.ts';
import { type TrainingPlace, trainEncoder } from '../train-encoder.ts';
import { validationScreening } from '../validation.ts';
import { SearchLog, type Trial } from './log.ts';
import type { SearchSettings } from './settings.ts';
import { type Drawn, drawSettings, ownSettings, withDrawn } from './space.ts';

export const searchLogFile = 'tune.jsonl';
export const bestSettingsFile = 'best.json';

/** A search: how long, among what, and where it reads and writes. */
export interface SearchConfig extends SearchSettings, Pick<TrainingConfig, 'seed' | 'dataset' | 'out'> {
  /** What is not searched. Its `steps` are those of the last round. */
  readonly pretrain: TrainingSettings;
}

export interface FoundSettings {
  /** Path of the best settings, for `pretrain --config`. */
  readonly settings: string;
  readonly log: string;
  /** The trial with the best score of the last round. */
  readonly best: Trial;
  readonly trials: readonly Trial[];
}

/**
 * Tries settings and writes the best into the folder. What its log holds is not tried again.
 * @param group the processes that share it: each tries a trial at a time, by itself
 * @throws CourierError METRIC_UNDEFINED, INTERRUPTED, those of training and of writing, and COMPARISON_FAILED where every trial of a round
 * failed
 */
export async function searchTraining(
  place: TrainingPlace,
  config: SearchConfig,
  { progress = silent, signal }: WorkOptions,
  group: ProcessGroup = oneProcess,
): Promise<FoundSettings> {
  requireScore(place.dataset, config);
  const { out } = config;
  const { side } = place.dataset.images;
  const stage = 'Tune';
  const isFirst = group.rank === 0;
  const kept = isFirst ? await SearchLog.open(join(out, searchLogFile)) : null;
  const known = await broadcastJson(group, kept?.trials ?? []);
  const log = kept ?? SearchLog.keptElsewhere(known);

  let places = Array.from({ length: config.budget }, (_, trial) => trial);
  const rounds = plannedRounds(config);
  const total = rounds.reduce((sum, { trials }) => sum + trials, 0);
  let done = 0;
  progress({ kind: 'start', stage, total, unit: 'trials' });
  for (const [round, { trials, steps }] of rounds.entries()) {
    places = places.slice(0, trials);
    const tell = async (finished: Trial) => {
      // Of a trial only its score is wanted; until that is kept, its folder is what an interrupted one goes on from.
      if (isFirst) await rm(trialFolder(config, round, finished.trial), { recursive: true, force: true });
      const detail = `round ${round + 1}, trial ${finished.trial}: ${outcomeOf(finished)}`;
      progress({ kind: 'advance', stage, done: ++done, detail });
    };
    for (const finished of places.flatMap((trial) => log.find(round, trial) ?? [])) await tell(finished);
    const missing = places.filter((trial) => log.find(round, trial) === undefined);
    for (let tried = 0; tried < missing.length; tried += group.size) {
      const trial = missing[tried + group.rank];
      const outcomes = await workTogether(group, async () => {
        signal?.throwIfAborted();
        if (trial === undefined) return null;
        const drawn = settingsOf(config, side, trial);
        return tryOut(place, config, { round, trial, steps, drawn }, { progress, signal });
      });
      for (const finished of outcomes.filter((outcome) => outcome !== null)) {
        await log.append(finished);
        await tell(finished);
      }
    }
    places = byScore(log.trials.filter((one) => one.round === round)).map(({ trial }) => trial);
    if (places.length === 0) throw allFailed(log.trials.filter((one) => one.round === round));
  }
  progress({ kind: 'end', stage });

  const best = log.find(rounds.length - 1, places[0]!)!;
  const path = join(out, bestSettingsFile);
  // What is learned from is where the settings are taken to, not one of them.
  const { olderShare: _, ...settings } = withDrawn(config.pretrain, best.settings);
  if (isFirst) await writeJson(path, settings);
  await group.barrier();
  return { settings: path, log: join(out, searchLogFile), best, trials: log.trials };
}

/** As many trials in each round as its share of the budget, and the more steps the fewer they are. */
export function plannedRounds({
  budget,
  reduction,
  pretrain: { steps },
}: Pick<SearchConfig, 'budget' | 'reduction'> & { readonly pretrain: Pick<TrainingSettings, 'steps'> }) {
  const counts: number[] = [];
  for (let trials = budget; trials >= 1; trials = Math.floor(trials / reduction)) counts.push(trials);
  return counts.map((trials, round) => {
    const share = reduction ** (counts.length - 1 - round);
    return { trials, steps: Math.max(1, Math.round(steps / share)) };
  });
}

/** Trial 0 is the configuration as it is; a larger budget tries the same ones first. */
function settingsOf(config: SearchConfig, side: number, trial: number): Drawn {
  if (trial === 0) return ownSettings(config);
  return drawSettings(config, side, Random.seeded(config.seed, `tune trial ${trial}`));
}

interface Planned {
  readonly round: number;
  readonly trial: number;
  readonly steps: number;
  readonly drawn: Drawn;
}

async function tryOut(
  place: TrainingPlace,
  config: SearchConfig,
  { round, trial, steps, drawn }: Planned,
  options: WorkOptions,
): Promise<Trial> {
  const { dataset, seed } = config;
  const out = trialFolder(config, round, trial);
  const validateEvery = Math.max(
    1,
    Math.round((config.pretrain.validateEvery * steps) / config.pretrain.steps),
  );
  const settings = {
    ...withDrawn(config.pretrain, drawn),
    dataset,
    out,
    seed,
    steps,
    validateEvery,
  };
  const about = { round, trial, steps, settings: drawn };
  const started = performance.now();
  try {
    const { bestScore: score, seconds } = await trainEncoder(settings, place, options);
    if (score === null) throw new Error('a trial ended without a score');
    return { ...about, score, failure: null, seconds };
  } catch (error) {
    if (!(error instanceof CourierError) || endsEverything(error, options.signal)) throw error;
    const failure = { code: error.code, message: messageOf(error) };
    return { ...about, score: null, failure, seconds: (performance.now() - started) / 1000 };
  }
}

function trialFolder({ out }: SearchConfig, round: number, trial: number): string {
  return join(out, 'trials', `round-${round}-trial-${trial}`);
}

/** Those with a score, best first, earlier trials first among equals. */
function byScore(trials: readonly Trial[]): readonly Trial[] {
  return trials
    .filter(({ score }) => score !== null)
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || a.trial - b.trial);
}

function outcomeOf({ score, failure }: Trial): string {
  return score === null ? (failure?.code ?? 'no score') : `SimScore AUC ${score.toFixed(4)}`;
}

/** @throws CourierError METRIC_UNDEFINED where no trial could be judged */
export function requireScore(dataset: Dataset, { pretrain, seed, dataset: folder }: SearchConfig): void {
  if (holdsBothClasses(validationScreening(dataset, { ...pretrain, seed }))) return;
  throw new CourierError(
    'METRIC_UNDEFINED',
    `The validation period of ${folder} has no page views with photos, a history, a click and a non-click.`,
    'Ingest the dataset again with a longer validation period.',
  );
}

function allFailed(trials: readonly Trial[]): CourierError {
  const reasons = new Set(trials.map(({ failure }) => failure?.message ?? ''));
  return new CourierError(
    'COMPARISON_FAILED',
    `All ${trials.length} trials failed. ${[...reasons].join(' ')}`,
    'Mend the causes, and search into a new output folder.',
  );
}
