/**
 * A Markdown table.
 *
 * @param numbers true if all columns but the first are numeric and right-aligned; or which ones, zero-based
 */
export function table(head: string[], rows: string[][], numbers: boolean | readonly number[] = true): string {
  const right = (i: number) => (typeof numbers === 'boolean' ? numbers && i > 0 : numbers.includes(i));
  return [head, head.map((_, i) => (right(i) ? '--:' : ':--')), ...rows]
    .map((r) => `| ${r.join(' | ')} |`)
    .join('\n');
}

/** Names from the user's files and driver messages are escaped as plain text. */
export const escape = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>()#+!|~&$-]/g, '\\$&').replace(/\s+/g, ' ');

/** A name as a code span; backticks in it cannot end it. */
export const code = (name: string): string => `\`${name.replace(/[`|\s]/g, ' ')}\``;
