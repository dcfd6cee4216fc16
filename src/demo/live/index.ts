/** The live demo: a generated shop is served by two arms, and the experiment tells which is better. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseConfig } from '../../config.ts';
import {
  type ExperimentResult,
  experimentReport,
  writeExperimentReport,
} from '../../pipelines/experiment/index.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import type { SimulationReport } from '../../report/experiment.ts';
import { CourierClient } from '../../server/client.ts';
import { startServer } from '../../server/server.ts';
import { beginOf, endOf, type Season } from '../../shop/shoppers.ts';
import { prepareOutputFolder, writeJson } from '../../storage/files.ts';
import { withOutputFolder } from '../../storage/lock.ts';
import { shopDataset } from '../shop-dataset.ts';
import { type LiveConfig, type LiveConfigInput, liveConfig } from './config.ts';
import { type ArmExports, armExports } from './exports.ts';
import type { Observer } from './observer.ts';
import { simulate } from './simulation.ts';

/** Nobody waits so long; a machine that does other work as well may. Milliseconds. */
const deadline = 60_000;

/**
 * Generates a shop, trains and exports a ranker without and one with images, starts a server on a free port of this machine with
 * an experiment of both, has simulated shoppers visit it, and reports on what the server recorded. What is trained stays; visits
 * begin anew each time.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function demoLive(
  settings: LiveConfigInput,
  options: WorkOptions = {},
): Promise<ExperimentResult> {
  const config = parseConfig(liveConfig, settings, 'live demo configuration');
  return withOutputFolder(config.out, async () => {
    const { dataset } = await shopDataset(config, options);
    const served = await armExports(dataset, config, options);
    const { days } = config;
    // The day in between is that of the training.
    const season = { from: config.shop.days + 1, days, pageViews: config.pageViews };
    const definition = join(config.out, 'experiment.json');
    await writeJson(definition, definitionOf(season, served));
    const visits = join(config.out, 'visits');
    const outcomes = join(visits, 'outcomes');
    const observer = await serve(config, { served, definition, visits, outcomes, season }, options);
    const simulation = observer.report(armsOf(served));
    return report(config.out, { definition, outcomes, simulation }, options);
  });
}

/** Names, that of control first. */
function armsOf({ images }: ArmExports): readonly [string, string] {
  return ['control', images === null ? 'same' : 'images'];
}

function definitionOf(season: Season, served: ArmExports) {
  const [control, treatment] = armsOf(served);
  const { images } = served;
  return {
    name: 'images in a generated shop',
    salt: 'live demo',
    start: new Date(beginOf(season)).toISOString(),
    end: new Date(endOf(season)).toISOString(),
    plannedDays: season.days,
    primaryMetric: 'gmv',
    arms: [
      // What everybody else is answered by.
      { name: control, share: 0.5, serves: {} },
      { name: treatment, share: 0.5, serves: images === null ? {} : { export: images } },
    ],
  };
}

interface Served {
  readonly served: ArmExports;
  readonly definition: string;
  /** Folder of what the server keeps. */
  readonly visits: string;
  readonly outcomes: string;
  readonly season: Season;
}

async function serve(
  config: LiveConfig,
  { served, definition, visits, outcomes, season }: Served,
  options: WorkOptions,
): Promise<Observer> {
  await rm(visits, { recursive: true, force: true });
  await prepareOutputFolder(visits);
  const log = createWriteStream(join(visits, 'server.log'));
  try {
    const server = await startServer(
      {
        ...{ export: served.control, state: join(resolve(visits), 'state.mdb') },
        ...{ port: 0, experiment: definition, outcomes, deadline, logLevel: 'warn' },
      },
      { log: { write: (line) => void log.write(line) } },
    );
    const { progress = silent } = options;
    progress({ kind: 'note', text: `Listening on ${server.url}` });
    try {
      return await simulate(new CourierClient({ url: server.url }), config, season, options);
    } finally {
      await server.close();
    }
  } finally {
    log.end();
    await finished(log);
  }
}

interface Recorded {
  readonly definition: string;
  readonly outcomes: string;
  readonly simulation: SimulationReport;
}

/** What `courier experiment report` says of the server's record, and what is known besides of shoppers that are simulated. */
async function report(
  out: string,
  { definition, outcomes, simulation }: Recorded,
  options: WorkOptions,
): Promise<ExperimentResult> {
  const files = (kind: string) => ({ path: join(outcomes, kind), event: 'event' });
  const { report } = await experimentReport(
    {
      ...{ definition, out: join(out, 'report'), daysBefore: 0 },
      exposures: { ...files('exposures'), experiment: 'experiment' },
      ...{ clicks: files('clicks'), orders: files('orders') },
    },
    options,
  );
  return writeExperimentReport(join(out, 'report'), { ...report, simulation });
}
