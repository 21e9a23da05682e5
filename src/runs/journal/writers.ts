import type { EventBase } from '../../protocol/events';

export interface OneWriter {
  /** The lines that count, numbered from 0 without gaps. */
  events: EventBase[];
  /** Lines that do not count: the place of the first among those that do, its time, and their number. */
  conflict?: { at: number; t: number; lines: number };
}

/**
 * Two trainers that wrote to a journal at the same time numbered their lines independently. The first owner's lines are
 * kept. Each line names its writer (`w`), and the first line of an owner that ended another's claim names that one
 * (`after`).
 *
 * @returns the index of the first line that is out of place, if no second writer explains it
 */
export function oneWriter(lines: readonly EventBase[]): OneWriter | number {
  const kept: EventBase[] = [];
  const known = new Set<string | undefined>();
  const others = new Set<string | undefined>();
  let conflict: OneWriter['conflict'];
  const drop = (count: number, at: number, t: number) =>
    (conflict = {
      at: Math.min(at, conflict?.at ?? at),
      t: conflict?.t ?? t,
      lines: (conflict?.lines ?? 0) + count,
    });
  for (const [i, line] of lines.entries()) {
    const { w, seq, t } = line;
    const returns = kept.at(-1)?.w !== w && known.has(w);
    if (others.has(w)) drop(1, kept.length, t);
    else if (returns && kept[followersOf(kept, w)].after === w) drop(1, kept.length, t);
    else if (returns) {
      // The first owner is still writing, so the owner that started in between was the second.
      const first = followersOf(kept, w);
      const followers = kept.splice(first);
      for (const follower of followers) others.add(follower.w);
      drop(followers.length, first, followers[0].t);
      if (seq !== kept.length) return i;
      kept.push(line);
    } else if (seq === kept.length) kept.push(line);
    else if (seq > kept.length || known.has(w)) return i;
    else {
      others.add(w);
      drop(1, kept.length, t);
    }
    known.add(w);
  }
  return { events: kept, conflict };
}

/** The index of the first line after this writer's last one. */
const followersOf = (kept: readonly EventBase[], w: string | undefined): number =>
  kept.findLastIndex((e) => e.w === w) + 1;
