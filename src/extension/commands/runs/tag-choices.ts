export interface TagChoice {
  tag: string;
  /** The share of the runs that have it. */
  has: 'all' | 'some' | 'none';
}

/** All known tags in alphabetical order, and the share of the runs that has each. */
export function tagChoices(known: readonly string[], ofRuns: readonly (readonly string[])[]): TagChoice[] {
  const order = (a: string, b: string) => a.localeCompare(b, undefined, { numeric: true });
  return [...new Set([...known, ...ofRuns.flat()])].sort(order).map((tag) => {
    const count = ofRuns.filter((tags) => tags.includes(tag)).length;
    return { tag, has: count === 0 ? 'none' : count === ofRuns.length ? 'all' : 'some' };
  });
}

/**
 * A run's tags after the user's choice. A tag that only some of the runs had, and that was left unchecked, stays where
 * it was.
 */
export function changedTags(
  before: readonly string[],
  choices: readonly TagChoice[],
  checked: readonly string[],
): string[] {
  const kept = before.filter(
    (tag) => checked.includes(tag) || choices.find((c) => c.tag === tag)?.has === 'some',
  );
  return [...new Set([...kept, ...checked])];
}
