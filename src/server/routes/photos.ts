/** Embeddings and what looks alike over HTTP. */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { SimilarItem } from '../../serving/requests.ts';
import type { Context } from '../context.ts';
import { timeLeft, withinTime } from '../deadline.ts';
import { decodePhotoText, fetchPhotoFrom } from '../photos.ts';
import { RequestProblem } from '../problems.ts';
import { routeOf } from '../routing.ts';
import type {
  embedAnswer,
  embedRequest,
  itemParams,
  photoSource,
  similarAnswer,
  similarQuery,
  similarRequest,
} from '../schemas.ts';

type Query = z.output<typeof similarQuery>;
type Similar = z.output<typeof similarAnswer>;

export function addPhotos(app: FastifyInstance, { arms, config, photos, download }: Context): void {
  app.addContentTypeParser(/^image\/[\w.+-]+$/, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  // What is neither a photo nor JSON has been checked by nobody.
  app.addHook('preHandler', async ({ body, method }) => {
    if (method === 'POST' && (typeof body !== 'object' || body === null)) throw withoutBody();
  });

  /** The embedding of a photo: no more are fetched and decoded at a time than there are places. */
  const embed = (source: Buffer | z.output<typeof photoSource>): Promise<Float32Array> =>
    photos.within(async () => arms.first.embed({ photo: await bytesOf(source, download) }));

  app.route<{ Body: Buffer | z.output<typeof embedRequest>; Reply: z.output<typeof embedAnswer> }>({
    ...routeOf('embed'),
    async handler(request, reply) {
      const left = timeLeft(request, reply, config.deadline);
      const { body } = request;
      const made = 'item' in body ? arms.first.embed(body) : embed(body);
      return { embedding: Array.from(await withinTime(made, left)) };
    },
  });

  app.route<{ Params: z.output<typeof itemParams>; Querystring: Query; Reply: Similar }>({
    ...routeOf('similarTo'),
    async handler({ params, query }) {
      return columnsOf(await arms.first.similar({ item: params.item, most: query.most }));
    },
  });

  app.route<{ Body: Buffer | z.output<typeof similarRequest>; Querystring: Query; Reply: Similar }>({
    ...routeOf('similar'),
    async handler(request, reply) {
      const left = timeLeft(request, reply, config.deadline);
      const { body, query } = request;
      const most = query.most ?? ('most' in body ? body.most : undefined);
      const embedding =
        'embedding' in body ? Float32Array.from(body.embedding) : await withinTime(embed(body), left);
      return columnsOf(await arms.first.similar({ embedding, most }));
    },
  });
}

function withoutBody(): RequestProblem {
  return new RequestProblem(
    'VALUE_INVALID',
    'There is no photo and no JSON in the body.',
    'Send the bytes of a photo as image/jpeg and the like, or application/json.',
  );
}

async function bytesOf(
  source: Buffer | z.output<typeof photoSource>,
  download: Context['download'],
): Promise<Uint8Array> {
  if ('url' in source) return fetchPhotoFrom(source.url, download);
  return 'photo' in source ? decodePhotoText(source.photo) : source;
}

function columnsOf(found: readonly SimilarItem[]): Similar {
  return { items: found.map(({ item }) => item), cosines: found.map(({ cosine }) => cosine) };
}
