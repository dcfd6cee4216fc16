import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { referenceDir } from '../../test/support/reference.ts';
import { auc, gauc } from './auc.ts';
import { logLoss } from './probability.ts';

const reference = z
  .object({
    user: z.array(z.int()),
    score: z.array(z.number()),
    label: z.array(z.literal([0, 1])),
    auc: z.number(),
    gauc_impressions: z.number(),
    gauc_users_counted: z.int(),
    log_loss: z.number(),
  })
  .parse(JSON.parse(await readFile(join(referenceDir(), 'metrics.json'), 'utf8')));

const scores = Float64Array.from(reference.score);
const labels = Uint8Array.from(reference.label);

describe('the metrics of scikit-learn', () => {
  it('give the same AUC within 1e-9', () => {
    expect(Math.abs(auc(scores, labels) - reference.auc)).toBeLessThan(1e-9);
  });

  it('give the same impression-weighted GAUC within 1e-9, over the same users', () => {
    const result = gauc(scores, labels, Int32Array.from(reference.user));
    expect(Math.abs(result.gauc - reference.gauc_impressions)).toBeLessThan(1e-9);
    expect(result.groupsCounted).toBe(reference.gauc_users_counted);
    expect(result.groupsCounted + result.groupsLeftOut).toBe(new Set(reference.user).size);
  });

  it('give the same log loss within 1e-9', () => {
    expect(Math.abs(logLoss(scores, labels) - reference.log_loss)).toBeLessThan(1e-9);
  });
});
