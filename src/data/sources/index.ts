/** Every adapter, under the name that selects it. */
import { hmSource } from './hm.ts';
import { opener } from './source.ts';
import { tableSource } from './table.ts';

export const sources = {
  table: opener(tableSource),
  hm: opener(hmSource),
};
