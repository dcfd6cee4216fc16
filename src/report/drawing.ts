/** What all pictures share: SVG drawn by Observable Plot on a document that needs no browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type Html, html, trusted } from './html.ts';
import type { Verdict } from './rows.ts';

/** Colours are custom properties of the style sheet, so that they follow light and dark. */
export const seriesColors = [
  ...['var(--blue)', 'var(--orange)', 'var(--green)', 'var(--red)', 'var(--purple)'],
  ...['var(--teal)', 'var(--pink)', 'var(--brown)', 'var(--olive)'],
];

export const verdictColors: Readonly<Record<Verdict, string>> = {
  better: 'var(--blue)',
  worse: 'var(--red)',
  unclear: 'var(--muted)',
};

/** Text that stays legible on top of lines. */
export const halo = { stroke: 'var(--paper)', strokeWidth: 4, fill: 'var(--ink)' };

/** The part of an SVG element used here. */
interface Drawing {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
}

/** @param label what is to be read out in place of the picture */
export function draw(label: string, options: Plot.PlotOptions): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const style = { fontSize: '12px', background: 'transparent' };
  const drawing: Drawing = Plot.plot({ style, ...options, document });
  drawing.setAttribute('aria-hidden', 'true'); // its name is on the box around it, escaped by our own template
  return html`<div role="img" aria-label="${label}">${trusted(drawing.outerHTML)}</div>`;
}
