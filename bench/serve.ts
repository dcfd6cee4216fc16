/**
 * What HTTP costs: page views of 50 candidates and 50 earlier clicks through `courier serve`, beside the service in a process
 * without HTTP and the model alone, all on one core, while the generator has another. Then times of answers at half of what the
 * server can, and what becomes of three times as much.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { parseJson } from '../src/storage/json.ts';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';
import { type Answers, answersTo, type Load, succeeded } from './serve-load.ts';
import { kinds } from './serve-mix.ts';
import { nodeWords, type ServerProcess, startServerProcess } from './serve-process.ts';
import { measuredShop, readShop } from './serve-shop.ts';

const inside = fileURLToPath(new URL('serve-inside-program.ts', import.meta.url));
const taskset = '/usr/bin/taskset';

/** Who computes on which core. */
const cores = { server: 0, generator: 1 } as const;

/** Requests at a time where as many are asked as can be answered: enough for full batches, and no more than a queue takes. */
const askers = 64;

const seconds = { saturation: 10, single: 5, half: 20, mixed: 120, overload: 20, after: 10 } as const;

export const serve: Benchmark = async ({ rounds, only, say }) => {
  if (!existsSync(taskset)) return { rows: [], missing: ['taskset'] };
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  try {
    const shop = await measuredShop(folder);
    const { served } = await readShop(shop);
    say('the shop is exported');
    const rows: Row[] = [];
    const open = (core: number | null) => {
      const state = join(folder, `${rows.length}-${core}.mdb`);
      return startServerProcess(folder, { export: served, state, threads: 1 }, core);
    };
    const server = await open(cores.server);
    try {
      const load = loadOn(server, shop, cores.generator);
      const { saturation, rows: ofSaturation } = await saturated(folder, shop, load, rounds);
      rows.push(...ofSaturation);
      if ('half'.includes(only)) rows.push(...(await atHalf(load, saturation)));
      if ('mixed'.includes(only)) rows.push(...(await mixedAtHalf(load, server, saturation)));
      if ('overload'.includes(only)) rows.push(...(await overloaded(load, server, saturation)));
    } finally {
      await server.close();
    }
    if ('shared'.includes(only)) {
      const both = await open(null);
      rows.push(...(await sharedCores(loadOn(both, shop, null)).finally(() => both.close())));
    }
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

type LoadOn = (job: Omit<Load, 'url' | 'shop' | 'warmUp'>) => Promise<Answers>;

function loadOn({ url }: ServerProcess, shop: string, core: number | null): LoadOn {
  return (job) => answersTo({ ...job, url, shop, warmUp: 2 }, core);
}

/** The server, the service and the model take turns. The saturation is page views a second of the server. */
async function saturated(
  folder: string,
  shop: string,
  load: LoadOn,
  rounds: number,
): Promise<{ readonly saturation: number; readonly rows: readonly Row[] }> {
  const rates: Record<'http' | 'service' | 'ranker', number[]> = { http: [], service: [], ranker: [] };
  const generator: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const job = { shop, folder, askers, seconds: seconds.saturation / 2 };
    const [node = '', ...words] = nodeWords(cores.server, inside, [JSON.stringify(job)]);
    const { stdout } = await promisify(execFile)(node, words);
    const { service, ranker } = insideRates.parse(parseJson(stdout));
    const answers = await load({
      mix: 'score',
      name: `saturation ${round}`,
      arrivals: { kind: 'askers', askers },
      seconds: seconds.saturation,
    });
    requireAll(answers);
    rates.http.push(answers.kinds.score.asked / answers.seconds);
    rates.service.push(service);
    rates.ranker.push(ranker);
    generator.push(answers.cores);
  }
  const { http, service, ranker } = rates;
  const row = rowOf('page views through HTTP, one core', '/s', 'higher', http, {
    'the service without HTTP': service,
    'the model alone': ranker,
  });
  const meanwhile = rowOf('the generator meanwhile', 'cores', 'lower', generator, {});
  return { saturation: row.ours, rows: [row, meanwhile] };
}

const insideRates = z.strictObject({ service: z.number(), ranker: z.number() });

/** @throws Error for answers that are no success, which would make a rate of nothing */
function requireAll({ kinds: { score } }: Answers): void {
  if (succeeded(score) !== score.asked) throw new Error(`not all was answered: ${JSON.stringify(score)}`);
}

async function atHalf(load: LoadOn, saturation: number): Promise<readonly Row[]> {
  const single = await load({
    mix: 'score',
    name: 'single',
    arrivals: { kind: 'askers', askers: 1 },
    seconds: seconds.single,
  });
  const half = await load({
    mix: 'score',
    name: 'half',
    arrivals: { kind: 'rate', rate: saturation / 2 },
    seconds: seconds.half,
  });
  requireAll(half);
  const of = single.kinds.score;
  return [
    rowOf('one request at a time: p50', 'ms', 'lower', [of.p50], {}),
    rowOf('one request at a time: p99', 'ms', 'lower', [of.p99], {}),
    rowOf('half of saturation: p50', 'ms', 'lower', [half.kinds.score.p50], {}),
    rowOf('half of saturation: p99', 'ms', 'lower', [half.kinds.score.p99], { 'one request': [of.p50] }),
  ];
}

/** As many requests of all kinds as half of what page views alone could be. */
async function mixedAtHalf(load: LoadOn, server: ServerProcess, saturation: number): Promise<readonly Row[]> {
  const arrivals = { kind: 'rate', rate: saturation / 2 } as const;
  const memory = memoryOf(server);
  const answers = await load({ mix: 'mixed', name: 'mixed', arrivals, seconds: seconds.mixed });
  const { first, last, most } = await memory.stop();
  const times = kinds.flatMap((kind) => {
    const { asked, p50, p99, most: longest } = answers.kinds[kind];
    const name = `mixed, ${kind}`;
    return [
      rowOf(`${name}: asked`, 'requests', 'higher', [asked], {}),
      rowOf(`${name}: not answered`, 'requests', 'lower', [asked - succeeded(answers.kinds[kind])], {}),
      rowOf(`${name}: p50`, 'ms', 'lower', [p50], {}),
      rowOf(`${name}: p99`, 'ms', 'lower', [p99], {}),
      rowOf(`${name}: longest`, 'ms', 'lower', [longest], {}),
    ];
  });
  return [...times, ...memoryRows('mixed', { first, last, most })];
}

async function overloaded(load: LoadOn, server: ServerProcess, saturation: number): Promise<readonly Row[]> {
  const memory = memoryOf(server);
  const three = await load({
    mix: 'score',
    name: 'overload',
    arrivals: { kind: 'rate', rate: 3 * saturation },
    seconds: seconds.overload,
  });
  const seen = await memory.stop();
  const after = await load({
    mix: 'score',
    name: 'after',
    arrivals: { kind: 'rate', rate: saturation / 2 },
    seconds: seconds.after,
  });
  const { score } = three.kinds;
  const shed = score.statuses['503'] ?? 0;
  const others = score.asked - succeeded(score) - shed;
  const again = after.kinds.score;
  return [
    rowOf('three times saturation: answered', '/s', 'higher', [succeeded(score) / three.seconds], {}),
    rowOf('three times saturation: p99 of what was answered', 'ms', 'lower', [score.p99], {}),
    rowOf('three times saturation: shed with 503', '/s', 'higher', [shed / three.seconds], {}),
    rowOf(
      'three times saturation: of them with Retry-After',
      'share',
      'higher',
      [score.retryAfter / shed],
      {},
    ),
    rowOf('three times saturation: ended otherwise', 'requests', 'lower', [others], {}),
    rowOf('three times saturation: the generator', 'cores', 'lower', [three.cores], {}),
    ...memoryRows('three times saturation', seen),
    rowOf(
      'afterwards, half of saturation: not answered',
      'requests',
      'lower',
      [again.asked - succeeded(again)],
      {},
    ),
    rowOf('afterwards, half of saturation: p99', 'ms', 'lower', [again.p99], {}),
  ];
}

/** Nobody has a core of their own: what a generator on the same machine costs. */
async function sharedCores(load: LoadOn): Promise<readonly Row[]> {
  const answers = await load({
    mix: 'score',
    name: 'shared',
    arrivals: { kind: 'askers', askers },
    seconds: seconds.saturation,
  });
  const rate = answers.kinds.score.asked / answers.seconds;
  return [
    rowOf('page views through HTTP, all cores, with the generator', '/s', 'higher', [rate], {}),
    rowOf('the generator among all cores', 'cores', 'lower', [answers.cores], {}),
  ];
}

interface Memory {
  readonly first: number;
  readonly last: number;
  readonly most: number;
}

/** Looks at a server's memory each second until it is told to stop. */
function memoryOf(server: ServerProcess): { stop(): Promise<Memory> } {
  const seen: number[] = [];
  let isOver = false;
  const looked = (async () => {
    while (!isOver) {
      seen.push(await server.residentMebibytes());
      await sleep(1000);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await looked;
      return { first: seen[0] ?? 0, last: seen.at(-1) ?? 0, most: Math.max(...seen) };
    },
  };
}

function memoryRows(name: string, { first, last, most }: Memory): readonly Row[] {
  return [
    rowOf(`${name}: memory before`, 'MiB', 'lower', [first], {}),
    rowOf(`${name}: memory at most`, 'MiB', 'lower', [most], {}),
    rowOf(`${name}: memory at the end`, 'MiB', 'lower', [last], {}),
  ];
}
