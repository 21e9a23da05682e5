/**
 * Rows with a head, as Markdown.
 *
 * @param numbers whether all columns but the first hold numbers, which stand to the right; or which do, from 0
 */
export function table(head: string[], rows: string[][], numbers: boolean | readonly number[] = true): string {
  const right = (i: number) => (typeof numbers === 'boolean' ? numbers && i > 0 : numbers.includes(i));
  return [head, head.map((_, i) => (right(i) ? '--:' : ':--')), ...rows]
    .map((r) => `| ${r.join(' | ')} |`)
    .join('\n');
}

/** Names from the user's files, and words of drivers, are text and nothing else. */
export const escape = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>()#+!|~&$-]/g, '\\$&').replace(/\s+/g, ' ');

/** A name as code: no mark of its own ends it. */
export const code = (name: string): string => `\`${name.replace(/[`|\s]/g, ' ')}\``;
