/** What a trained ranker rests on: how much worse it is when an input is dealt out anew (Breiman, 2001). */
import { auc } from '../metrics/auc.ts';
import type { Random } from '../random.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import { lookupsOf, type RankerData } from './fields.ts';
import type { RankerScorer } from './scorer.ts';

export interface InputImportance {
  readonly input: string;
  /** Whether it comes from photos. */
  readonly visual: boolean;
  /** AUC with all inputs as they are, less AUC with this one from another exposure. */
  readonly loss: number;
}

/** Places of one input within an exposure, in the arrays of a batch. */
interface Part {
  readonly input: string;
  readonly visual: boolean;
  readonly lookups: readonly number[];
  readonly dense: readonly number[];
  readonly visualDense: readonly number[];
  /** History places. */
  readonly nearness: readonly number[];
}

/**
 * The importance of each input on these exposures, largest first. Each exposure gets the input of another one,
 * the same for all inputs; an id and its history are one input.
 * @param visualName what to call all that photos add
 */
export async function permutationImportance(
  scorer: RankerScorer,
  assembler: BatchAssembler,
  data: RankerData,
  rows: Int32Array,
  visualName: string,
  random: Random,
): Promise<readonly InputImportance[]> {
  const labels = Uint8Array.from(rows, (row) => data.exposures.clicked[row]!);
  const whole = auc(await scorer.score(rows), labels);
  const donors = random.shuffle(rows.slice());
  const { batchSize } = assembler;
  const result: InputImportance[] = [];
  for (const part of partsOf(assembler, data, visualName)) {
    let from = 0;
    const scores = await scorer.score(rows, (own) => {
      const donated = assembler.assemble(donors.subarray(from, from + own.length));
      from += batchSize;
      return withPart(assembler.assemble(own), donated, part, assembler);
    });
    result.push({ input: part.input, visual: part.visual, loss: whole - auc(scores, labels) });
  }
  return result.sort((a, b) => b.loss - a.loss || (a.input < b.input ? -1 : 1));
}

function partsOf(assembler: BatchAssembler, { exposures }: RankerData, visualName: string): readonly Part[] {
  const { fields, visualColumns } = assembler;
  const { situationFields, itemFields, visualFields, historyLength } = fields.layout;
  const none = { visual: false, lookups: [], dense: [], visualDense: [], nearness: [] };
  const itemEnd = situationFields + itemFields * (1 + historyLength);
  const situation = [fields.user, ...fields.context].map(({ name }, place) => {
    return { ...none, input: name, lookups: [place] };
  });
  const items = fields.item.map(({ name }, field) => {
    const lookups = Array.from(
      { length: 1 + historyLength },
      (_, place) => situationFields + place * itemFields + field,
    );
    return { ...none, input: name, lookups };
  });
  const numeric = exposures.numeric.names.map((input, column) => ({ ...none, input, dense: [column] }));
  const visual = {
    input: visualName,
    visual: true,
    lookups: Array.from({ length: visualFields * (1 + historyLength) }, (_, place) => itemEnd + place),
    dense: [],
    visualDense: Array.from({ length: visualColumns.width }, (_, column) => column),
    nearness: Array.from({ length: assembler.nearness ? historyLength : 0 }, (_, place) => place),
  };
  return [...situation, ...items, ...numeric, ...(assembler.visual ? [visual] : [])];
}

/** The batch with one input of each exposure taken from the other batch. */
function withPart(
  batch: Batch,
  donated: Batch,
  part: Part,
  { fields, columns, visualColumns }: BatchAssembler,
) {
  const { count } = batch;
  copyPlaces(donated.lookups, batch.lookups, count, lookupsOf(fields.layout), part.lookups);
  copyPlaces(donated.dense, batch.dense, count, columns.width, part.dense);
  copyPlaces(donated.visual, batch.visual, count, visualColumns.width, part.visualDense);
  copyPlaces(donated.nearness, batch.nearness, count, fields.layout.historyLength, part.nearness);
  return batch;
}

function copyPlaces(
  from: Int32Array | Float32Array,
  to: Int32Array | Float32Array,
  count: number,
  width: number,
  places: readonly number[],
): void {
  for (let index = 0; index < count; index++) {
    for (const place of places) to[index * width + place] = from[index * width + place]!;
  }
}
