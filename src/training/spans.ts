/** Stretches of photos or samples, one after the other. */
import type { NamedValues } from '../runtime/protocol.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

export function spans({ from, to }: Span, size: number): readonly Span[] {
  return Array.from({ length: Math.ceil((to - from) / size) }, (_, index) => ({
    from: from + index * size,
    to: Math.min(from + (index + 1) * size, to),
  }));
}

/** Runs each span; while one runs in its thread, the values of the next are put together. */
export async function inTurn(
  all: readonly Span[],
  prepare: (span: Span) => NamedValues,
  run: (values: NamedValues) => Promise<NamedValues>,
  use: (span: Span, results: NamedValues) => void = () => {},
): Promise<void> {
  const [first] = all;
  if (first === undefined) return;
  let prepared = prepare(first);
  for (const [index, span] of all.entries()) {
    const running = run(prepared);
    const next = all[index + 1];
    if (next !== undefined) prepared = prepare(next);
    use(span, await running);
  }
}
