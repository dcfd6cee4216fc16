/** An encoder with what it sees of the photos of a dataset: their pixels, or what a pretrained network says of them. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Backbone, mergeHead, openBackbone } from '../backbones/backbone.ts';
import { sideBySide } from '../backbones/side-by-side.ts';
import type { Dataset } from '../data/dataset.ts';
import { learnedUntilMetadata } from '../data/embeddings/learned-until.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';
import type { BackboneEncoderConfig, FeatureHeadSettings } from '../encoders/backbone.ts';
import { cellsBackbone } from '../encoders/cells-backbone.ts';
import type { Encoder, SeenPhotos } from '../encoders/encoder.ts';
import { exportEncoder, photoAxis } from '../encoders/export.ts';
import { featureHead } from '../encoders/feature-head.ts';
import { createEncoder } from '../encoders/index.ts';
import { CourierError } from '../errors.ts';
import { l2Normalize } from '../graph/operators/index.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { input, openLength } from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';
import { silent, type WorkOptions } from '../progress.ts';
import type { Engine } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import { type WhitenedFeatures, whitenedFeatures } from './backbone-features.ts';
import type { ChosenTraining } from './chosen-encoder.ts';
import { type Projection, projected, projectedWidth } from './projection.ts';
import { fineTunedFile, trainedNetwork } from './trained-network.ts';

export interface SeeingEncoder {
  readonly encoder: Encoder;
  readonly photos: SeenPhotos;
  /** What stands for the network in the identity of a run; null where all of it is in the settings. */
  readonly hash: string | null;
  /** Up to when what it begins with has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
  /** Share of what it sees of a photo that a training step does not see. */
  readonly dropout: number;
  /** The learning rate of a parameter where it is not that of the training. */
  learningRateOf(parameter: string): number | null;
  /** The whole way from bytes of photos to embeddings, as `exportEncoder` has it. */
  exported(layout: ParameterLayout, values: Float32Array, learnedUntil: number | null): Model;
  /** What else is written, by the name of its file. */
  alongside(layout: ParameterLayout, values: Float32Array, learnedUntil: number | null): WrittenFiles;
  close(): Promise<void>;
}

type WrittenFiles = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** What most encoders have none of. */
const plain = {
  learningRateOf: () => null,
  alongside: () => ({}),
  close: async () => {},
};

interface Place {
  /** Whole or only its older part: what may be looked at is what is in its training period. */
  readonly dataset: Dataset;
  readonly engine: Engine;
}

/**
 * @throws CourierError CONFIG_INVALID when sizes do not fit each other; for a pretrained network those of opening it, and of
 * computing its features
 */
export async function seeingEncoder(
  config: Pick<ChosenTraining, 'encoder' | 'dataset'>,
  place: Place,
  options: WorkOptions,
): Promise<SeeingEncoder> {
  const { encoder: settings } = config;
  const { images } = place.dataset;
  if (settings.name === 'backbone') return seeingHead(settings, config.dataset, place, options);
  const encoder = createEncoder({ ...settings, side: images.side });
  return {
    encoder,
    photos: images,
    hash: null,
    learnedUntil: null,
    dropout: 0,
    ...plain,
    exported: (layout, values, learnedUntil) => exportEncoder(encoder, layout, values, learnedUntil),
  };
}

async function seeingHead(
  settings: BackboneEncoderConfig,
  folder: string,
  place: Place,
  options: WorkOptions,
): Promise<SeeingEncoder> {
  const { backbone, beside, projection, photos } = await seenByBackbone(settings, folder, place, options);
  const { dimension, dropout, fineTune } = settings;
  const { whitening, grids } = projection;
  const head = featureHead({
    head: settings.head,
    components: whitening.components,
    grids: grids.map(({ tap: { cells }, components }) => ({ cells, components })),
    dimension,
  });
  const merged = (
    network: Backbone,
    ...[layout, values, learnedUntil]: Parameters<SeeingEncoder['exported']>
  ) => mergedEncoder(network, projection, head, layout, values, learnedUntil);
  if (fineTune === null)
    return {
      encoder: head,
      photos,
      hash: backbone.hash,
      learnedUntil: backbone.learnedUntil,
      dropout,
      ...plain,
      exported: (...learned) => merged(backbone, ...learned),
    };
  const network = await trainedNetwork(
    { ...settings, fineTune },
    { folder, ...place },
    beside,
    projection,
    options,
  );
  return {
    ...{ encoder: network.encoder(head), photos: network.photos, hash: network.hash, dropout },
    learnedUntil: backbone.learnedUntil,
    learningRateOf: network.learningRateOf,
    exported: (layout, values, learnedUntil) =>
      merged(sideBySide([network.trained(layout, values).backbone, ...beside]), layout, values, learnedUntil),
    alongside: (layout, values, learnedUntil) => ({
      [fineTunedFile]: network.trained(layout, values).file(learnedUntilMetadata(learnedUntil)),
    }),
    close: network.close,
  };
}

/** A pretrained network, whitening and a head in one. */
function mergedEncoder(
  network: Backbone,
  projection: Projection,
  head: Encoder,
  layout: ParameterLayout,
  values: Float32Array,
  learnedUntil: number | null,
): Model {
  const features = input('features', 'float32', [openLength, network.width]);
  const embeddings = l2Normalize(head.forward(projected(features, projection)));
  const open = { features: photoAxis, embeddings: photoAxis };
  const model = buildExport({ embeddings }, layout, values, open);
  const { side } = network;
  return {
    encode: () => mergeHead(network, model, learnedUntilMetadata(learnedUntil)),
    inputs: { photos: { type: 'uint8', shape: [openLength, side, side, 3] } },
    outputs: { embeddings: { type: 'float32', shape: [openLength, head.dimension] } },
  };
}

/** Of each dataset that is open, by what was asked for: trainings that go on at a time share it. */
const seen = new WeakMap<object, Map<string, ReturnType<typeof openSeen>>>();

/** A pretrained network, and the whitened features of every photo. */
export function seenByBackbone(
  settings: BackboneEncoderConfig,
  folder: string,
  place: Place,
  options: WorkOptions,
): ReturnType<typeof openSeen> {
  const { images } = place.dataset;
  const { head, dropout: _, dimension: __, fineTune: ___, ...rest } = settings;
  const asked = { ...rest, cellComponents: cellComponentsOf(head) };
  const fitted = trainingPhotos(place.dataset);
  const photos = createHash('sha256').update(fitted).digest('hex');
  const key = JSON.stringify({ asked, photos });
  const ofDataset = seen.get(images) ?? new Map<string, ReturnType<typeof openSeen>>();
  seen.set(images, ofDataset);
  const known = ofDataset.get(key);
  if (known !== undefined) return known;
  const opened = openSeen(settings, folder, { ...place, fitted }, options);
  // What failed may be tried again.
  opened.catch(() => ofDataset.delete(key));
  ofDataset.set(key, opened);
  return opened;
}

async function openSeen(
  settings: BackboneEncoderConfig,
  folder: string,
  { dataset: { images }, engine, fitted }: Place & { readonly fitted: Int32Array },
  options: WorkOptions,
) {
  const {
    name: _,
    components,
    whitening: strength,
    beside,
    outlines,
    head,
    dropout: __,
    dimension: ___,
    fineTune: ____,
    ...own
  } = settings;
  const { progress = silent } = options;
  const networks: Backbone[] = [];
  for (const network of [own, ...beside]) networks.push(await openBackbone(network, images.side));
  const cells = outlines === null ? [] : [cellsBackbone(images.side, outlines)];
  const [first, ...others] = networks;
  const looked = [...others, ...cells];
  const backbone = sideBySide([first!, ...looked]);
  for (const text of backbone.understood) progress({ kind: 'note', text });
  const cellComponents = cellComponentsOf(head);
  if (cellComponents !== null && backbone.taps.every(({ layout }) => layout !== 'grid')) throw noGrid();
  const work = { backbone, photos: images, fitted, components, cellComponents, strength, engine };
  const features = await whitenedFeatures({ ...work, folder: `${resolve(folder)}.features` }, options);
  return { backbone, beside: looked, projection: features, photos: rowsOf(features) };
}

function cellComponentsOf(head: FeatureHeadSettings): number | null {
  return head.name === 'grid' ? head.components : null;
}

function noGrid(): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    'The head `grid` sees the cells of grids, and no tap of the backbone is one.',
    'Name a tensor with places in `encoder.taps`, or choose another `encoder.head`.',
  );
}

function rowsOf(features: WhitenedFeatures): SeenPhotos {
  const { rows } = features;
  const width = projectedWidth(features);
  return {
    count: rows.length / width,
    read(wanted, places = wanted.length) {
      const read = new Float32Array(places * width);
      for (let place = 0; place < wanted.length; place++) {
        const row = wanted[place]!;
        read.set(rows.subarray(row * width, (row + 1) * width), place * width);
      }
      return read;
    },
  };
}
