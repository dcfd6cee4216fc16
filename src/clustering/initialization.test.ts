import { expect, it } from 'vitest';
import { Random } from '../random.ts';
import { CentreSearch } from './centre-search.ts';
import { initialCentres } from './initialization.ts';
import { euclidean } from './space.ts';

it('k-means++ is given up where the work is to stop', async () => {
  const search = await CentreSearch.open(2);
  const rows = Float32Array.from({ length: 40 }, (_, place) => (place % 2 === 1 ? 1 : place));
  const source = {
    count: 20,
    read: (from: number, to: number) => rows.slice(2 * from, 2 * to),
    squaredLength: () => 1,
  };
  const begun = initialCentres(
    'k-means++',
    source,
    5,
    euclidean,
    search,
    Random.seeded(1, ''),
    AbortSignal.abort(),
  );
  await expect(begun).rejects.toThrow('abort');
  await search.close();
});
