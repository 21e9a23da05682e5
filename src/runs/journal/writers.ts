import type { EventBase, RunEvent } from '../../protocol/events';

export interface OneWriter {
  /** The lines that count, numbered from 0 without gaps. */
  events: EventBase[];
  /** Where the first line that does not stood among those that do, and how many there are. */
  conflict?: { at: number; t: number; lines: number };
}

/**
 * Two trainers that wrote one journal at the same time numbered their lines independently. The first owner's lines
 * are kept. A line says who wrote it (`w`), and the first one of an owner that ended another's claim says that
 * (`after`); in older journals the second trainer is known by the line `resumed` with which it began.
 *
 * @returns the index of the first line that is out of place and that no second writer explains
 */
export function oneWriter(lines: readonly EventBase[]): OneWriter | number {
  const kept: EventBase[] = [];
  const known = new Set<string>();
  const others = new Set<string>();
  let conflict: OneWriter['conflict'];
  const drop = (count: number, at: number, t: number) =>
    (conflict = {
      at: Math.min(at, conflict?.at ?? at),
      t: conflict?.t ?? t,
      lines: (conflict?.lines ?? 0) + count,
    });
  for (const [i, line] of lines.entries()) {
    const { w, seq, t } = line;
    const returns = w !== undefined && kept.at(-1)?.w !== w && known.has(w);
    if (w !== undefined && others.has(w)) drop(1, kept.length, t);
    else if (returns && kept[followersOf(kept, w)].after === w) drop(1, kept.length, t);
    else if (returns) {
      // The first owner still writes: whoever began meanwhile was the second one.
      const first = followersOf(kept, w);
      const followers = kept.splice(first);
      for (const follower of followers) if (follower.w !== undefined) others.add(follower.w);
      drop(followers.length, first, followers[0].t);
      if (seq !== kept.length) return i;
      kept.push(line);
    } else if (seq === kept.length) kept.push(line);
    else if (seq > kept.length && !(conflict && w === undefined)) return i;
    else if (w !== undefined) {
      if (known.has(w)) return i;
      others.add(w);
      drop(1, kept.length, t);
    } else if (conflict) drop(1, kept.length, t);
    else if (isResume(kept.slice(seq))) {
      const second = kept.splice(seq);
      drop(second.length, seq, second[0].t);
      kept.push(line);
    } else if (isResume(lines.slice(i))) drop(1, kept.length, t);
    else return i;
    if (w !== undefined) known.add(w);
  }
  return { events: kept, ...(conflict && { conflict }) };
}

/** Where the lines begin that other writers wrote after the last one of this writer. */
const followersOf = (kept: readonly EventBase[], w: string): number =>
  kept.findLastIndex((e) => e.w === w) + 1;

/** Whether a trainer that was resumed begins with these lines. */
function isResume(lines: readonly EventBase[]): boolean {
  const kinds = lines.map((e) => (e as RunEvent).kind);
  return kinds.find((kind) => kind !== 'requested' && kind !== 'warning') === 'resumed';
}
