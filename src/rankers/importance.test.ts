import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { createFeature, featureSet } from '../features/index.ts';
import { silent } from '../progress.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import { rankerConfig } from './config.ts';
import { rowsOfSplit } from './fields.ts';
import { permutationImportance } from './importance.ts';
import { trainRanker } from './train.ts';

const { data, embeddings } = tinyLog();

describe('permutation importance', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 2 });
  });
  afterAll(() => engine.close());

  it.each(['sim-score', 'attention-cosine'])(
    'is large for the input that a rule needs, %s, and next to nothing for noise',
    async (set) => {
      const feature = createFeature(featureSet(set), data, {
        embeddings,
        clusters: [],
        semanticIds: [],
      });
      const config = rankerConfig.parse({
        minimumCount: 2,
        batchSize: 250,
        epochs: set === 'sim-score' ? 3 : 8,
        hiddenWidths: [16],
      });
      const training = { dataset: data, feature, config, seed: 1, engine, progress: silent, base: null };
      const course = { rows: rowsOfSplit(data, 'train'), course: 'passes' } as const;
      const kept = { ...course, signal: undefined, checkpoint: null };
      const { model, assembler } = await trainRanker({ ...training, ...kept });
      const rows = rowsOfSplit(data, 'validation');
      const importance = await permutationImportance(
        model.scorer,
        assembler,
        data,
        rows,
        'what photos add',
        Random.seeded(1, 'importance'),
      );
      const before = await model.scorer.score(rows);
      expect(importance.map(({ input }) => input).sort()).toEqual([
        'constant',
        'device',
        'item',
        'kind',
        'noise',
        'user',
        'what photos add',
      ]);
      expect(importance[0]).toMatchObject({ input: 'what photos add', visual: true });
      expect(importance[0]?.loss).toBeGreaterThan(0.3);
      for (const { loss } of importance.slice(1)) expect(Math.abs(loss)).toBeLessThan(0.05);
      expect(importance.find(({ input }) => input === 'constant')?.loss).toBe(0);
      expect(await model.scorer.score(rows)).toEqual(before);
      await model.release();
    },
  );
});
