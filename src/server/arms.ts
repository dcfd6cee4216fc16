/** Who is answered by which service: the arms of an experiment, and one service for everybody else. */
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import { armOf } from '../experiments/assignment.ts';
import { type Experiment, parseExperiment } from '../experiments/definition.ts';
import type { Service } from '../serving/requests.ts';
import { openService, type ServiceOptions } from '../serving/service.ts';
import { readInput } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';

/** What an arm may serve. */
const servesSchema = z.strictObject({
  /** Folder of an export; without it that of everybody else. */
  export: z.string().min(1).optional(),
  /** false: as if nothing had been seen of any photo. */
  images: z.boolean().default(true),
});

export interface Answering {
  /** Of the arm; null for the service of everybody else. */
  readonly arm: string | null;
  readonly service: Service;
  readonly images: boolean;
  /** Where its export was opened from; null for an arm that shares that of everybody else. */
  readonly folder: string | null;
}

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, CONFIG_INVALID */
export async function readExperiment(path: string): Promise<Experiment> {
  const text = (await readInput(path, 'Experiment definition')).toString('utf8');
  return parseExperiment(parseJson(text));
}

export class Arms {
  readonly experiment: Experiment | null;
  readonly #others: Answering;
  readonly #arms: ReadonlyMap<string, Answering>;

  private constructor(
    experiment: Experiment | null,
    others: Answering,
    arms: ReadonlyMap<string, Answering>,
  ) {
    this.experiment = experiment;
    this.#others = others;
    this.#arms = arms;
  }

  /**
   * Opens a service for everybody, and one for each arm that has an export of its own. They share the log, so that all know the
   * same events and items.
   * @throws CourierError those of `openService`; CONFIG_INVALID for an arm that serves something else
   */
  static async open(options: ServiceOptions, experiment: Experiment | null): Promise<Arms> {
    const arms = (experiment?.arms ?? []).map(({ name, serves }) => {
      return { name, ...parseConfig(servesSchema, serves, `arm ${name}`) };
    });
    const opened: Service[] = [];
    try {
      const service = await openService(options);
      opened.push(service);
      const others = { arm: null, service, images: true, folder: options.export };
      const byName = new Map<string, Answering>();
      for (const { name, export: folder, images } of arms) {
        const own = folder === undefined ? service : await openService({ ...options, export: folder });
        if (own !== service) opened.push(own);
        byName.set(name, { arm: name, service: own, images, folder: folder ?? null });
      }
      return new Arms(experiment, others, byName);
    } catch (error) {
      for (const service of opened) await service.close();
      throw error;
    }
  }

  /** Each service once: that of everybody else first. */
  get services(): readonly Answering[] {
    return [this.#others, ...this.#arms.values()].filter(({ folder }) => folder !== null);
  }

  /** Who answers a user at a time. */
  of(user: string | null | undefined, time: number): Answering {
    const arm = this.armNameOf(user, time);
    return (arm === null ? undefined : this.#arms.get(arm)) ?? this.#others;
  }

  /** The arm of a user; null for nobody in particular, and for those who are in none. */
  armNameOf(user: string | null | undefined, time: number): string | null {
    if (this.experiment === null || user === null || user === undefined) return null;
    // As events and the log have it: without blanks around it.
    return armOf(this.experiment, user.trim(), time)?.name ?? null;
  }

  /** The service of everybody else, or of an arm that has its own. @returns undefined where there is none */
  withOwnExport(arm: string | undefined): Answering | undefined {
    return this.services.find((each) => each.arm === (arm ?? null));
  }

  /**
   * Asked before the body of a page view is read, which tells whose it is.
   * @throws OverloadedError where no service has room for one
   */
  admit(): void {
    if (!this.services.some(({ service }) => service.hasRoom())) this.first.admit();
  }

  hasArm(arm: string): boolean {
    return this.#arms.has(arm);
  }

  /** The service that is told of events and items first: what it acknowledges is in the log of all. */
  get first(): Service {
    return this.#others.service;
  }

  /** Has the other services read the log, so that what was acknowledged is visible in all. */
  async catchUp(): Promise<void> {
    const others = this.services.slice(1);
    await Promise.all(others.map(({ service }) => service.record([])));
  }

  async close(): Promise<void> {
    await Promise.all(this.services.map(({ service }) => service.close()));
  }
}
