/**
 * What a training step of several processes brings over the network, and how long that takes, by the sizes alone: what planning
 * needs to know before there are machines.
 *
 * Letters: N processes, U photos of the batch, d numbers of an embedding, P parameters. All numbers are float32.
 */

export interface SharedStep {
  readonly processes: number;
  /** Distinct photos of the whole batch, filled up to whole chunks. */
  readonly photos: number;
  readonly dimension: number;
  readonly parameters: number;
}

export interface Network {
  /** Of a process' connection, in either direction at a time. */
  readonly bytesPerSecond: number;
  /** Seconds from one process to another. */
  readonly latency: number;
}

const bytesOfNumber = 4;

/**
 * Over TCP, UCX announces a long message, is asked for it, puts it where the answer says, is told that it has come, and says that it is
 * all: five messages, each of which waits for the one before (RTS, RTR, PUT, its acknowledgement and ATP in UCX 1.13, `ucp/rndv/rndv.c` and
 * `uct/tcp/tcp_ep.c`).
 */
export const latenciesOfLongMessage = 5;

/**
 * Bytes that a process sends in a step, and as many that it receives: its part of the embeddings to all others (N − 1) / N · U · d,
 * as much for their gradients, and twice (N − 1) / N · P for the sum of the parameters' gradients, which is a sum of parts and
 * a gathering of them. No algorithm for it sends less (Patarasu and Yuan, 2009).
 */
export function communicationBytes({ processes, photos, dimension, parameters }: SharedStep): number {
  const numbers = 2 * (photos * dimension + parameters);
  return (bytesOfNumber * numbers * (processes - 1)) / processes;
}

/** A step of a ranker that several processes train together. */
export interface SharedRankerStep {
  readonly processes: number;
  /** Distinct rows of the embedding table that a process' share of the batch looks up. */
  readonly rows: number;
  /** Length of a row. */
  readonly dimension: number;
  /** Of all that is no embedding. */
  readonly parameters: number;
}

/**
 * Bytes that a process sends in a step of a ranker, and as many that it receives: of each row of its share that another process holds the
 * number, there, and as many values back from it as its own share of what all ask for; the row's gradient; and twice (N − 1) / N · (P + 1)
 * for the sum of the parameters' gradients and the loss. Besides, how many rows are asked for: a number for each of the others.
 */
export function rankerCommunicationBytes({
  processes,
  rows,
  dimension,
  parameters,
}: SharedRankerStep): number {
  const perRow = 1 + 2 * dimension;
  const numbers = rows * perRow + 2 * (parameters + 1);
  return bytesOfNumber * ((numbers * (processes - 1)) / processes + (processes - 1));
}

/**
 * Latencies that follow one another in a step, all of whose messages are long. MPICH gathers and sums parts of 512 kB and more in N − 1 rounds,
 * neighbour by neighbour and pair by pair, since they are many bytes. The two halves of the sum over parameters are ⌈log₂ N⌉ rounds each, with
 * partners whose distance doubles or halves. The sum of the losses runs beside the sum of parts.
 */
export function communicationLatencies({ processes }: Pick<SharedStep, 'processes'>): number {
  return latenciesOfLongMessage * (2 * (processes - 1) + 2 * Math.ceil(Math.log2(processes)));
}

/** Seconds that a step spends on communication where all processes come to it at once. */
export function communicationSeconds(step: SharedStep, { bytesPerSecond, latency }: Network): number {
  return communicationLatencies(step) * latency + communicationBytes(step) / bytesPerSecond;
}

/**
 * The largest number of processes whose communication takes at most this share of their computing, which they share evenly.
 * @param seconds that one process would compute for the step
 * @returns 1 where two are too many
 */
export function processesWithin(
  share: number,
  step: Omit<SharedStep, 'processes'>,
  seconds: number,
  network: Network,
): number {
  const fits = (processes: number) =>
    communicationSeconds({ ...step, processes }, network) <= (share * seconds) / processes;
  let processes = 1;
  while (fits(processes + 1)) processes++;
  return processes;
}
