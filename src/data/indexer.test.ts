import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Indexer } from './indexer.ts';

it('gives ids their places in the order in which they come', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 })), (ids) => {
      const distinct = [...new Set(ids)];
      const indexer = new Indexer();
      expect(ids.map((id) => indexer.indexOf(id))).toEqual(ids.map((id) => distinct.indexOf(id)));
      expect(indexer.ids).toEqual(distinct);
      expect(distinct.map((id) => new Indexer(distinct).find(id))).toEqual([...distinct.keys()]);
      expect([indexer.has('none of them'), indexer.find('none of them')]).toEqual([false, undefined]);
    }),
  );
});
