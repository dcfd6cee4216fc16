/** A ranker after a few steps on the tiny log, in which some items have no photo. */

import { NONE } from '../../src/data/dataset.ts';
import type { ItemCodes } from '../../src/data/embeddings/clusters.ts';
import { createFeature, featureSet } from '../../src/features/index.ts';
import { ItemEmbeddings } from '../../src/features/item-embeddings.ts';
import { BatchAssembler } from '../../src/rankers/batch.ts';
import { type RankerConfigInput, rankerConfig } from '../../src/rankers/config.ts';
import type { ExportedFrom } from '../../src/rankers/export.ts';
import { rowsOfSplit } from '../../src/rankers/fields.ts';
import { RankerModel } from '../../src/rankers/model.ts';
import type { Engine } from '../../src/runtime/engine.ts';
import { itemCodes, tinyLog } from './tiny-log.ts';

const { data, embeddings } = tinyLog();
const hasPhoto = (item: number) => item % 7 !== 0;

/** The caller releases the ranker. @param features `none`, or a set */
export async function smallRanker(
  features: string,
  engine: Engine,
  options: RankerConfigInput = {},
): Promise<ExportedFrom> {
  const config = rankerConfig.parse({
    minimumCount: 2,
    batchSize: 250,
    embeddingDimension: 4,
    hiddenWidths: [16],
    attentionWidth: 8,
    learningRate: 0.01,
    ...options,
  });
  const inputs = {
    embeddings: sparseEmbeddings(),
    clusters: [sparseCodes('cluster_6', 6)],
    semanticIds: [sparseCodes('semantic_1', 3), sparseCodes('semantic_2', 2)],
  };
  const feature = features === 'none' ? null : createFeature(featureSet(features), data, inputs);
  const train = rowsOfSplit(data, 'train');
  const assembler = new BatchAssembler(data, feature, train, config);
  const model = await RankerModel.create(assembler, config, 1, engine);
  for (let from = 0; from < train.length; from += config.batchSize) {
    await model.train(await model.prepare(assembler.assemble(train.subarray(from, from + config.batchSize))));
  }
  const { scorer } = model;
  const release = () => model.release();
  const ranker = { scorer, assembler, feature, weights: await model.weights(), release };
  return {
    ranker,
    config,
    dataset: { ...data, name: 'tiny log', hash: '0'.repeat(64) },
    seed: 1,
    learnedUntil: null,
    images: null,
  };
}

function sparseEmbeddings(): ItemEmbeddings {
  const { dimension, vectors } = embeddings;
  const kept = vectors.filter((_, at) => hasPhoto(Math.floor(at / dimension)));
  const ids = data.catalogue.ids.filter((_, item) => hasPhoto(item));
  return ItemEmbeddings.forCatalogue(data.catalogue, ids, kept);
}

function sparseCodes(name: string, count: number): ItemCodes {
  const whole = itemCodes(name, count, data);
  return { ...whole, codes: whole.codes.map((code, item) => (hasPhoto(item) ? code : NONE)) };
}
