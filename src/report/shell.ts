/** What all pages share: head, policy, headline, facts, links to the sections. */

import { createHash } from 'node:crypto';
import { oneLine } from '../text.ts';
import { type Html, html, trusted } from './html.ts';
import { stylesheet } from './stylesheet.ts';
import { tableScript } from './table-tools.ts';

/** Blocks every request and all scripts but ours, should a text from outside ever get through as markup. */
const policy = [
  "default-src 'none'",
  'img-src data:',
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash('sha256').update(tableScript).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** A name and its value; null where there is none, then it is left out. */
export type Fact = readonly [string, string | null];

interface Page {
  readonly title: string;
  /** What came out, in a sentence. */
  readonly heading: Html | string;
  readonly lede: string;
  /** The first is the one that stands out. */
  readonly facts: readonly Fact[];
  /** Those without a body are left out. */
  readonly sections: readonly { readonly id: string; readonly name: string; readonly body: Html | null }[];
  readonly startedAt: string;
}

/** A page that needs nothing but itself, no network and no other file, and can be read without its script. */
export function pageOf({ title, heading, lede, facts, sections, startedAt }: Page): string {
  const shown = sections.filter(({ body }) => body !== null);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${oneLine(title)}</title>
<style>${trusted(stylesheet)}</style>
</head>
<body>
<header>
<p class="eyebrow">${oneLine(title)}</p>
<h1>${heading}</h1>
<p class="lede">${lede}</p>
<dl class="facts">${facts.map(([name, value]) =>
    value === null ? null : html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>
<nav aria-label="Sections">${shown.map(({ id, name }) => html`<a href="#${id}">${name}</a>`)}</nav>
</header>
<main>
${shown.map(({ body }) => body)}
</main>
<footer>Made by courier-rec, ${oneLine(startedAt, 40)}.</footer>
<script>${trusted(tableScript)}</script>
</body>
</html>
`.toString();
}
