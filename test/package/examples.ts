/** The examples of a Markdown document: programs, and what each says that it prints. */

export interface Example {
  /** The heading that it stands under, and its place there. */
  readonly name: string;
  readonly program: string;
  /** Its lines of output. */
  readonly prints: readonly string[];
}

/** Every block of TypeScript. What a `console.log` prints stands after it as a comment. */
export function examplesOf(markdown: string): readonly Example[] {
  return markdown.split(/^## /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    const blocks = [...section.matchAll(/^```ts\n(.*?)^```$/gms)];
    return blocks.map(([, program = ''], place): Example => {
      const prints = [...program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text = '']) => text);
      return { name: `${heading} ${place + 1}`, program, prints };
    });
  });
}
