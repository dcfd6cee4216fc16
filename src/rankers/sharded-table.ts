/**
 * The embeddings of all ids, held by several processes together: each row, and what its optimiser remembers, by one of them.
 *
 * A batch is shared out, and so are its lookups. Each process asks the owners for the distinct rows of its share, gets their
 * values, and sends back the sums of their gradients; an owner adds up what it gets of a row and makes the step. So a row
 * goes over the network once there and once back for each process that wants it, however often it repeats, and what
 * optimisers remember never travels.
 */
import type { Exchange } from '../collectives/exchange.ts';
import type { Lengths, ProcessGroup } from '../collectives/process-group.ts';
import type { Random } from '../random.ts';
import { BatchRows, type WantedRows } from './batch-rows.ts';
import { EmbeddingTable, type Prepared, type TableState } from './embedding-table.ts';
import type { TableOptions } from './embedding-table-kernels.ts';
import type { RankerTable } from './ranker-table.ts';
import { rowInShard, rowInTable, rowsOfShard, type TableShard } from './table-shard.ts';
import { partOfState } from './table-states.ts';

/** A batch of which all know what they want of each other. */
interface Announced extends WantedRows {
  /** What the processes want of this one, by its own numbers. (m) */
  readonly asked: Int32Array;
  /** How much of that is for each. */
  readonly askedBy: Lengths;
}

export class ShardedTable implements RankerTable {
  readonly #group: ProcessGroup;
  readonly #exchange: Exchange;
  readonly #shard: TableShard;
  readonly #own: EmbeddingTable;
  readonly #batch: BatchRows;
  #next: Announced | null = null;
  #current: Announced | null = null;

  /**
   * @param options of the whole table, but for the lookups, which are those of a process' share
   * @param random the same in all processes
   * @param exchange counts the time that is spent waiting for others
   * @throws CourierError LIMIT_EXCEEDED
   */
  constructor(options: TableOptions, random: Random, group: ProcessGroup, exchange: Exchange) {
    this.#group = group;
    this.#exchange = exchange;
    this.#shard = { index: group.rank, count: group.size };
    const own = {
      ...options,
      rows: rowsOfShard(options.rows, this.#shard),
      lookups: options.lookups * group.size,
      shard: this.#shard,
    };
    this.#own = new EmbeddingTable(own, random);
    this.#batch = new BatchRows(options, group.size);
  }

  get dimension(): number {
    return this.#own.dimension;
  }

  async announce(rows: Int32Array): Promise<void> {
    const found = this.#batch.find(rows);
    const ones = found.ofShard.map(() => 1);
    const counts = new Int32Array(ones.length);
    await this.#group.allToAll(Int32Array.from(found.ofShard), ones, counts, ones);
    const askedBy = [...counts];
    const asked = new Int32Array(askedBy.reduce((sum, count) => sum + count, 0));
    await this.#group.allToAll(found.wanted, found.ofShard, asked, askedBy);
    this.#next = { ...found, asked, askedBy };
  }

  async lookUp(rows: Int32Array): Promise<Float32Array> {
    if (this.#next?.rows !== rows) await this.#exchange.wait(this.announce(rows));
    const batch = this.#next;
    if (batch === null) throw new Error('the rows of a batch were not announced');
    [this.#current, this.#next] = [batch, null];
    const [sent, received] = this.#numbers(batch);
    const values = this.#own.lookUp(batch.asked);
    const room = this.#batch.roomForValues(batch);
    await this.#exchange.wait(this.#group.allToAll(values, received, room, sent));
    return this.#batch.spread(batch);
  }

  prepareUpdate(rows: Int32Array): Prepared {
    const { asked } = this.#looked(rows);
    return this.#own.prepareUpdate(asked);
  }

  roomForGradient(lookups: number): Float32Array {
    return this.#batch.roomForGradient(lookups);
  }

  async update(prepared: Prepared, gradient: Float32Array): Promise<void> {
    const batch = this.#current;
    if (batch === null) throw new Error('no batch was looked up');
    const room = this.#batch.roomForGradient(batch.rows.length);
    if (gradient.buffer !== room.buffer || gradient.byteOffset !== room.byteOffset) room.set(gradient);
    const [sent, received] = this.#numbers(batch);
    const own = this.#own.roomForGradient(batch.asked.length);
    await this.#exchange.wait(this.#group.allToAll(this.#batch.sums(batch), sent, own, received));
    this.#own.update(prepared, own);
  }

  state(): TableState {
    return this.#inTable(this.#own.state());
  }

  values(): TableState {
    return this.#inTable(this.#own.values());
  }

  restore(state: TableState): void {
    const { rows, ...part } = partOfState(state, this.#shard);
    this.#own.restore({ ...part, rows: rows.map((row) => rowInShard(row, this.#shard)) });
  }

  #looked(rows: Int32Array): Announced {
    if (this.#current?.rows !== rows) throw new Error('the batch was not the last one to be looked up');
    return this.#current;
  }

  /** Numbers of the rows that this process wants of each, and each of it. */
  #numbers({ ofShard, askedBy }: Announced): readonly [Lengths, Lengths] {
    return [ofShard.map((rows) => rows * this.dimension), askedBy.map((rows) => rows * this.dimension)];
  }

  #inTable(state: TableState): TableState {
    return { ...state, rows: state.rows.map((row) => rowInTable(row, this.#shard)) };
  }
}
