/** Every visual feature, under the name that selects it. A ranker without images takes none of them. */
import { z } from 'zod';
import type { FeatureData } from '../data/dataset.ts';
import { type VisualFeature, widthOf } from '../data/visual-feature.ts';
import { attentionCosine } from './attention-cosine.ts';
import { clusterId } from './cluster-id.ts';
import type { CreateFeature, VisualInputs } from './feature.ts';
import { semanticId } from './semantic-id.ts';
import { simRetrieved } from './sim-retrieved.ts';
import { simScore } from './sim-score.ts';
import { simTier } from './sim-tier.ts';
import { vector } from './vector.ts';

export const featureNames = [
  'vector',
  'sim-score',
  'sim-tier',
  'sim-retrieved',
  'attention-cosine',
  'cluster-id',
  'semantic-id',
] as const;
export type FeatureName = (typeof featureNames)[number];

export const visualFeatures: Readonly<Record<FeatureName, CreateFeature>> = {
  vector,
  'sim-score': simScore,
  'sim-tier': simTier,
  'sim-retrieved': simRetrieved,
  'attention-cosine': attentionCosine,
  'cluster-id': clusterId,
  'semantic-id': semanticId,
};

/** Ways of feeding images that a ranker takes together, such as `sim-score+cluster-id`. */
export type FeatureSet = readonly FeatureName[];

const separator = '+';
const names = z.array(z.enum(featureNames)).min(1);

/** @returns null where a word is no feature, or comes twice */
function parseSet(text: string): FeatureSet | null {
  const parsed = names.safeParse(text.split(separator));
  return parsed.success && new Set(parsed.data).size === parsed.data.length ? parsed.data : null;
}

/** A feature set as its text, checked. */
export const featureSetText = z.string().refine((text) => parseSet(text) !== null, {
  error: `must be ${featureNames.join(', ')}, or several of them joined by ${separator}`,
});

/** @throws Error for a text that `featureSetText` refuses */
export function featureSet(text: string): FeatureSet {
  const set = parseSet(text);
  if (set === null) throw new Error(`${text} is no set of features`);
  return set;
}

/** All features of a set as one: their dense values side by side, the codes of all, and nearness if one has it. */
export function createFeature(set: FeatureSet, data: FeatureData, inputs: VisualInputs): VisualFeature {
  const parts = set.map((name) => visualFeatures[name](data, inputs));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : sideBySide(parts);
}

function sideBySide(parts: readonly VisualFeature[]): VisualFeature {
  const groups = parts.flatMap((part) => part.groups);
  const width = widthOf({ groups });
  return {
    name: parts.map(({ name }) => name).join(separator),
    groups,
    codes: parts.flatMap(({ codes }) => codes),
    fillNearness: parts.find(({ fillNearness }) => fillNearness !== null)?.fillNearness ?? null,
    fill(rows, out) {
      let offset = 0;
      for (const part of parts) {
        const own = widthOf(part);
        const values = new Float32Array(rows.length * own);
        part.fill(rows, values);
        for (let index = 0, from = 0; index < rows.length; index++)
          for (let place = 0, at = index * width + offset; place < own; place++) out[at++] = values[from++]!;
        offset += own;
      }
    },
  };
}
