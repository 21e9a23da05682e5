import { describe, expect, it } from 'vitest';
import { queuedNames, queuedRow } from '../../../../src/extension/queue/queued-row';
import { RunQueue, type NewQueued, type QueuedRun } from '../../../../src/extension/queue/run-queue';
import { QueueStarter } from '../../../../src/extension/queue/starter';
import { busyQuestion } from '../../../../src/extension/queue/busy-words';
import type { RunEntry } from '../../../../src/extension/runs/store';
import { context } from '../row-context';
import { spec } from '../run-maker';
import { sweepEntry } from '../sweep-maker';

/** A workspaceState, which keeps its value while the window is closed. */
function memory(stored: unknown = undefined) {
  const kept = { value: stored };
  return { kept, get: () => kept.value, set: (items: unknown) => void (kept.value = structuredClone(items)) };
}

const run = (seed: number): NewQueued => ({
  kind: 'run',
  file: '/w/demo.aurora.json',
  text: `{ "seed": ${seed} }`,
  spec: { ...spec, training: { ...spec.training, seed } },
});

const textOf = (item: QueuedRun | undefined) => (item?.kind === 'run' ? item.text : undefined);

/** A starter whose runs end when the test says so. */
function machine(queue: RunQueue, fails: (item: QueuedRun) => boolean = () => false) {
  const started: (string | undefined)[] = [];
  let running = 0;
  const starter = new QueueStarter(queue, {
    busy: () => Promise.resolve(running > 0),
    start: (item) => {
      started.push(textOf(item));
      if (!fails(item)) running++;
      return Promise.resolve();
    },
  });
  queue.onDidChange(() => void starter.look());
  return {
    started,
    async end() {
      running--;
      await starter.look();
    },
    begin: () => void running++,
    look: () => starter.look(),
  };
}

describe('the queue of runs', () => {
  it('starts them in order, each when the one before has ended, with the text they were queued with', async () => {
    const queue = new RunQueue(memory());
    const { started, begin, end } = machine(queue);
    begin();
    expect([1, 2, 3].map((n) => queue.add(run(n)))).toEqual([1, 2, 3]);
    await end();
    expect(started).toEqual(['{ "seed": 1 }']);
    await end();
    await end();
    expect(started).toEqual([1, 2, 3].map((n) => `{ "seed": ${n} }`));
    expect(queue.items).toEqual([]);
  });

  it('goes on with the next one if one cannot be started', async () => {
    const queue = new RunQueue(memory());
    const { started, begin, end } = machine(queue, (item) => textOf(item)!.includes('1'));
    begin();
    [1, 2, 3].forEach((n) => queue.add(run(n)));
    await end();
    expect(started).toEqual(['{ "seed": 1 }', '{ "seed": 2 }']);
  });

  it('keeps them while the window is closed, and starts none of these until the user agrees', async () => {
    const kept = memory();
    const before = new RunQueue(kept);
    [1, 2].forEach((n) => before.add(run(n)));
    const queue = new RunQueue(kept);
    const { started, look, end } = machine(queue);
    await look();
    expect(started).toEqual([]);
    expect(queue.items.map((item) => [textOf(item), queue.heldBecause(item.id)])).toEqual([
      ['{ "seed": 1 }', 'earlier'],
      ['{ "seed": 2 }', 'earlier'],
    ]);
    // A run that is queued now does not wait for them.
    queue.add(run(3));
    await look();
    expect(started).toEqual(['{ "seed": 3 }']);
    queue.release();
    await end();
    expect(started).toEqual(['{ "seed": 3 }', '{ "seed": 1 }']);
  });

  it('keeps a run that could not be started at the front, until the user starts it', async () => {
    const kept = memory();
    const queue = new RunQueue(kept);
    const { started, begin, end } = machine(queue);
    begin();
    [1, 2].forEach((n) => queue.add(run(n)));
    queue.putBack(queue.take(queue.items[0].id)!);
    expect(queue.items.map((item) => [textOf(item), queue.heldBecause(item.id)])).toEqual([
      ['{ "seed": 1 }', 'failed'],
      ['{ "seed": 2 }', undefined],
    ]);
    await end();
    expect(started).toEqual(['{ "seed": 2 }']);
    expect(new RunQueue(kept).items.map(textOf)).toEqual(['{ "seed": 1 }']);
    const row = queuedRow('a', { kind: 'run', position: 1, held: 'failed' }, context);
    expect(row).toMatchObject({ description: 'could not be started', icon: { id: 'warning' } });
  });

  it('can be shortened, and survives what another version stored', () => {
    const kept = memory();
    const queue = new RunQueue(kept);
    [1, 2].forEach((n) => queue.add(run(n)));
    expect(textOf(queue.take(queue.items[0].id))).toBe('{ "seed": 1 }');
    expect(queue.take('gone')).toBeUndefined();
    expect(new RunQueue(kept).items.map(textOf)).toEqual(['{ "seed": 2 }']);
    const unknown = { ...run(1), id: 'x', at: 0, kind: 'another' };
    for (const other of [7, {}, [null, { id: 'x' }], [unknown]])
      expect(new RunQueue(memory(other)).items).toEqual([]);
  });

  it('shows each with a clock, its settings and its position', () => {
    const queue = new RunQueue(memory());
    [1, 2].forEach((n) => queue.add(run(n)));
    const names = queuedNames(queue.items, []);
    expect([...names.values()]).toEqual(['seed 1', 'seed 2']);
    const row = queuedRow('AuroRA r2 · seed 2', { kind: 'run', position: 2, held: undefined }, context);
    expect(row).toMatchObject({
      lead: '#2',
      description: 'queued · number 2',
      icon: { id: 'clock' },
      capabilities: ['queued', 'canUnqueue', 'canRunNow'],
      spoken: 'Run AuroRA r2 · seed 2, queued · number 2',
    });
    expect(
      queuedRow('a', { kind: 'run', position: 1, held: 'earlier' }, { ...context, trusted: false }),
    ).toMatchObject({
      description: 'queued in an earlier window',
      capabilities: ['queued', 'canUnqueue'],
    });
  });
});

describe('what else can wait', () => {
  it('is a resumed run, a fork or a sweep, each named after what it is', () => {
    const { file, spec } = run(1);
    const folder = '/w/.aurora/runs/demo/20250102T030405Z-1a2b3c4d';
    const kept = memory();
    const queue = new RunQueue(kept);
    queue.add({ kind: 'resume', run: folder, file, spec });
    queue.add({ kind: 'fork', run: folder, step: 40, overrides: ['training.learningRate=0.1'], file, spec });
    queue.add({ kind: 'sweep', file, spec });
    const runs = [{ folder, id: 'r', experiment: file, state: 'stopped' as const, user: { name: 'mine' } }];
    const names = queuedNames(new RunQueue(kept).items, [{ file, runs }]);
    expect([...names.values()]).toEqual(['Resume mine', 'Fork mine at step 40', 'Sweep']);
    expect(queuedRow('Resume mine', { kind: 'resume', position: 1, held: undefined }, context).spoken).toBe(
      'Resume mine, queued · next',
    );
    expect(queuedNames(queue.items, []).get(queue.items[0].id)).toMatch(/^Resume 2025-01-0/);
  });
});

describe('a second run', () => {
  const training: RunEntry = {
    folder: '/r',
    id: 'r',
    experiment: '/w/demo.aurora.json',
    state: 'running',
    user: { name: 'the first' },
  };

  it('is asked about by naming what is in progress', () => {
    const one = busyQuestion({ runs: [training], sweeps: [], claims: [], starting: [] }, 'run');
    expect(one).toMatchObject({ message: 'A run is already in progress.', stop: 'Stop the Other Run' });
    expect(one.detail).toMatch(/^demo · the first\n/);
    const sweep = busyQuestion(
      { runs: [], sweeps: [sweepEntry('running')], claims: [], starting: [] },
      'run',
    );
    expect(sweep).toMatchObject({ message: 'A sweep is already in progress.', stop: 'Stop the Sweep' });
    const several = busyQuestion(
      { runs: [training], sweeps: [sweepEntry('running')], claims: [], starting: [] },
      'run',
    );
    expect(several).toMatchObject({
      message: '2 runs are already in progress.',
      stop: 'Stop the Others',
    });
    const starting = busyQuestion({ runs: [], sweeps: [], claims: [], starting: ['demo'] }, 'run');
    expect(starting.stop).toBeUndefined();
  });

  it('says when a queued run starts, and with which settings', () => {
    const busy = { runs: [training], sweeps: [], claims: [], starting: [] };
    expect(busyQuestion(busy, 'run').detail).toContain('with the settings as they are now.');
    expect(busyQuestion(busy, 'sweep').detail).toContain('with the settings that its file has then.');
    for (const kind of ['resume', 'fork'] as const)
      expect(busyQuestion(busy, kind).detail).toContain('starts when nothing else is in progress. Runs');
  });
});
