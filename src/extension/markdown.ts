/**
 * Rows with a head, as Markdown.
 *
 * @param numbers whether all columns but the first hold numbers, which stand to the right
 */
export const table = (head: string[], rows: string[][], numbers = true): string =>
  [head, head.map((_, i) => (i > 0 && numbers ? '--:' : ':--')), ...rows]
    .map((r) => `| ${r.join(' | ')} |`)
    .join('\n');

/** Names from the user's files, and words of drivers, are text and nothing else. */
export const escape = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>()#+!|~&$-]/g, '\\$&').replace(/\s+/g, ' ');

/** A name as code: no mark of its own ends it. */
export const code = (name: string): string => `\`${name.replace(/[`|\s]/g, ' ')}\``;
