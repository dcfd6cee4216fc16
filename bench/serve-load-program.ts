/**
 * Asks a server at a fixed rate whatever it answers, in a process of its own, and says what came of it. The time of an answer
 * counts from when its request was due: one that had to wait for a slow generator or a slow server has waited.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { quantile } from '../src/metrics/quantile.ts';
import { parseJson } from '../src/storage/json.ts';
import { type Answers, type Load, loadOf } from './serve-load.ts';
import { type Kind, type Prepared, preparer } from './serve-mix.ts';
import { readShop } from './serve-shop.ts';

/** What became of the requests of a kind. */
class Tally {
  asked = 0;
  retryAfter = 0;
  failed = 0;
  readonly milliseconds: number[] = [];
  readonly statuses = new Map<number, number>();

  answered(status: number, milliseconds: number, saysWhen: boolean): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status < 300) this.milliseconds.push(milliseconds);
    if (saysWhen) this.retryAfter += 1;
  }

  summary(): Answers['kinds'][Kind] {
    const sorted = Float64Array.from(this.milliseconds).sort();
    const at = (level: number) => (sorted.length === 0 ? 0 : quantile(sorted, level));
    return {
      asked: this.asked,
      failed: this.failed,
      retryAfter: this.retryAfter,
      statuses: Object.fromEntries(this.statuses),
      ...{ p50: at(0.5), p99: at(0.99), most: sorted.at(-1) ?? 0 },
    };
  }
}

type Tallies = Readonly<Record<Kind, Tally>>;

function tallies(): Tallies {
  return { score: new Tally(), events: new Tally(), similar: new Tally(), embed: new Tally() };
}

/** @returns when the answer is there, or there will be none; never rejects */
function ask(
  pool: Pool,
  { kind, method, path, type, body }: Prepared,
  due: number,
  into: Tallies,
): Promise<void> {
  const tally = into[kind];
  tally.asked += 1;
  return new Promise((resolve) => {
    let [status, saysWhen] = [0, false];
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_controller, code, headers) {
        status = code;
        saysWhen = headers['retry-after'] !== undefined;
      },
      onResponseData() {},
      onResponseEnd() {
        tally.answered(status, performance.now() - due, saysWhen);
        resolve();
      },
      onResponseError() {
        tally.failed += 1;
        resolve();
      },
    };
    const headers = body === null ? {} : { 'content-type': type };
    pool.dispatch({ method, path, headers, body }, handler);
  });
}

/** Requests that are due one after the other, each sent when it is, or as soon after as this process can. */
async function openLoop(pool: Pool, next: () => Prepared, rate: number, seconds: number, into: Tallies) {
  const start = performance.now();
  const count = Math.round(rate * seconds);
  const answers = new Set<Promise<void>>();
  for (let sent = 0; sent < count; ) {
    const due = start + (1000 * sent) / rate;
    if (due > performance.now()) {
      await sleep(1);
      continue;
    }
    const answer = ask(pool, next(), due, into);
    answers.add(answer);
    void answer.then(() => answers.delete(answer));
    sent += 1;
  }
  await Promise.all(answers);
}

/** So many askers, each of whom asks again when it is answered. */
async function closedLoop(pool: Pool, next: () => Prepared, askers: number, seconds: number, into: Tallies) {
  const end = performance.now() + 1000 * seconds;
  const asker = async () => {
    while (performance.now() < end) await ask(pool, next(), performance.now(), into);
  };
  await Promise.all(Array.from({ length: askers }, asker));
}

async function run({ url, shop, mix, name, arrivals, warmUp, seconds }: Load): Promise<Answers> {
  // As many connections as there are requests without an answer.
  const pool = new Pool(url, { connections: null, pipelining: 1 });
  const next = await preparer(await readShop(shop), mix, name);
  const loop = (length: number, into: Tallies) =>
    arrivals.kind === 'rate'
      ? openLoop(pool, next, arrivals.rate, length, into)
      : closedLoop(pool, next, arrivals.askers, length, into);
  await loop(warmUp, tallies());
  const into = tallies();
  const [start, before] = [performance.now(), process.cpuUsage()];
  await loop(seconds, into);
  const used = process.cpuUsage(before);
  const lasted = (performance.now() - start) / 1000;
  await pool.close();
  return {
    kinds: {
      score: into.score.summary(),
      events: into.events.summary(),
      similar: into.similar.summary(),
      embed: into.embed.summary(),
    },
    seconds: lasted,
    cores: (used.user + used.system) / 1e6 / lasted,
  };
}

const answers = await run(loadOf(parseJson(process.argv[2] ?? '')));
process.stdout.write(JSON.stringify(answers));
