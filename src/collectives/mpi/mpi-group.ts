/** The processes that an MPI launcher started. */
import type { Lengths, Movable, ProcessGroup, Summable, Traffic } from '../process-group.ts';
import { bytesOf, offsetsOf, requireParts } from '../process-group.ts';
import type { Handle } from './abi.ts';
import type { Mpi, Pointer } from './library.ts';
import type { Issue, Requests } from './requests.ts';

/** Elements that go in one piece at most: MPI counts with 32 bits, the places behind a piece included. */
const longestPiece = 2 ** 30;

const tag = 0;

/** The address of an array that has no elements would be none. */
const nothing = new Float64Array(1);

interface MpiPlace extends Pick<ProcessGroup, 'rank' | 'size' | 'localRank' | 'localSize'> {
  /** Elements of a piece at most, where that is not what MPI allows. */
  readonly longest?: number;
}

export class MpiGroup implements ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localSize: number;
  readonly #mpi: Mpi;
  readonly #requests: Requests;
  readonly #longest: number;
  #traffic: Traffic = { milliseconds: 0, bytes: 0 };

  constructor(
    mpi: Mpi,
    requests: Requests,
    { rank, size, localRank, localSize, longest = longestPiece }: MpiPlace,
  ) {
    this.rank = rank;
    this.size = size;
    this.localRank = localRank;
    this.localSize = localSize;
    this.#mpi = mpi;
    this.#requests = requests;
    this.#longest = longest;
  }

  /** The same processes, with what differs in how they are seen. */
  with(place: Partial<MpiPlace>): MpiGroup {
    const { rank, size, localRank, localSize } = this;
    return new MpiGroup(this.#mpi, this.#requests, {
      rank,
      size,
      localRank,
      localSize,
      longest: this.#longest,
      ...place,
    });
  }

  get traffic(): Traffic {
    return this.#traffic;
  }

  allReduce(values: Summable): Promise<void> {
    const { abi, iallreduce } = this.#mpi;
    return this.#run('a sum', [values], () =>
      this.#pieces(0, values.length).map(
        ({ from, count }): Issue =>
          (request) =>
            iallreduce(
              abi.inPlace,
              this.#at(values, from),
              count,
              this.#type(values),
              abi.sum,
              abi.world,
              request,
            ),
      ),
    );
  }

  async allGather(whole: Movable, lengths: Lengths): Promise<void> {
    requireParts(this, whole, lengths);
    const { abi, iallgatherv, ibcast } = this.#mpi;
    const offsets = offsetsOf(lengths);
    const type = this.#type(whole);
    if (whole.length > this.#longest) {
      await this.#run('a gathering', [whole], () =>
        this.#piecesOf(lengths).map(
          ({ rank, from, count }): Issue =>
            (request) =>
              ibcast(this.#at(whole, from), count, type, rank, abi.world, request),
        ),
      );
      return;
    }
    const [counts, places] = [Int32Array.from(lengths), Int32Array.from(offsets.slice(0, -1))];
    await this.#run('a gathering', [whole, counts, places], () => [
      (request) =>
        iallgatherv(abi.inPlace, 0, type, this.#at(whole, 0), counts, places, type, abi.world, request),
    ]);
  }

  async reduceScatter(values: Summable, lengths: Lengths, part: Summable): Promise<void> {
    requireParts(this, values, lengths);
    requireSame(values, part, lengths[this.rank]!);
    const { abi, ireduce, ireduceScatter } = this.#mpi;
    const type = this.#type(values);
    if (values.length > this.#longest) {
      const start = offsetsOf(lengths)[this.rank]!;
      await this.#run('a sum of parts', [values, part], () =>
        this.#piecesOf(lengths).map(({ rank, from, count }): Issue => {
          const into = rank === this.rank ? this.#at(part, from - start) : null;
          return (request) =>
            ireduce(this.#at(values, from), into, count, type, abi.sum, rank, abi.world, request);
        }),
      );
      return;
    }
    const counts = Int32Array.from(lengths);
    await this.#run('a sum of parts', [values, part, counts], () => [
      (request) =>
        ireduceScatter(this.#at(values, 0), this.#at(part, 0), counts, type, abi.sum, abi.world, request),
    ]);
  }

  async allToAll(values: Movable, sent: Lengths, received: Movable, lengths: Lengths): Promise<void> {
    requireParts(this, values, sent);
    requireParts(this, received, lengths);
    requireSame(values, received, received.length);
    const { abi, isend, irecv } = this.#mpi;
    const type = this.#type(values);
    const others = <T extends { readonly rank: number }>(pieces: readonly T[]) =>
      pieces.filter(({ rank }) => rank !== this.rank);
    const own = partOf(values, sent, this.rank);
    partOf(received, lengths, this.rank).set(own);
    await this.#run('an exchange', [values, received], () => [
      ...others(this.#piecesOf(lengths)).map(
        ({ rank, from, count }): Issue =>
          (request) =>
            irecv(this.#at(received, from), count, type, rank, tag, abi.world, request),
      ),
      ...others(this.#piecesOf(sent)).map(
        ({ rank, from, count }): Issue =>
          (request) =>
            isend(this.#at(values, from), count, type, rank, tag, abi.world, request),
      ),
    ]);
  }

  broadcast(values: Movable, root = 0): Promise<void> {
    const { abi, ibcast } = this.#mpi;
    return this.#run('a broadcast', [values], () =>
      this.#pieces(0, values.length).map(
        ({ from, count }): Issue =>
          (request) =>
            ibcast(this.#at(values, from), count, this.#type(values), root, abi.world, request),
      ),
    );
  }

  barrier(): Promise<void> {
    const { abi, ibarrier } = this.#mpi;
    return this.#run('a barrier', [], () => [(request) => ibarrier(abi.world, request)]);
  }

  /** Begins everything at once and waits for all of it. */
  async #run(
    what: string,
    arrays: readonly NodeJS.TypedArray[],
    issues: () => readonly Issue[],
  ): Promise<void> {
    const began = performance.now();
    const bytes = arrays.reduce((total, { byteLength }) => total + byteLength, 0);
    await this.#requests.begin(what, bytes, arrays, issues());
    const milliseconds = performance.now() - began;
    this.#traffic = {
      milliseconds: this.#traffic.milliseconds + milliseconds,
      bytes: this.#traffic.bytes + bytes,
    };
  }

  #at(values: Movable, from: number): Pointer {
    const { addressOf } = this.#mpi;
    if (values.length === 0) return addressOf(nothing);
    return addressOf(values) + BigInt(from * values.BYTES_PER_ELEMENT);
  }

  #type({ BYTES_PER_ELEMENT: bytes }: Movable): Handle {
    const { byte, float, double } = this.#mpi.abi;
    return bytes === 1 ? byte : bytes === 4 ? float : double;
  }

  #pieces(start: number, length: number) {
    const pieces = Array.from(
      { length: Math.ceil(length / this.#longest) },
      (_, index) => index * this.#longest,
    );
    return pieces.map((from) => ({ from: start + from, count: Math.min(this.#longest, length - from) }));
  }

  #piecesOf(lengths: Lengths) {
    const offsets = offsetsOf(lengths);
    return lengths.flatMap((length, rank) =>
      this.#pieces(offsets[rank]!, length).map((piece) => ({ rank, ...piece })),
    );
  }
}

function partOf(values: Movable, lengths: Lengths, rank: number): Uint8Array {
  const { BYTES_PER_ELEMENT: bytes } = values;
  const from = offsetsOf(lengths)[rank]!;
  return bytesOf(values).subarray(from * bytes, (from + lengths[rank]!) * bytes);
}

function requireSame(values: Movable, others: Movable, length: number): void {
  if (others.length !== length) throw new Error(`${others.length} values for a part of ${length}`);
  if (values.BYTES_PER_ELEMENT !== others.BYTES_PER_ELEMENT)
    throw new Error('the arrays are of different types');
}
