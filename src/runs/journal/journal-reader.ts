import { AuroraError } from '../../base/errors';
import { damaged } from '../../files/json';
import { isMetrics } from '../../protocol/evaluations';
import { EVENT_VERSION, type EventBase, type RunEvent } from '../../protocol/events';

/** The type requires every kind of event, so that a new one cannot be forgotten here. */
const KINDS: Record<RunEvent['kind'], true> = {
  forked: true,
  imported: true,
  'inputs-accepted': true,
  requested: true,
  started: true,
  device: true,
  resumed: true,
  evaluation: true,
  'diverged-evaluation': true,
  alarm: true,
  'test-evaluation': true,
  'quantization-cost': true,
  reused: true,
  ranks: true,
  checkpoint: true,
  activations: true,
  'rank-budget': true,
  warning: true,
  stopped: true,
  failed: true,
  finished: true,
};

const AT_END: ReadonlySet<RunEvent['kind']> = new Set(['test-evaluation', 'quantization-cost']);

/** Bytes up to and including the last line break. The rest is still being written, or was torn by a crash. */
export const wholeLines = (bytes: Uint8Array): number => bytes.lastIndexOf(0x0a) + 1;

/**
 * Every event of the journal in order, including unknown ones, without a torn last line. If two trainers wrote at the
 * same time, only the events of the first. Throws AuroraError (`run`) for a complete line that is not an event or is
 * out of place.
 */
export const parseJournal = (bytes: Uint8Array, where: string): EventBase[] => read(bytes, where).events;

/** The events that count (effectiveEvents), with a warning if two trainers wrote at the same time. */
export function journalEvents(bytes: Uint8Array, where: string): RunEvent[] {
  const { events, conflict } = read(bytes, where);
  if (!conflict) return effectiveEvents(events);
  const { at, t, lines } = conflict;
  const message = `Two trainers wrote to this run at the same time. The journal shows the lines of the first; ${lines} of the second are left out, and checkpoints may be from either.`;
  const warning: RunEvent = { v: EVENT_VERSION, seq: at, t, kind: 'warning', message };
  return effectiveEvents([...events.slice(0, at), warning, ...events.slice(at)]);
}

function read(bytes: Uint8Array, where: string): OneWriter {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, wholeLines(bytes)).toString('utf8');
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line, i) => parseLine(line, i, where));
  const result = oneWriter(lines);
  if (typeof result === 'number') throw misplaced(where, result);
  return result;
}

function parseLine(line: string, i: number, where: string): EventBase {
  let event: Partial<EventBase> | null = null;
  try {
    event = JSON.parse(line);
  } catch {
    // Reported below.
  }
  if (typeof event?.v !== 'number' || typeof event.t !== 'number' || !Number.isSafeInteger(event.seq))
    throw misplaced(where, i);
  const base = event as EventBase;
  if (isKnown(base) && !isWhole(base))
    throw damaged(`${where}:${i + 1}`, `has an event "${base.kind}" without what belongs to it`);
  return base;
}

const misplaced = (where: string, i: number): AuroraError =>
  new AuroraError(
    'run',
    `${where}:${i + 1} is not event ${i} of a run's journal.`,
    'The file was changed or damaged after it was written; restore it from a copy.',
  );

/** True if this version knows the event; readers ignore all others. */
const isKnown = (event: EventBase): event is RunEvent =>
  event.v <= EVENT_VERSION && Object.hasOwn(KINDS, (event as RunEvent).kind);

/**
 * The events that count: known ones, except those that a later `resumed {fromStep}` revoked, which are all earlier
 * events of a step after `fromStep`, and the events that a run gets only at its end: scores on evaluation sets, and the
 * cost of quantization.
 */
export function effectiveEvents(events: readonly EventBase[]): RunEvent[] {
  let kept: RunEvent[] = [];
  for (const event of events) {
    if (!isKnown(event)) continue;
    if (event.kind === 'resumed')
      kept = kept.filter((e) => !AT_END.has(e.kind) && (!('step' in e) || e.step <= event.fromStep));
    kept.push(event);
  }
  return kept;
}

type Check = (value: unknown) => boolean;

const number: Check = (v) => typeof v === 'number';
const text: Check = (v) => typeof v === 'string';
const flag: Check = (v) => typeof v === 'boolean';
const object: Check = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const listOf =
  (check: Check): Check =>
  (v) =>
    Array.isArray(v) && v.every(check);
const record =
  (fields: Record<string, Check>): Check =>
  (v) =>
    object(v) && Object.entries(fields).every(([key, check]) => check((v as Record<string, unknown>)[key]));
const optional =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v);

/** Numbers that are not finite are null in a file. The code that shows absent labels checks them. */
const metrics: Check = (v) =>
  object(v) &&
  Object.entries(v as object).every(
    ([key, x]) => key === 'absentLabels' || x === null || typeof x === 'number',
  );
const evaluated: Check = (v) => v === 'diverged' || isMetrics(v);
const change = record({ role: text, path: text });

/** The fields that readers of a journal rely on, by kind of event. */
const FIELDS: Record<RunEvent['kind'], Record<string, Check>> = {
  forked: { fromRun: text, fromStep: number, changed: listOf(record({ key: text })) },
  imported: {
    adapter: text,
    peftType: text,
    combination: optional(
      record({ combination: text, adapters: listOf(record({ name: text, weight: number })) }),
    ),
  },
  'inputs-accepted': {
    step: number,
    files: listOf(change),
    trainExamples: number,
    validationExamples: number,
  },
  requested: { engine: text, device: (v) => text(v) || listOf(text)(v), fallBack: flag },
  started: {
    steps: number,
    epochs: number,
    trainExamples: number,
    packedRows: optional(number),
    validationExamples: number,
    labels: listOf(text),
    scale: optional(object),
    modules: listOf(text),
    trainable: number,
    trainableHead: number,
  },
  device: {
    step: number,
    engine: text,
    device: text,
    reason: text,
    tried: listOf(record({ engine: text, device: text })),
  },
  resumed: { fromStep: number, warnings: listOf(text) },
  evaluation: { step: number, epoch: number, metrics, best: flag, seconds: number },
  'diverged-evaluation': {
    step: number,
    epoch: number,
    reason: text,
    seconds: number,
    metrics: optional(metrics),
  },
  alarm: {
    alarm: text,
    step: number,
    since: number,
    value: optional(number),
    threshold: optional(number),
    reference: optional(number),
    answer: optional(text),
    what: optional(text),
  },
  'test-evaluation': { step: number, set: optional(text), metrics: evaluated, seconds: number },
  'quantization-cost': { step: number, bits: number, of: text, quantized: evaluated, float32: evaluated },
  reused: { upTo: text, found: flag },
  ranks: { step: number, ranks: (v) => object(v) && Object.values(v as object).every(number) },
  checkpoint: { step: number, path: text },
  activations: { step: number, path: text },
  'rank-budget': { step: number, kept: number, of: number },
  warning: { message: text },
  stopped: { step: number, reason: text },
  failed: { step: number, error: text, message: text, hint: optional(text) },
  finished: { step: number, best: metrics, last: metrics, seconds: number },
};

/** True if an event of a known kind has the fields that its readers rely on. */
const isWhole = (event: RunEvent): boolean => record(FIELDS[event.kind])(event);

interface OneWriter {
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
function oneWriter(lines: readonly EventBase[]): OneWriter | number {
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
