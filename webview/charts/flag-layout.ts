import { kindOf, MARK_KINDS, type Mark, type MarkKind } from './marks';

/** Marks that are shown as one flag, because they are too close to each other. */
export interface Flag {
  /** Its middle, in pixels from the left end of the axis. */
  left: number;
  /** The most important one's. */
  kind: MarkKind;
  /** In their order on the axis. */
  marks: Mark[];
}

/**
 * Flags that do not overlap: marks closer than the width of a flag are one.
 *
 * @param project x to pixels from the left end of the axis
 * @param width of the axis; marks outside of it are left out
 * @param size distance between the middles of two flags, in pixels
 */
export function layoutFlags(
  marks: readonly Mark[],
  project: (x: number) => number,
  width: number,
  size: number,
): Flag[] {
  const placed = marks
    .filter(({ label }) => label !== undefined)
    .map((mark) => ({ mark, at: project(mark.x) }))
    .filter(({ at }) => at >= -0.5 && at <= width + 0.5)
    .sort((a, b) => a.at - b.at);
  const flags: (Flag & { from: number })[] = [];
  for (const { mark, at } of placed) {
    const last = flags.at(-1);
    if (last && at < last.left + size) {
      last.marks.push(mark);
      // In the middle of its marks. It only moves to the right, away from the flag before it.
      last.left = (last.from + at) / 2;
    } else flags.push({ left: at, from: at, kind: 'checkpoint', marks: [mark] });
  }
  return flags.map(({ left, marks: own }) => ({ left, kind: mostImportant(own), marks: own }));
}

const mostImportant = (marks: readonly Mark[]): MarkKind => {
  const kinds = marks.map(kindOf);
  return MARK_KINDS.find((kind) => kinds.includes(kind))!;
};
