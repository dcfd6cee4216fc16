/** A template for HTML that escapes by default: only what was made by it, or marked as trusted, is markup. */
import { printable } from '../text.ts';

/** Markup that is safe to put into a page. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

export type HtmlValue = Html | string | number | null | readonly HtmlValue[];

/**
 * Builds markup from a template literal. Strings are escaped for text and for quoted attributes; `null` is
 * nothing; lists are joined. Always quote attributes: html`<img alt="${title}">`.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.map((part, index) => part + markup(values[index] ?? null)).join(''));
}

/** Marks markup that this program itself made, such as a style sheet. Never for text from outside. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"'`]/g, (character) => entities[character] ?? '');
}

function markup(value: HtmlValue): string {
  if (value === null) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return value.map(markup).join('');
}
