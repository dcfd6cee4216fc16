/** What happens in the shop over HTTP: events, and items that come and go. */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { requireTime } from '../../serving/check-request.ts';
import type { ShopEvent } from '../../serving/events.ts';
import type { Arms } from '../arms.ts';
import type { Context } from '../context.ts';
import type { Outcomes } from '../outcomes.ts';
import { decodePhotoText, fetchPhotoFrom } from '../photos.ts';
import { RequestProblem } from '../problems.ts';
import { routeOf } from '../routing.ts';
import type { eventsAnswer, eventsRequest, itemParams, putItemRequest } from '../schemas.ts';

type Events = z.output<typeof eventsRequest>['events'];
type Params = z.output<typeof itemParams>;
type PutItem = z.output<typeof putItemRequest>;

export function addLog(app: FastifyInstance, { arms, outcomes, photos, download }: Context): void {
  app.route<{ Body: z.output<typeof eventsRequest>; Reply: z.output<typeof eventsAnswer> }>({
    ...routeOf('record'),
    async handler({ body: { events } }) {
      const orders = events.filter(({ kind }) => kind === 'order').length;
      if (orders > 0 && outcomes === null)
        throw new RequestProblem(
          'VALUE_INVALID',
          'This server keeps no orders.',
          'Start it with --outcomes FOLDER, or leave them out.',
        );
      const rows = outcomesOf(events, arms);
      const receipt = await arms.first.record(shopEventsOf(events));
      await outcomes?.append(rows);
      await arms.catchUp();
      return { ...receipt, orders };
    },
  });

  app.route<{ Params: Params; Body: PutItem }>({
    ...routeOf('putItem'),
    async handler({ params: { item }, body }, reply) {
      const { categories, numeric, embedding } = body;
      const known = {
        id: item,
        ...{ categories, numeric },
        embedding: embedding && Float32Array.from(embedding),
      };
      if ([body.photo, body.url, embedding].filter((each) => each !== undefined).length > 1)
        throw new RequestProblem(
          'VALUE_INVALID',
          'An item has one of photo, url and embedding.',
          'Send the one that there is.',
        );
      if (body.photo === undefined && body.url === undefined) await arms.first.putItem(known);
      else
        await photos.within(async () => {
          const photo = await photoOf(body, download);
          await arms.first.putItem({ ...known, photo });
        });
      await arms.catchUp();
      return reply.code(204).send();
    },
  });

  app.route<{ Params: Params }>({
    ...routeOf('deleteItem'),
    async handler({ params: { item } }, reply) {
      if (!(await arms.first.deleteItem(item)))
        throw new RequestProblem(
          'ITEM_UNKNOWN',
          'The item is not in the catalogue.',
          'There is nothing to be done.',
        );
      await arms.catchUp();
      return reply.code(204).send();
    },
  });
}

async function photoOf(
  { photo, url }: PutItem,
  download: Context['download'],
): Promise<Uint8Array | undefined> {
  if (url !== undefined) return fetchPhotoFrom(url, download);
  return photo === undefined ? undefined : decodePhotoText(photo);
}

function shopEventsOf(events: Events): readonly ShopEvent[] {
  return events.flatMap((event) => {
    if (event.kind === 'order') return [];
    const { id, kind, user, item, time } = event;
    return [{ id, kind, user, item, time }];
  });
}

/** @throws RequestProblem VALUE_INVALID for an arm that there is not; CourierError for a time that has not come */
function outcomesOf(events: Events, arms: Arms): Outcomes {
  const outcomes = { exposures: [], clicks: [], orders: [] } satisfies Outcomes;
  const rows: { [Kind in keyof Outcomes]: Outcomes[Kind][number][] } = outcomes;
  for (const event of events) {
    const time = new Date(requireTime(event.time, Date.now())).toISOString();
    const row = { event: event.id, user: event.user.trim(), time };
    if (event.kind === 'click') rows.clicks.push(row);
    else if (event.kind === 'order') rows.orders.push({ ...row, revenue: event.revenue });
    else {
      const arm = event.arm ?? arms.armNameOf(event.user, event.time);
      if (event.arm !== undefined && !arms.hasArm(event.arm))
        throw new RequestProblem(
          'VALUE_INVALID',
          `There is no arm ${event.arm}.`,
          'Send the arm that `score` told, or none.',
        );
      rows.exposures.push({ ...row, experiment: arms.experiment?.name ?? null, arm });
    }
  }
  return rows;
}
