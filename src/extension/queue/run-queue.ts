import { randomUUID } from 'node:crypto';
import type { Experiment } from '../../experiment/experiment';
import type { ResumeOptions } from '../launcher/client';

/** The work that a queued item starts. */
export type QueuedWork =
  /** A new run of the experiment's text as it was when it was queued. */
  | { kind: 'run'; text: string }
  /** Continues the run in this folder. */
  | { kind: 'resume'; run: string }
  | { kind: 'fork'; run: string; step: number; overrides: string[] }
  /** The experiment's sweep, as its file is when it starts. `decided` has the user's earlier decisions. */
  | { kind: 'sweep'; decided?: ResumeOptions }
  /**
   * The claim in this folder: if its file makes another one by then, that is an error. `seconds` are those of a run of each
   * method, if they have been measured.
   */
  | { kind: 'claim'; folder: string; seconds?: readonly number[]; decided?: ResumeOptions };

/** A run or a sweep that waits for the running ones to end. */
export type QueuedRun = QueuedWork & {
  id: string;
  /** The experiment file's path. */
  file: string;
  /** The settings with all defaults, for its name. */
  spec: Experiment;
  /** The time when it was queued, in ms since 1970. */
  at: number;
};

export type NewQueued = QueuedWork & Pick<QueuedRun, 'file' | 'spec'>;

/** The reason why an item needs the user to start: an earlier window queued it, or its start failed. */
export type Held = 'earlier' | 'failed';

/** The store of the queue while the window is closed; VS Code's workspaceState. */
export interface QueueMemory {
  get(): unknown;
  set(items: readonly QueuedRun[]): void;
}

/**
 * The runs of a workspace that wait, first in, first out. Those from an earlier window, and those that could not be
 * started, are held: they start only after the user agrees.
 */
export class RunQueue {
  private waiting: QueuedRun[];
  private readonly held: Map<string, Held>;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly memory: QueueMemory) {
    this.waiting = parseItems(memory.get());
    this.held = new Map(this.waiting.map((item) => [item.id, 'earlier']));
  }

  get items(): readonly QueuedRun[] {
    return this.waiting;
  }

  heldBecause(id: string): Held | undefined {
    return this.held.get(id);
  }

  /** @returns its position, from 1; a run to resume or a sweep that waits already keeps its own */
  add(item: NewQueued, now = Date.now()): number {
    const at = this.waiting.findIndex((q) => isSameWork(q, item));
    if (at >= 0) return at + 1;
    this.change([...this.waiting, { ...item, id: randomUUID(), at: now }]);
    return this.waiting.length;
  }

  /** Takes one out, to start it or to drop it; undefined if it is not there any more. */
  take(id: string): QueuedRun | undefined {
    const item = this.waiting.find((q) => q.id === id);
    if (!item) return undefined;
    this.held.delete(id);
    this.change(this.waiting.filter((q) => q !== item));
    return item;
  }

  /** Puts one that could not be started back to the front, where it waits for the user. */
  putBack(item: QueuedRun): void {
    this.held.set(item.id, 'failed');
    this.change([item, ...this.waiting]);
  }

  /** The next one that may start. */
  next(): QueuedRun | undefined {
    return this.waiting.find((item) => !this.held.has(item.id));
  }

  /** The user agrees to those that are held. */
  release(): void {
    this.held.clear();
    this.tell();
  }

  onDidChange(listener: () => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  private change(items: QueuedRun[]): void {
    this.waiting = items;
    this.memory.set(items);
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** New runs and forks can be queued several times. */
const isSameWork = (a: NewQueued, b: NewQueued): boolean =>
  (a.kind === 'sweep' && b.kind === 'sweep' && a.file === b.file) ||
  (a.kind === 'claim' && b.kind === 'claim' && a.folder === b.folder) ||
  (a.kind === 'resume' && b.kind === 'resume' && a.run === b.run);

/** Ignores data that another version may have stored. */
function parseItems(stored: unknown): QueuedRun[] {
  if (!Array.isArray(stored)) return [];
  return (stored as Partial<QueuedRun>[]).filter(
    (item): item is QueuedRun =>
      typeof item?.id === 'string' &&
      typeof item.file === 'string' &&
      typeof item.at === 'number' &&
      typeof item.spec?.adapter?.method === 'string' &&
      isWork(item),
  );
}

function isWork(item: Partial<QueuedRun>): boolean {
  switch (item.kind) {
    case 'run':
      return typeof item.text === 'string';
    case 'resume':
      return typeof item.run === 'string';
    case 'fork':
      return typeof item.run === 'string' && typeof item.step === 'number' && Array.isArray(item.overrides);
    case 'claim':
      return typeof item.folder === 'string';
    default:
      return item.kind === 'sweep';
  }
}
