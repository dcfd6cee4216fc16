/** The service and the bare ranker without HTTP, in a process of its own: page views a second of each. */
import { join } from 'node:path';
import { z } from 'zod';
import { Engine } from '../src/runtime/engine.ts';
import { collectForAnswers } from '../src/server/collector.ts';
import { checkRequest } from '../src/serving/check-request.ts';
import { Deployment } from '../src/serving/deployment.ts';
import { openService, serviceDefaults } from '../src/serving/service.ts';
import { parseJson } from '../src/storage/json.ts';
import { viewsOf } from './serve-mix.ts';
import { candidates, readShop } from './serve-shop.ts';

const job = z
  .strictObject({
    shop: z.string(),
    folder: z.string(),
    askers: z.int(),
    seconds: z.number(),
  })
  .parse(parseJson(process.argv[2] ?? ''));
// As the server does, so that HTTP is all that differs.
collectForAnswers();
const shop = await readShop(job.shop);
const views = viewsOf(shop);

/** Runs side by side until time is up; a quarter as long before does not count. @returns of them a second */
async function perSecond(askers: number, run: (number: number) => Promise<unknown>): Promise<number> {
  let done = 0;
  const until = async (end: number) => {
    const asker = async () => {
      while (performance.now() < end) await run(done++);
    };
    await Promise.all(Array.from({ length: askers }, asker));
  };
  await until(performance.now() + 250 * job.seconds);
  done = 0;
  const start = performance.now();
  await until(start + 1000 * job.seconds);
  return (1000 * done) / (performance.now() - start);
}

async function serviceRate(): Promise<number> {
  const state = join(job.folder, 'inside.mdb');
  const service = await openService({ export: shop.served, state, threads: 1 });
  const rate = await perSecond(job.askers, (number) => service.score(views[number % views.length]!));
  await service.close();
  return rate;
}

/** The model alone, on batches that are described already, as large as those of a service. */
async function rankerRate(): Promise<number> {
  const engine = Engine.start({ threads: 1 });
  const deployment = await Deployment.open(shop.served, engine, serviceDefaults);
  const viewsInBatch = Math.floor(serviceDefaults.batchRows / candidates);
  const described = views.slice(0, viewsInBatch).map((request) => {
    const { view, numeric } = checkRequest(request, deployment, Date.now());
    return deployment.state.describe(view, numeric).columns;
  });
  const rate = await perSecond(2, () => deployment.ranker.scoreColumns(described));
  await deployment.release();
  await engine.close();
  return rate * viewsInBatch;
}

process.stdout.write(JSON.stringify({ service: await serviceRate(), ranker: await rankerRate() }));
