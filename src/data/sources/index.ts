/** Every adapter, under the name that selects it. */
import { hmSource } from './hm.ts';
import { ml1mSource } from './ml1m.ts';
import { opener } from './source.ts';
import { tableSource } from './table.ts';

export const sources = {
  table: opener(tableSource),
  hm: opener(hmSource),
  ml1m: opener(ml1mSource),
};
