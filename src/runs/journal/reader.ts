import { AuroraError } from '../../base/errors';
import { damaged } from '../../files/json';
import { EVENT_VERSION, type EventBase, type RunEvent } from '../../protocol/events';
import { isWhole } from './check-event';
import { oneWriter, type OneWriter } from './writers';

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
  checkpoint: true,
  activations: true,
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
