/** The places of what a pattern finds, and what is between, in a pre-tokenizer of tokenizers (SplitDelimiterBehavior). */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

interface Section {
  text: string;
  found: boolean;
}

/**
 * Divides a text as tokenizers' Rust does (tokenizer/normalizer.rs, `split`).
 *
 * @param pattern a global one
 * @param invert true if what is between the places counts as found
 */
export function splitWith(text: string, pattern: RegExp, behavior: SplitBehavior, invert = false): string[] {
  const sections = sectionsOf(text, pattern, invert);
  return joined(sections, behavior).filter((part) => part !== '');
}

function sectionsOf(text: string, pattern: RegExp, invert: boolean): Section[] {
  const sections: Section[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (end < index) sections.push({ text: text.slice(end, index), found: invert });
    sections.push({ text: match, found: !invert });
    end = index + match.length;
  }
  if (end < text.length) sections.push({ text: text.slice(end), found: invert });
  return sections;
}

function joined(sections: readonly Section[], behavior: SplitBehavior): string[] {
  switch (behavior) {
    case 'Removed':
      return sections.filter(({ found }) => !found).map(({ text }) => text);
    case 'Isolated':
      return sections.map(({ text }) => text);
    case 'MergedWithPrevious':
      return merge(sections, (found, before) => found && !before);
    case 'Contiguous':
      return merge(sections, (found, before) => found === before);
    case 'MergedWithNext': {
      const parts: string[] = [];
      let after = false;
      for (const { text, found } of sections.toReversed()) {
        if (found && !after && parts.length > 0) parts[parts.length - 1] = text + parts.at(-1)!;
        else parts.push(text);
        after = found;
      }
      return parts.reverse();
    }
  }
}

/** @param isPart true where a section continues the part before it */
function merge(sections: readonly Section[], isPart: (found: boolean, before: boolean) => boolean): string[] {
  const parts: string[] = [];
  let before = false;
  for (const { text, found } of sections) {
    if (isPart(found, before) && parts.length > 0) parts[parts.length - 1] += text;
    else parts.push(text);
    before = found;
  }
  return parts;
}
