/** What ingestion met on its way, counted, with a few examples each. */
import { CourierError } from '../errors.ts';
import type { Finding } from './dataset.ts';

const maxExamples = 5;
const maxExampleLength = 100;

/** Collects findings in the order in which they were first met. */
export class Findings {
  readonly #met = new Map<string, { count: number; examples: string[] }>();

  add(what: string, example?: string, count = 1): void {
    if (count === 0) return;
    const known = this.#met.get(what) ?? { count: 0, examples: [] };
    known.count += count;
    if (example !== undefined && known.examples.length < maxExamples) known.examples.push(shortened(example));
    this.#met.set(what, known);
  }

  /** What was met elsewhere, as if it had been met here after everything else. */
  addAll(others: readonly Finding[]): void {
    for (const { what, count, examples } of others) {
      for (const example of examples) this.add(what, example);
      this.add(what, undefined, count - examples.length);
    }
  }

  list(): Finding[] {
    return [...this.#met].map(([what, { count, examples }]) => ({ what, count, examples: [...examples] }));
  }
}

/** Rows of one input that cannot be used: counted by reason, skipped, and too many of them are an error. */
export class BadRows {
  readonly #file: string;
  readonly #findings: Findings;
  /** Of each reason how many rows, and the first of them. */
  readonly #reasons = new Map<string, { count: number; readonly example: string }>();
  #count = 0;

  constructor(file: string, findings: Findings) {
    this.#file = file;
    this.#findings = findings;
  }

  /** @param row number of the row in its file, the first row after the header being 1 */
  skip(row: number, reason: string, value: string | null): void {
    const example = `row ${row}: ${value === null || value === '' ? '(empty)' : value}`;
    this.#count++;
    this.#findings.add(`Rows of ${this.#file} skipped: ${reason}`, example);
    const known = this.#reasons.get(reason);
    if (known === undefined) this.#reasons.set(reason, { count: 1, example: shortened(example) });
    else known.count++;
  }

  /** The same for rows of one reason, of which only some are shown. */
  skipAll(reason: string, count: number, examples: readonly { row: number; value: string | null }[]): void {
    for (const { row, value } of examples) this.skip(row, reason, value);
    const more = count - examples.length;
    const known = this.#reasons.get(reason);
    if (known !== undefined) known.count += more;
    this.#count += more;
    this.#findings.add(`Rows of ${this.#file} skipped: ${reason}`, undefined, count - examples.length);
  }

  /** @throws CourierError TOO_MANY_BAD_ROWS when more than this share of the rows was skipped */
  check(total: number, maxBadRows: number): void {
    if (this.#count <= total * maxBadRows) return;
    const most = [...this.#reasons].sort((a, b) => b[1].count - a[1].count).slice(0, maxExamples);
    const reasons = most.map(([reason, { count, example }]) => `${reason} (${count}, such as ${example})`);
    throw new CourierError(
      'TOO_MANY_BAD_ROWS',
      `${this.#count} of ${total} rows of ${this.#file} cannot be used: ${reasons.join('; ')}.`,
      `Correct the file or the column mapping, or raise maxBadRows (${maxBadRows} now) to skip more rows.`,
    );
  }
}

/** An example as one short line, whatever control characters it held. */
function shortened(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
  const letters = [...line.slice(0, 2 * maxExampleLength)];
  return letters.length > maxExampleLength ? `${letters.slice(0, maxExampleLength - 1).join('')}…` : line;
}
