import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Indexer } from './indexer.ts';

it('gives ids their places in the order in which they come, over as many Maps as that takes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 })), fc.integer({ min: 1, max: 4 }), (ids, most) => {
      const distinct = [...new Set(ids)];
      const indexer = new Indexer([], most);
      expect(ids.map((id) => indexer.indexOf(id))).toEqual(ids.map((id) => distinct.indexOf(id)));
      expect(indexer.ids).toEqual(distinct);
      expect(distinct.map((id) => new Indexer(distinct, most).find(id))).toEqual([...distinct.keys()]);
      expect([indexer.has('none of them'), indexer.find('none of them')]).toEqual([false, undefined]);
    }),
  );
});
