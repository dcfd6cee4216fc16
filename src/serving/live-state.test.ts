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

  function described(time: number) {
    const { state } = deployment;
    const candidates = state.catalogue.ids.slice(0, 20);
    const view = { user: 'nobody', time, context: [], history: [], candidates, images: true };
    return { ids: candidates, ...state.describe(view) };
  }

  it('that nobody told of anything for a year is described as of the longest silence that the log has', () => {
    const { until, silence } = deployment.manifest;
    const [late, later] = [described(until + 365 * day), described(until + 730 * day)];
    expect([late.time, later.time]).toEqual([until + silence, until + silence]);
    expect(later.base).toEqual(late.base);
    expect(described(until).time).toBe(until + silence);
  });

  it('a year later shows the ranker nothing that the dataset does not', () => {
    const { state, manifest } = deployment;
    const [item = ''] = state.catalogue.ids;
    const time = manifest.until + 365 * day;
    state.apply({ kind: 'exposure', user: 'somebody', item, time }, null);
    const { ids, base, columns, ...view } = described(time);
    expect([view.time, state.heard]).toEqual([time, time]);
    const names = manifest.ranges.map(({ name }) => state.baseNames.indexOf(name));
    const width = state.baseNames.length;
    const isBeyond = (value: number, place: number) => {
      const { least, most } = manifest.ranges[place]!;
      return value < least || value > most;
    };
    let beyond = 0;
    for (const row of ids.keys())
      for (const [place, at] of names.entries()) {
        const [known, taken] = [base[row * width + at]!, columns.dense[row * names.length + place]!];
        expect(isBeyond(taken, place)).toBe(false);
        if (isBeyond(known, place)) beyond += 1;
        else expect(taken).toBe(known);
      }
    expect(beyond).toBeGreaterThan(0);
  });
});
