import type { EventBase, RunEvent } from '../../protocol/events';

export interface OneWriter {
  /** The lines that count, numbered from 0 without gaps. */
  events: EventBase[];
  /** Lines that do not count: the place of the first among those that do, its time, and their number. */
  conflict?: { at: number; t: number; lines: number };
}

/**
 * Two trainers that wrote to a journal at the same time numbered their lines independently. The first owner's lines are
 * kept. Each line names its writer (`w`), and the first line of an owner that ended another's claim names that one
 * (`after`). In older journals, the second trainer is recognized by the line `resumed` with which it started.
 *
 * @returns the index of the first line that is out of place, if no second writer explains it
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
      // The first owner is still writing, so the owner that started meanwhile was the second.
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

/** The index of the first line after this writer's last one. */
const followersOf = (kept: readonly EventBase[], w: string): number =>
  kept.findLastIndex((e) => e.w === w) + 1;

/** Whether these are the first lines of a resumed trainer. */
function isResume(lines: readonly EventBase[]): boolean {
  const kinds = lines.map((e) => (e as RunEvent).kind);
  return kinds.find((kind) => kind !== 'requested' && kind !== 'warning') === 'resumed';
}
