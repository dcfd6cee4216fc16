/** Numbers as a reader wants them, and texts from outside made harmless to look at. */

/** Characters that move a cursor, colour a terminal, or reverse the direction of what follows. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text from outside on one line, without control characters and not longer than `limit`. */
export function oneLine(text: string, limit = 200): string {
  const clean = text.slice(0, 4 * limit).replace(unprintable, ' ');
  const characters = [...clean];
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : clean;
}

/** The same for text of several lines: line breaks and tabs stay. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => (/[\n\t]/.test(character) ? character : ' '));
}

/** A number with a fixed number of decimals, a true minus sign, and never a negative zero. */
export function decimals(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

export function percent(share: number): string {
  return `${decimals(100 * share, 0)} %`;
}

export function integer(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1 ranker`, `1,200 rankers`. @param things in the plural, which ends with an s */
export function counted(count: number, things: string): string {
  return `${integer(count)} ${count === 1 ? things.slice(0, -1) : things}`;
}

/** A text between quotation marks, as a shell takes it for one word. */
export function shellWord(text: string): string {
  return /["$`\\]/.test(text) ? `'${text.replaceAll("'", `'\\''`)}'` : `"${text}"`;
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** unit).toFixed(unit < 2 ? 0 : 1)} ${units[unit]}`;
}
