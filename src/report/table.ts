/** The box of a table. */
import { type Html, html } from './html.ts';

interface TableOptions {
  /** Whether the table can be sorted, filtered and copied where scripts run. */
  readonly tools?: boolean;
}

/**
 * A table that scrolls in a box of its own where the page is too narrow for it; the keyboard reaches the box.
 *
 * @param label what the box is called
 */
export function scrollingTable(label: string, table: Html, { tools = false }: TableOptions = {}): Html {
  const marked = tools ? html` data-tools=""` : null;
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"${marked}>
${table}
</div>`;
}
