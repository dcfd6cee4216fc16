/** The demo: a generated shop through the whole pipeline, with the truth known at the end. */
import { join } from 'node:path';
import { parseConfig } from '../config.ts';
import type { Dataset } from '../data/dataset.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import type { AttendedClick } from '../evaluation/attention.ts';
import { compare } from '../pipelines/compare/index.ts';
import type { WorkOptions } from '../progress.ts';
import type { AttentionCheck, Report } from '../report/report.ts';
import { loadTruth, sharesTaste, type Truth } from '../shop/truth.ts';
import { withOutputFolder } from '../storage/lock.ts';
import { type DemoConfig, type DemoConfigInput, demoConfig } from './config.ts';
import { shopDataset } from './shop-dataset.ts';

/**
 * Generates a shop, ingests it, pre-trains, compares, and checks the attention against the known tastes.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function demo(settings: DemoConfigInput, options: WorkOptions = {}): Promise<Report> {
  const config = parseConfig(demoConfig, settings, 'demo configuration');
  return withOutputFolder(config.out, () => demoIn(config, options));
}

async function demoIn(config: DemoConfig, options: WorkOptions): Promise<Report> {
  const { dataset, truth } = await shopDataset(config, options);
  const { report, attended } = await compare(
    { ...config.compare, dataset, out: join(config.out, 'run') },
    options,
  );
  const loaded = await loadDataset(dataset);
  closeDataset(loaded);
  const title = 'What images add in a generated shop';
  return { ...report, title, attention: checkAttention(attended, loaded, await loadTruth(truth)) };
}

/**
 * How often the largest weight lies on an earlier click that was made for the same taste. Counted are the
 * clicks with a taste behind them whose history holds both a click that shares it and one that does not;
 * chance is the mean share of the places that do.
 * @returns null when there is no such click
 */
export function checkAttention(
  attended: readonly AttendedClick[],
  { catalogue, users, pageViews }: Pick<Dataset, 'catalogue' | 'users' | 'pageViews'>,
  truth: Truth,
): AttentionCheck | null {
  let [clicks, hits, chance] = [0, 0, 0];
  for (const { pageView, item, history } of attended) {
    const user = users[pageViews.user[pageView]!]!;
    const time = pageViews.time[pageView]!;
    const click = truth.clickAt(user, catalogue.ids[item]!, time);
    const shares = history.map(({ item: earlier }) => {
      const before = truth.clickBefore(user, catalogue.ids[earlier]!, time);
      return click !== undefined && before !== undefined && sharesTaste(click, before);
    });
    const share = shares.filter(Boolean).length / shares.length;
    if (!(share > 0 && share < 1)) continue;
    const heaviest = history.reduce(
      (best, { weight }, place) => (weight > history[best]!.weight ? place : best),
      0,
    );
    clicks++;
    chance += share;
    if (shares[heaviest] === true) hits++;
  }
  return clicks === 0 ? null : { clicks, hitRate: hits / clicks, chance: chance / clicks };
}
