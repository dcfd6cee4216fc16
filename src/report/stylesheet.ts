/** The look of the report: light and dark, wide and narrow, screen and paper. */

export const stylesheet = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f6f7f9; --line: #e3e6ea; --ink: #1b1e23; --muted: #6a717c;
  --blue: #3b6bd6; --orange: #d98a00; --green: #2f9a4b; --red: #c73a2e; --purple: #8a55d9;
  --teal: #0f9aa8; --pink: #d6579b; --brown: #8c5f3c; --olive: #8d8f1c; --orange-text: #955b00;
  --mono: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --raised: #1d2026; --line: #30353d; --ink: #e8eaee; --muted: #979faa;
    --blue: #7aa2ff; --orange: #f2b544; --green: #62c77d; --red: #ff8577; --purple: #b794ff;
    --teal: #4fcbd6; --pink: #f59ac4; --brown: #c79a78; --olive: #c6c85a; --orange-text: #f2b544;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3.5rem 1.25rem 4rem; max-width: 64rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.6 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
  overflow-wrap: break-word;
}
h1 { margin: 0; max-width: 52rem; font-size: clamp(1.4rem, 1rem + 1.8vw, 1.9rem); line-height: 1.3; font-weight: 650; letter-spacing: -0.015em; text-wrap: pretty; }
h2 { margin: 0 0 1.25rem; font-size: 1.3rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
p { max-width: 44rem; margin: 0 0 1rem; }
section { padding-top: 3.5rem; }
.eyebrow { margin: 0 0 0.75rem; color: var(--muted); font-size: 0.9rem; }
.lede { margin: 1rem 0 0; color: var(--muted); font-size: 1.05rem; }
.number, dd { font-variant-numeric: tabular-nums; }

.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 2rem 0 0; }
.facts div { display: flex; flex-direction: column-reverse; }
.facts dt { color: var(--muted); font-size: 0.85rem; }
.facts dd { margin: 0; font-size: 1.6rem; line-height: 1.2; font-weight: 600; }
.facts div:first-child dd { color: var(--blue); }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin-top: 2rem; padding: 0.6rem 0; border-block: 1px solid var(--line); font-size: 0.9rem; }
nav a { color: var(--muted); text-decoration: none; }
nav a:hover, nav a:focus-visible { color: var(--blue); text-decoration: underline; }

.scroll { overflow-x: auto; margin-bottom: 1.75rem; }
.scroll:last-child { margin-bottom: 0; }
.scroll table { min-width: 42rem; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem; margin: 1.25rem 0 0.75rem; color: var(--muted); font-size: 0.8125rem; }
.tools [role='status'] { flex: 1; }
.tools :is(input, button, textarea) { padding: 0.25rem 0.6rem; border: 1px solid var(--line); border-radius: 0.35rem; background: var(--raised); color: var(--ink); font: inherit; }
.tools :is(input, textarea) { border-color: var(--muted); background: var(--paper); }
.tools textarea { flex-basis: 100%; height: 8rem; font-family: var(--mono); white-space: pre; }
.tools button { cursor: pointer; }
.tools button:hover { border-color: var(--blue); }
th button { padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: inherit; text-decoration: underline dotted; text-underline-offset: 0.25em; cursor: pointer; }
th button:hover, th[aria-sort] button { color: var(--blue); }
th[aria-sort='ascending'] button::after { content: ' ↑'; }
th[aria-sort='descending'] button::after { content: ' ↓'; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; line-height: 1.4; }
caption { max-width: calc(100vw - 2.5rem); padding-bottom: 0.75rem; color: var(--muted); text-align: left; }
th, td { padding: 0.5rem 0.9rem 0.5rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-weight: 500; white-space: nowrap; border-bottom-color: var(--muted); }
tbody th { font-weight: 500; white-space: nowrap; }
th.number, td.number { text-align: right; }
.number, .text { white-space: nowrap; }
.warm .better .lift, td.lift.better { color: var(--blue); font-weight: 600; }
.warm .worse .lift, td.lift.worse { color: var(--red); font-weight: 600; }
.group th { padding-top: 1.1rem; font-weight: 600; }
.group span { display: inline-block; position: sticky; left: 0; max-width: calc(100vw - 2.5rem); white-space: normal; }
.group small { color: var(--muted); font-size: inherit; font-weight: 400; }
:is(.results, .lifts, .others) { font-size: 0.8125rem; }
:is(.results, .lifts, .others) :is(th, td):not(:last-child) { padding-right: 0.6rem; }
:is(.results, .lifts, .others) thead th { white-space: normal; }
:is(.results, .lifts, .others) tr:not(.group) th[scope='row'] { min-width: 9rem; white-space: normal; }
.results td small { display: block; color: var(--muted); font-size: 0.75rem; }
.scratch tr:not(.group) { color: var(--muted); }
td.gap { color: var(--muted); font-style: italic; text-align: left; }
.scroll table.small { min-width: 0; }
table.small thead th { white-space: normal; vertical-align: bottom; }
.findings tbody th { white-space: normal; min-width: 12rem; }

figure { margin: 0 0 1.75rem; }
figcaption { color: var(--muted); font-size: 0.85rem; line-height: 1.5; }
figcaption strong { color: var(--ink); font-weight: 600; }
svg { display: block; overflow: visible; max-width: 100%; height: auto; font-family: inherit; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.75rem 2.5rem; align-items: start; }
.panels figure { margin: 0; min-width: 0; max-width: 36rem; }
.panels svg { width: 100%; max-width: 36rem; }
.panels figcaption { margin-bottom: 0.5rem; }
.panel-title { margin: 0 0 0.25rem; font-size: 0.9rem; font-weight: 600; }
.scratch .panel-title { color: var(--muted); }
figure.lift figcaption { max-width: 42rem; margin-top: 0.5rem; }
ul.note { padding-left: 1.25rem; }
.note { margin: 0.75rem 0 1.5rem; max-width: 42rem; color: var(--muted); font-size: 0.85rem; line-height: 1.5; }
.key { font-weight: 600; }
.key.blue { color: var(--blue); } .key.red { color: var(--red); } .key.grey { color: var(--muted); } .key.orange { color: var(--orange-text); }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.5rem 2rem; }
.curves figure { margin: 0; max-width: 30rem; }
.curves svg { width: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0 0 0.4rem; padding: 0; list-style: none; }
.swatch { display: inline-block; width: 0.9em; height: 0.2em; margin-right: 0.4em; vertical-align: 0.25em; border-radius: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }

.track { display: block; height: 0.4rem; border-radius: 0.2rem; background: var(--line); overflow: hidden; }
.fill { display: block; height: 100%; border-radius: inherit; }
.fill.blue { background: var(--blue); } .fill.grey { background: var(--muted); }
.track, .fill { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.cost .track { width: 8rem; margin-top: 0.4rem; }
.bar-row { display: grid; grid-template-columns: 7.5rem 1fr 3rem; gap: 0.75rem; align-items: center; font-size: 0.9rem; }
.attention { max-width: 36rem; }
.attention .track { height: 0.7rem; }
.attention .number { text-align: right; }
.attention figcaption { margin-top: 0.6rem; }

.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1.25rem; }
.example { margin: 0; padding: 1rem; border-radius: 0.6rem; background: var(--raised); break-inside: avoid; }
.strip, .strip ol { display: flex; gap: 0.5rem; min-width: 0; }
.strip ol { margin: 0; padding: 0; list-style: none; }
.strip li, .clicked { flex: 0 1 4.25rem; width: 4.25rem; min-width: 0; }
.example figcaption { margin-top: 0.6rem; }
.photo { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; margin-bottom: 0.4rem; border-radius: 0.35rem; background: #ffffff; }
.photo.missing { display: grid; place-items: center; background: none; border: 1px dashed var(--muted); color: var(--muted); font-size: 0.7rem; line-height: 1.1; text-align: center; }
.clicked .photo { outline: 2px solid var(--orange); outline-offset: 1px; }
.weight { display: block; margin-top: 0.2rem; color: var(--muted); font-size: 0.75rem; text-align: center; font-variant-numeric: tabular-nums; }
.cosine { display: block; margin-top: 0.15rem; color: var(--muted); font-size: 0.7rem; text-align: center; font-variant-numeric: tabular-nums; }
.track.thin { height: 0.2rem; margin-top: 0.3rem; }
.largest .weight { color: var(--ink); font-weight: 600; }
.clicked .weight { margin-inline: -0.5rem; color: var(--orange-text); font-weight: 600; white-space: nowrap; }
.arrow { flex: none; align-self: center; margin-bottom: 2rem; color: var(--muted); }
.neighbours { display: grid; grid-template-columns: 5rem 1fr; gap: 0 1.5rem; margin-bottom: 1.25rem; }
.neighbours figcaption { grid-column: 1 / -1; }
.neighbours .clicked { width: 100%; }
.rows { display: grid; gap: 0.75rem; min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.75rem, 1fr)); gap: 0.5rem; margin: 0; padding: 0; list-style: none; }
.tiles li { min-width: 0; }
.panels.maps { align-items: end; }
#examples .panels { margin-bottom: 1.75rem; }
.map svg { padding: 0.25rem; border-radius: 0.6rem; background: var(--raised); }
.map small { color: var(--muted); }
.swatch.dot { width: 0.65em; height: 0.65em; border-radius: 50%; vertical-align: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.counts { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem 1.5rem; margin: 0 0 1.5rem; }
.counts dt { color: var(--muted); font-size: 0.85rem; }
.counts dd { margin: 0; font-weight: 600; }
.manifest { margin: 1.25rem 0; font-size: 0.9rem; }
.manifest div { display: grid; grid-template-columns: 8rem 1fr; gap: 0 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
.manifest dt { color: var(--muted); }
.manifest dd { margin: 0; min-width: 0; }
code, pre { font-family: var(--mono); font-size: 0.85rem; }
pre { margin: 0; padding: 0.9rem 1rem; border-radius: 0.5rem; background: var(--raised); overflow-x: auto; white-space: pre-wrap; }
summary { color: var(--muted); font-size: 0.9rem; cursor: pointer; }
details pre { margin-top: 0.75rem; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: 0.85rem; }

@media (max-width: 36rem) {
  body { padding-top: 2rem; }
  .manifest div { grid-template-columns: 1fr; }
  .example { padding: 0.75rem; }
  .strip, .strip ol { gap: 0.3rem; }
}
@media print {
  :root { color-scheme: light; }
  html { font-size: 9pt; }
  body { max-width: none; padding: 0; }
  nav, .tools { display: none; }
  th button { color: inherit; text-decoration: none; }
  details::details-content { height: auto; content-visibility: visible; }
  section { padding-top: 2rem; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  .scroll table { min-width: 0; }
  :is(.results, .lifts, .others) :is(th, td):not(:last-child) { padding-right: 0.35rem; }
}
`;
