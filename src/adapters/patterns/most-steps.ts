/**
 * An upper bound on the steps of a backtracking engine to match an expression against a string of that length: the
 * product of all its choices. Infinite if a group is repeated or back-referenced, since choices then multiply with the
 * string. Far above the steps of most expressions, but never below.
 */
export function mostSteps(source: string, length: number): number {
  let product = 1;
  /** Alternatives of each open group, the whole expression first. */
  const open = [1];
  let afterGroup = false;
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    const isGroup = afterGroup;
    afterGroup = false;
    if (c === '\\') {
      i++;
      if (/[1-9k]/.test(source[i] ?? '')) return Infinity;
    } else if (c === '[') {
      while (++i < source.length && source[i] !== ']') if (source[i] === '\\') i++;
    } else if (c === '(') {
      open.push(1);
      // The kind of group.
      if (source[i + 1] === '?') i++;
    } else if (c === ')') {
      product *= open.length > 1 ? open.pop()! : 1;
      afterGroup = true;
    } else if (c === '|') open[open.length - 1]!++;
    else if (c === '?') product *= 2;
    else if (c === '*' || c === '+' || c === '{') {
      if (isGroup) return Infinity;
      product *= length + 1;
    }
  }
  // If the whole expression has alternatives, one without an anchor is tried at every position of the text.
  if (open[0]! > 1) product *= open[0]! * (length + 1);
  return product * (source.length + length);
}
