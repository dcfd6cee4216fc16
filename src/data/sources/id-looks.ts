/** Columns of ids that are none: numbers that a spreadsheet has cut short, and lists. */
import { CourierError } from '../../errors.ts';
import { oneLine, shellWord } from '../../text.ts';
import { isScientific } from './words.ts';

/** Looks at the ids of a column. */
export class IdLooks {
  readonly #name: string;
  readonly #lists = { rows: 0, example: '' };
  readonly #lost = { rows: 0, example: '' };
  #rows = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** @param rows how many have this id */
  at(text: string, rows: number): void {
    this.#rows += rows;
    for (const [kind, met] of [
      [this.#lists, /^\s*[[{]/.test(text)],
      [this.#lost, isScientific(text.trim())],
    ] as const) {
      if (!met) continue;
      if (kind.rows === 0) kind.example = text;
      kind.rows += rows;
    }
  }

  /** @throws CourierError VALUE_INVALID where more than one of a hundred is a number that has lost its digits, or a list */
  require(): void {
    const name = this.#name;
    if (this.#lists.rows > 0.01 * this.#rows)
      throw new CourierError(
        'VALUE_INVALID',
        `\`${name}\` holds lists such as ${oneLine(this.#lists.example, 60)}.`,
        `Make rows of them in a query: ${shellWord(`SELECT *, unnest(${name}::JSON::VARCHAR[]) AS item FROM …`)}.`,
      );
    if (this.#lost.rows > 0.01 * this.#rows)
      throw new CourierError(
        'VALUE_INVALID',
        `\`${name}\` holds numbers such as ${this.#lost.example}, of which a spreadsheet has kept no more digits.`,
        'Export the ids as text.',
      );
  }
}
