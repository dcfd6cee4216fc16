/** What Prometheus reads. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Drift, ServiceStatistics } from '../serving/requests.ts';
import type { BodyMemory } from './admission.ts';
import type { Arms } from './arms.ts';

type Totals = ServiceStatistics['totals'];

/** Names and meanings of totals. */
const totals: readonly (readonly [name: string, help: string, of: (totals: Totals) => number])[] = [
  ['page_views', 'Page views that were scored', ({ requests }) => requests],
  ['candidates', 'Candidates that were scored', ({ exposures }) => exposures],
  ['overloaded', 'Score requests refused because too many waited', ({ overloaded }) => overloaded],
  ['late', 'Score requests whose deadline passed', ({ late }) => late],
  ['events', 'Events that were recorded', ({ events }) => events],
  ['known_events', 'Events that came again under their id', ({ knownEvents }) => knownEvents],
  ['batches', 'Runs of the model', ({ batches }) => batches],
  ['batched_rows', 'Candidates in runs of the model', ({ batchedRows }) => batchedRows],
  ['swaps', 'Exports that were swapped in', ({ swaps }) => swaps],
];

export class Metrics {
  readonly #registry = new Registry();
  readonly #duration = new Histogram({
    name: 'courier_http_request_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers: [this.#registry],
  });
  readonly #problems = new Counter({
    name: 'courier_http_problems_total',
    help: 'Requests that were not answered, by the code of their problem',
    labelNames: ['code'],
    registers: [this.#registry],
  });

  constructor(arms: Arms, bodies: BodyMemory) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('courier_http_body_bytes', 'Bytes of bodies in memory', () => [['', bodies.bytes]]);
    const each = (value: (statistics: ServiceStatistics) => number | null) => () =>
      arms.services.map(({ arm, service }) => [arm ?? '', value(service.statistics())] as const);
    for (const [name, help, of] of totals)
      this.#total(
        `courier_${name}_total`,
        help,
        each((statistics) => of(statistics.totals)),
      );
    this.#gauge(
      'courier_queued_rows',
      'Candidates that wait or are computed',
      each((s) => s.queuedRows),
    );
    this.#gauge(
      'courier_items',
      'Items in the catalogue',
      each((s) => s.items),
    );
    this.#gauge(
      'courier_users',
      'Users that are known',
      each((s) => s.users),
    );
    this.#gauge(
      'courier_export_until_seconds',
      'Up to where the export knows everything, seconds since 1970',
      each((s) => s.export.until / 1000),
    );
    this.#gauge(
      'courier_log_position',
      'Up to where the log was read',
      each((s) => s.state.position),
    );
    this.#gauge(
      'courier_log_read_seconds',
      'When the log was read last, seconds since 1970',
      each((s) => s.state.readAt / 1000),
    );
    this.#gauge(
      'courier_heard_seconds',
      'Up to when the shop was heard of, by events and the export, seconds since 1970',
      each((s) => s.state.heard / 1000),
    );
    this.#gauge(
      'courier_log_problem',
      '1 while the log cannot be read or shortened',
      each((s) => (s.state.problem === null ? 0 : 1)),
    );
    const drift =
      'Population stability index against the validation period: below 0.1 the same, above 0.25 another';
    const indexOf = (of: Drift | null) => of?.stabilityIndex ?? null;
    this.#gauge(
      'courier_drift_scores',
      `${drift}; of scores`,
      each((s) => indexOf(s.drift.scores)),
    );
    this.#gauge(
      'courier_drift_sim_scores',
      `${drift}; of SimScore`,
      each((s) => indexOf(s.drift.simScores)),
    );
    this.#gauge(
      'courier_unknown_candidates',
      'Share of candidates whose id the ranker does not know',
      each((s) => s.drift.unknown.live),
    );
    this.#gauge(
      'courier_unknown_candidates_reference',
      'The same in the validation period',
      each((s) => s.drift.unknown.reference),
    );
  }

  /** @param seconds from the request to the end of its answer */
  answered(method: string, route: string, status: number, seconds: number): void {
    this.#duration.observe({ method, route, status }, seconds);
  }

  refused(code: string): void {
    this.#problems.inc({ code });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #gauge(
    name: string,
    help: string,
    values: () => readonly (readonly [arm: string, value: number | null])[],
  ) {
    new Gauge({
      ...{ name, help, labelNames: ['arm'], registers: [this.#registry] },
      collect() {
        this.reset();
        for (const [arm, value] of values()) if (value !== null) this.set({ arm }, value);
      },
    });
  }

  #total(
    name: string,
    help: string,
    values: () => readonly (readonly [arm: string, value: number | null])[],
  ) {
    new Counter({
      ...{ name, help, labelNames: ['arm'], registers: [this.#registry] },
      collect() {
        this.reset();
        for (const [arm, value] of values()) if (value !== null) this.inc({ arm }, value);
      },
    });
  }
}
