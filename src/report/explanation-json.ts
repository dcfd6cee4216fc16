/** An explanation for programs: photos are named by item id. */
import type { Explanation } from './explanation.ts';
import type { Photo } from './report.ts';
import { checkFinite } from './write.ts';

/** @throws CourierError VALUE_INVALID, naming the place, when a number is not finite */
export function explanationJson(explanation: Explanation) {
  checkFinite(explanation, 'explanation');
  const { clicks, neighbours, ...rest } = explanation;
  return {
    ...rest,
    clicks: clicks.map(({ clicked, history, ...click }) => ({
      ...click,
      ...named(clicked),
      history: history.map(({ photo, weight, cosine }) => ({ ...named(photo), weight, cosine })),
    })),
    neighbours: neighbours.map(({ item, sources }) => ({
      ...named(item),
      sources: sources.map(({ name, neighbours: found }) => ({
        name,
        neighbours: found?.map(({ photo, cosine }) => ({ ...named(photo), cosine })) ?? null,
      })),
    })),
  };
}

function named({ item, title }: Photo) {
  return { item, title };
}
