import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOf, servedShop } from '../../test/support/served-shop.ts';
import { Engine } from '../runtime/engine.ts';
import { Deployment } from './deployment.ts';
import { serviceDefaults } from './service.ts';

const day = 86_400_000;

describe('a page view', () => {
  let folder: string;
  let engine: Engine;
  let deployment: Deployment;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    engine = Engine.start({ threads: 1 });
    const { served } = await exportOf(await servedShop(folder), { name: 'ranges', features: 'none' });
    deployment = await Deployment.open(served, engine, serviceDefaults);
  });
  afterAll(async () => {
    await deployment.release();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  function inputsAt(time: number) {
    const { state, manifest } = deployment;
    const candidates = state.catalogue.ids.slice(0, 20);
    const view = { user: 'nobody', time, context: [], history: [], candidates, images: true };
    const { base, columns } = state.describe(view);
    const names = manifest.ranges.map(({ name }) => state.baseNames.indexOf(name));
    const width = state.baseNames.length;
    const rows = candidates.map((_, row) => ({
      known: names.map((at) => base[row * width + at]!),
      taken: [...columns.dense.subarray(row * names.length, (row + 1) * names.length)],
    }));
    const isBeyond = (value: number, place: number) => {
      const { least, most } = manifest.ranges[place]!;
      return value < least || value > most;
    };
    return { rows, isBeyond };
  }

  it('a year after the end of the log shows the ranker nothing that the dataset does not', () => {
    const { rows, isBeyond } = inputsAt(deployment.manifest.until + 365 * day);
    expect(rows.some(({ known }) => known.some(isBeyond))).toBe(true);
    expect(rows.some(({ taken }) => taken.some(isBeyond))).toBe(false);
    // All else is as it is known.
    for (const { known, taken } of rows)
      for (const [place, value] of known.entries())
        if (!isBeyond(value, place)) expect(taken[place]).toBe(value);
  });
});
