import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { html, trusted } from './html.ts';

interface ParsedImage {
  readonly attributes: { readonly length: number };
  getAttribute(name: string): string | null;
}

describe('html', () => {
  it('escapes text, numbers pass, null is nothing, lists are joined', () => {
    const items = ['<b>', 'a & b'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}</ul>${null}${1.5}`.toString()).toBe(
      '<ul><li>&lt;b&gt;</li><li>a &amp; b</li></ul>1.5',
    );
  });

  it('does not escape what it made itself, nor what is marked as trusted', () => {
    expect(html`${html`<i>${'<'}</i>`}${trusted('<hr>')}`.toString()).toBe('<i>&lt;</i><hr>');
  });

  it('keeps a quote from ending an attribute', () => {
    expect(html`<img alt="${'"><img onerror=alert(1)>'}">`.toString()).toBe(
      '<img alt="&quot;&gt;&lt;img onerror=alert(1)&gt;">',
    );
  });

  it('takes out control characters and characters that reverse the direction of writing', () => {
    expect(html`${'a\u0000b\u001bc\u202ed\ne'}`.toString()).toBe('a b c d\ne');
  });

  it('never lets any text become an element or an attribute', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('<', '>', '"', "'", '`', '&', '/', 'script', ' onload=', '-->', ']]>', 'a'), {
          maxLength: 12,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const page = html`<body><p>${text}</p><img alt="${text}"></body>`.toString();
        const { document } = parseHTML(page);
        const image: ParsedImage = document.querySelector('img');
        expect(document.querySelectorAll('*')).toHaveLength(3);
        expect(image.attributes).toHaveLength(1);
      }),
    );
  });
});
