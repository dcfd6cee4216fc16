/** A ranker of the table as a folder that a server can score with, checked before it is there. */
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.ts';
import { hashEmbeddings } from '../../data/embeddings/embeddings.ts';
import { laterOf } from '../../data/embeddings/learned-until.ts';
import { readProvenance } from '../../data/embeddings/provenance.ts';
import { knownUntil } from '../../data/samplers/training-cut.ts';
import { KeptRankers } from '../../evaluation/kept-rankers.ts';
import { clustersFolder, type PlannedRow, type RankerTrainer } from '../../evaluation/ranker-trainer.ts';
import { keptCentres } from '../../evaluation/visual-inputs.ts';
import type { Progress } from '../../progress.ts';
import { Random } from '../../random.ts';
import { exportRanker, type ImagesOf } from '../../rankers/export.ts';
import { rawExposures } from '../../rankers/exposure.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import { loadRanker } from '../../rankers/load.ts';
import type { ReadyRanker } from '../../rankers/ready-ranker.ts';
import type { Engine } from '../../runtime/engine.ts';
import { writeFolderWhole } from '../../storage/output-folder.ts';

export interface ExportedRanker {
  readonly folder: string;
  /** Between a score before and after. */
  readonly largestDifference: number;
  /** Exposures that were scored both ways. */
  readonly rows: number;
}

/** How far a score may be from what it was before: another order of additions, no more. */
const tolerance = 1e-5;

/** Exposures that are scored both ways, of the validation split if it has any, since the test period is read once. */
const sampleSize = 2000;

/**
 * Writes the first seed's ranker of a row, begun warm, into the folder `export` of the run; it is trained only if its
 * weights do not lie there. What is written is loaded again and has to give the scores that the ranker gave, else there
 * is no folder.
 * @throws CourierError those of training and writing
 */
export async function exportRow(
  trainer: RankerTrainer,
  row: PlannedRow,
  progress: Progress,
): Promise<ExportedRanker> {
  const { dataset, config, engine } = trainer;
  const seed = config.seeds[0]!;
  const folder = join(config.out, 'export');
  progress({ kind: 'start', stage: 'Export', total: 1, unit: 'rankers' });
  const learnedUntil = await learnedUntilOf(dataset, row?.embeddings(seed) ?? null);
  const ranker = await new KeptRankers(trainer).ready(row);
  try {
    const compared = await writeFolderWhole(folder, async (partial) => {
      const config = trainer.settingsOf('warm');
      const images = await imagesOf(trainer, row, ranker, seed);
      await exportRanker(partial, { ranker, config, dataset, seed, learnedUntil, images });
      return compareScores(partial, ranker, dataset, sampleOf(dataset, seed), engine);
    });
    progress({ kind: 'end', stage: 'Export', detail: differenceText(compared.largestDifference) });
    return { folder, ...compared };
  } finally {
    await ranker.release();
  }
}

function differenceText(largest: number): string {
  return largest === 0 ? 'the same scores' : `scores differ by ${largest.toPrecision(2)} at most`;
}

async function imagesOf(
  { config }: RankerTrainer,
  row: PlannedRow,
  { feature }: ReadyRanker,
  seed: number,
): Promise<ImagesOf | null> {
  const embeddings = row?.embeddings(seed) ?? null;
  if (row === null || embeddings === null) return null;
  const names = (feature?.codes ?? []).map(({ name }) => name);
  const centres = await keptCentres(clustersFolder(config.out, row, seed), names);
  const { origin } = await readProvenance(embeddings);
  return { hash: await hashEmbeddings(embeddings), model: origin?.model ?? null, centres };
}

/** What it was trained and its settings were chosen on, and what the encoder of its embeddings has seen. */
async function learnedUntilOf(dataset: Dataset, embeddings: string | null): Promise<number | null> {
  const encoder = embeddings === null ? null : (await readProvenance(embeddings)).learnedUntil;
  return laterOf(knownUntil(dataset), encoder);
}

function sampleOf(dataset: Dataset, seed: number): Int32Array {
  const validation = rowsOfSplit(dataset, 'validation');
  const rows = validation.length > 0 ? validation : rowsOfSplit(dataset, 'train');
  return Random.seeded(seed, 'export').shuffle(rows).subarray(0, sampleSize);
}

/** @throws Error when a score is not what it was */
async function compareScores(
  folder: string,
  { scorer, feature }: ReadyRanker,
  dataset: Dataset,
  rows: Int32Array,
  engine: Engine,
): Promise<Omit<ExportedRanker, 'folder'>> {
  const before = await scorer.score(rows);
  const exported = await loadRanker(folder, engine);
  try {
    const after = await exported.score(rawExposures(dataset, feature, rows));
    const largestDifference = before.reduce(
      (largest, score, index) => Math.max(largest, Math.abs(score - after[index]!)),
      0,
    );
    if (!(largestDifference <= tolerance))
      throw new Error(`the exported ranker's scores differ by ${largestDifference}`);
    return { largestDifference, rows: rows.length };
  } finally {
    await exported.release();
  }
}
