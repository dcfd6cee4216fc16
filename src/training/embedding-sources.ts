/** Where item embeddings can come from. One entry a source; the rest of the code knows them by name only. */
import { basename, dirname, join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { embeddingsOfItems, writeEmbeddings } from '../data/embeddings/embeddings.ts';
import { learnedPart } from '../data/samplers/training-cut.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';

import type { BackboneEncoderConfig } from '../encoders/backbone.ts';
import { type BatchEncoder, embedAll } from '../encoders/embed-rows.ts';
import { exportUntrainedEncoder } from '../encoders/export.ts';
import { learnedUntilOf, readEncoderFile } from '../encoders/file.ts';
import { createEncoder } from '../encoders/index.ts';
import { requireSide } from '../encoders/load.ts';
import { outlinesSettings } from '../encoders/outlines.ts';
import { EncoderPool } from '../encoders/pool.ts';
import { CourierError } from '../errors.ts';
import { type CourierConfig, courierSettings } from '../objectives/courier.ts';
import { normaliseRows } from '../objectives/descriptor.ts';
import { embedByHog } from '../objectives/hog.ts';
import { type ObjectiveName, objectiveSettings, prefixesOf } from '../objectives/index.ts';
import { embedByPixelPca } from '../objectives/pixel-pca.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { Random } from '../random.ts';
import { type Engine, floats } from '../runtime/engine.ts';
import { readInput, writeFileWhole } from '../storage/files.ts';
import { chosenEncoder } from './chosen-encoder.ts';
import type { TrainingConfig, TrainingSettings } from './config.ts';
import { seeingEncoder, seenByBackbone } from './seeing-encoder.ts';
import type { SourceName } from './source-names.ts';
import { trainEncoder } from './train-encoder.ts';
import { encoderFile, headFile } from './written-encoder.ts';

export interface SourceContext {
  readonly dataset: Dataset;
  /** Folder of the source's artefacts, of its own for each source and seed. */
  readonly folder: string;
  /** Of training; those of `objective` are for the source of that name, others have their defaults. */
  readonly settings: TrainingConfig;
  readonly engine: Engine;
  /** Bytes that training may take, where others train in the same process; null where it is alone. */
  readonly room: number | null;
}

interface EmbeddingSource {
  /** Whether the seed changes the result. */
  readonly seeded: boolean;
  /**
   * What it learns from, as which its settings may be searched: variants of COURIER have those of COURIER. null where nothing is
   * trained; a source that is trained has a metrics.jsonl.
   */
  readonly objective: ObjectiveName | null;
  /** What it is trained with where these are the settings of all; as they are where nothing is trained. */
  configure(settings: TrainingSettings): TrainingSettings;
  embed(context: SourceContext, options: WorkOptions): Promise<Embedded>;
}

interface Embedded {
  /** Of every photo, of unit length. (M, d) */
  readonly vectors: Float32Array;
  /** Up to when the encoder has seen clicks, milliseconds since 1970-01-01 UTC; null for one that learned from none. */
  readonly learnedUntil: number | null;
}

/** How many times smaller the small batch is. The steps are as many times more, so that as much is seen. */
const smallBatch = 8;

/** Of a source that is not trained. */
const unlearned = {
  seeded: false,
  objective: null,
  configure: (settings: TrainingSettings) => settings,
} as const;

export const embeddingSources: Readonly<Record<SourceName, EmbeddingSource>> = {
  courier: behavioural('courier'),
  scl: behavioural('scl'),
  supervised: trained('supervised'),
  clip: trained('clip'),
  simclr: trained('simclr'),
  simsiam: trained('simsiam'),
  random: {
    ...unlearned,
    seeded: true,
    async embed({ dataset, folder, settings, engine }, options) {
      const encoder = createEncoder({ ...untrained(settings, dataset), side: dataset.images.side });
      const path = join(folder, encoderFile);
      const model = exportUntrainedEncoder(encoder, Random.seeded(settings.seed, 'parameters'));
      await writeFileWhole(path, model.encode('standard'));
      return { vectors: await embedWith(path, dataset, engine, options), learnedUntil: null };
    },
  },
  backbone: {
    ...unlearned,
    async embed({ dataset, settings, engine }, options) {
      const learned = learnedPart(dataset, settings.olderShare);
      const place = { dataset: learned, engine };
      // All components of a photo, none of single cells.
      const asked = { ...backboneOf(settings), head: { name: 'linear' as const } };
      const { photos, backbone } = await seenByBackbone(asked, settings.dataset, place, options);
      const rows = photos.read(Int32Array.from({ length: photos.count }, (_, photo) => photo));
      const vectors = Float32Array.from(rows);
      normaliseRows(vectors, vectors.length / photos.count);
      return { vectors, learnedUntil: backbone.learnedUntil };
    },
  },
  'pixel-pca': descriptor(embedByPixelPca),
  hog: descriptor(embedByHog),
  'courier-no-sequence': variant({ sequenceWeight: 0 }),
  // It is there to be seen to collapse, so it must not be stopped by that.
  'courier-no-contrast': variant({ contrast: false }, () => ({ collapse: 'continue' })),
  'courier-clicked-only': variant({ negatives: 'clicked' }),
  'courier-mean-history': variant({ form: 'mean' }),
  'courier-self-attention': variant({ form: 'self-attention' }),
  'courier-full-attention': variant({ form: 'full-attention' }),
  'courier-projection-head': variant({ projectionHead: true }),
  'courier-click-loss': variant({ clickWeight: 1 }),
  'courier-small-batch': variant({}, ({ batchSize, steps, validateEvery }) => ({
    batchSize: Math.max(2, Math.round(batchSize / smallBatch)),
    steps: steps * smallBatch,
    validateEvery: validateEvery * smallBatch,
  })),
};

/** Numbers that are computed of pixels, what they are centred by of photos of the training period. */
function descriptor(embedBy: typeof embedByHog): EmbeddingSource {
  return {
    ...unlearned,
    async embed(context, { progress = silent, signal }) {
      const vectors = await embedBy(context.dataset.images, learnedPhotos(context), progress, signal);
      return { vectors, learnedUntil: null };
    },
  };
}

function learnedPhotos({ dataset, settings }: SourceContext): Int32Array {
  return trainingPhotos(learnedPart(dataset, settings.olderShare));
}

/** An objective that learns from the photos themselves, and so needs no first stage on them. */
function trained(name: ObjectiveName): EmbeddingSource {
  return pretrained(name, (config) => ({ ...trainingFor(name, config), firstStage: null }));
}

/** An objective that learns from clicks. All of them share the first stage of their seed. */
function behavioural(name: ObjectiveName): EmbeddingSource {
  return pretrained(name, (config) => trainingFor(name, config));
}

/** COURIER with other settings. */
function variant(
  changed: Partial<CourierConfig>,
  otherwise: (settings: TrainingSettings) => Partial<TrainingSettings> = () => ({}),
): EmbeddingSource {
  return pretrained('courier', (config) => {
    const objective = { ...courierSettings.parse(courierOf(config)), ...changed };
    return { ...config, ...otherwise(config), objective };
  });
}

function courierOf({ objective }: TrainingSettings) {
  return objective.name === 'courier' ? objective : {};
}

/** Training of an objective with its configured settings, or its defaults where another one is configured. */
function trainingFor(name: ObjectiveName, settings: TrainingSettings): TrainingSettings {
  const { objective } = settings;
  return objective.name === name ? settings : { ...settings, objective: objectiveSettings.parse({ name }) };
}

function pretrained(
  objective: ObjectiveName,
  change: (settings: TrainingSettings) => TrainingSettings,
): EmbeddingSource {
  const configure = (settings: TrainingSettings) => {
    const own = change(settings);
    return { ...own, prefixes: prefixesOf(own.objective, own) };
  };
  return {
    seeded: true,
    objective,
    configure,
    async embed({ folder, settings, ...place }, options) {
      const own = { ...settings, ...configure(settings) };
      const { firstStage } = own;
      const shared =
        firstStage === null ? null : { ...firstStage, out: firstStage.out ?? firstStageFolder(folder) };
      const training = { ...own, firstStage: shared };
      const { encoder } = await trainEncoder(training, place, options);
      const vectors = await (own.encoder.name === 'backbone'
        ? embedWithHead(training, own.encoder, place, options)
        : embedWith(encoder, place.dataset, place.engine, options));
      return { vectors, learnedUntil: learnedUntilOf(await readEncoderFile(encoder)) };
    },
  };
}

/** Where the first stage of a seed lies, beside the sources: `<out>/first-stage/seed-1` for `<out>/courier/seed-1`. */
function firstStageFolder(folder: string): string {
  return join(dirname(dirname(folder)), 'first-stage', basename(folder));
}

export const embeddingsFile = 'embeddings.parquet';

/** Folder of a source's artefacts for a seed. */
export function sourceFolder(out: string, source: SourceName, seed: number): string {
  return embeddingSources[source].seeded ? join(out, source, `seed-${seed}`) : join(out, source);
}

/** Embeds the catalogue and writes `embeddings.parquet` into the source's folder. */
export async function produceEmbeddings(
  name: SourceName,
  context: SourceContext,
  options: WorkOptions = {},
): Promise<void> {
  const { vectors, learnedUntil } = await embeddingSources[name].embed(context, options);
  const stored = embeddingsOfItems(context.dataset, vectors);
  await writeEmbeddings(join(context.folder, embeddingsFile), stored, learnedUntil);
}

/** The encoder that nothing has learned with: of pixels, where what is trained is the head of a pretrained network. */
function untrained({ encoder }: TrainingConfig, dataset: Dataset) {
  const chosen = chosenEncoder(encoder, dataset);
  return chosen.name === 'backbone' ? outlinesSettings.parse({ name: 'outlines' }) : chosen;
}

/** @throws CourierError CONFIG_INVALID where no pretrained network is named */
export function backboneOf({ encoder }: Pick<TrainingConfig, 'encoder'>): BackboneEncoderConfig {
  if (encoder.name === 'backbone') return encoder;
  throw new CourierError(
    'CONFIG_INVALID',
    'The source `backbone` is the features of a pretrained network, and none is named.',
    'Name its ONNX file with --backbone, or leave the source out.',
  );
}

/** With the learned head alone, on features that are there already: what the whole encoder gives, but for their rounding. */
async function embedWithHead(
  { out, dataset: folder, olderShare }: TrainingConfig,
  settings: BackboneEncoderConfig,
  { dataset, engine }: Pick<SourceContext, 'dataset' | 'engine'>,
  options: WorkOptions,
): Promise<Float32Array> {
  const place = { dataset: learnedPart(dataset, olderShare), engine };
  const seeing = await seeingEncoder({ encoder: settings, dataset: folder }, place, {
    signal: options.signal,
  });
  const bytes = new Uint8Array(await readInput(join(out, headFile), 'Head'));
  const session = await engine.load({
    encode: () => bytes,
    inputs: { photos: { type: 'float32', shape: [1, ...seeing.encoder.sees.shape] } },
    outputs: { embeddings: { type: 'float32', shape: [1, settings.dimension] } },
  });
  const head: BatchEncoder = {
    dimension: settings.dimension,
    size: 1,
    embed: async (seen) => floats(await session.run({}, { photos: seen }), 'embeddings'),
  };
  return embedAll(head, seeing.photos, options).finally(async () => {
    await session.release();
    await seeing.close();
  });
}

async function embedWith(
  path: string,
  { images }: Dataset,
  { device, threads }: Engine,
  options: WorkOptions,
): Promise<Float32Array> {
  const file = await readEncoderFile(path);
  requireSide(file, images.side);
  const pool = await EncoderPool.open(file, device, threads);
  return embedAll(pool, images, options).finally(() => pool.close());
}
