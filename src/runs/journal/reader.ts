import { holdsNull } from '../../experiment/metrics';
import { AuroraError } from '../../base/errors';
import { EVENT_VERSION, type EventBase, type RunEvent } from '../../protocol/events';
import { oneWriter, type OneWriter } from './writers';

/** Typed by its own keys, so that a new kind of event cannot be forgotten here. */
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
  reused: true,
  checkpoint: true,
  activations: true,
  warning: true,
  stopped: true,
  failed: true,
  finished: true,
};

/** Bytes up to and with the last line end. What follows is a line still being written, or torn by a crash. */
export const wholeLines = (bytes: Uint8Array): number => bytes.lastIndexOf(0x0a) + 1;

/**
 * Every event of the journal in order, unknown ones too; a torn last line is left out. Of two trainers that wrote at
 * the same time, only the first one's. A line that is complete but no event, or out of its place, is an AuroraError
 * (`run`).
 */
export const parseJournal = (bytes: Uint8Array, where: string): EventBase[] => read(bytes, where).events;

/** The events that count (effectiveEvents), and where two trainers wrote at the same time a warning about that. */
export function journalEvents(bytes: Uint8Array, where: string): RunEvent[] {
  const { events, conflict } = read(bytes, where);
  if (!conflict) return effectiveEvents(events);
  const { at, t, lines } = conflict;
  const message = `Two trainers wrote this run at the same time. The journal shows the first one's lines; ${lines} of the second one's are left out, and checkpoints may be from either.`;
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
    // Told below.
  }
  if (typeof event?.v !== 'number' || typeof event.t !== 'number' || !Number.isSafeInteger(event.seq))
    throw misplaced(where, i);
  return event as EventBase;
}

const misplaced = (where: string, i: number): AuroraError =>
  new AuroraError(
    'run',
    `${where}:${i + 1} is not event ${i} of a run's journal.`,
    'The file was changed or damaged after it was written; restore it from a copy.',
  );

/** Whether this version knows the event; readers pass over all others. */
const isKnown = (event: EventBase): event is RunEvent =>
  event.v <= EVENT_VERSION && Object.hasOwn(KINDS, (event as RunEvent).kind);

/**
 * The events that count: known ones, without what a later `resumed {fromStep}` took back, which is every
 * earlier event of a step after `fromStep`.
 */
export function effectiveEvents(events: readonly EventBase[]): RunEvent[] {
  let kept: RunEvent[] = [];
  for (const event of events) {
    if (!isKnown(event)) continue;
    if (event.kind === 'resumed') kept = kept.filter((e) => !('step' in e) || e.step <= event.fromStep);
    kept.push(withoutNulls(event));
  }
  return kept;
}

/** A diverged evaluation as earlier versions wrote it gets the kind that it has now. */
function withoutNulls(event: RunEvent): RunEvent {
  if (event.kind !== 'evaluation' || !holdsNull(event.metrics)) return event;
  const { v, seq, t, step, epoch, seconds, form } = event;
  return {
    ...{ v, seq, t, step, epoch, seconds, ...(form && { form }) },
    kind: 'diverged-evaluation',
    reason: 'non-finite',
  };
}
