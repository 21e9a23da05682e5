/** Longer names are not typos, and comparing two takes time in proportion to the product of their lengths. */
const LONGEST = 300;

/**
 * Levenshtein distance: edits (insert, delete, replace a character) that turn a into b. If one of two different strings
 * has more than 300 characters, they count as completely different.
 */
export function editDistance(a: string, b: string): number {
  if (a === b) return 0;
  if (Math.max(a.length, b.length) > LONGEST) return Math.max(a.length, b.length);
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length]!;
}

/** The candidate most likely meant by an unknown name, ignoring case; undefined if there is none. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  return candidates
    .map((candidate) => ({ candidate, d: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, d }) => d <= Math.max(name.length, candidate.length) / 2)
    .sort((a, b) => a.d - b.d)[0]?.candidate;
}
