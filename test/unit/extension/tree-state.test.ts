import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedTags, tagChoices } from '../../../src/extension/commands/runs/tag-choices';
import { sameSettings } from '../../../src/extension/language/lens-text';
import { isDemo, storedDemos } from '../../../src/extension/runs/demo-places';
import type { RunEntry } from '../../../src/extension/runs/store';
import { Folding } from '../../../src/extension/tree/folding';
import {
  interruptedMessage,
  interruptedRow,
  interruptedRuns,
} from '../../../src/extension/tree/experiment-row';
import type { StopReason } from '../../../src/protocol/events';
import { readRunSummary } from '../../../src/runs/run-summary';
import { temporaryFolders } from '../runs/folder';
import { context } from './row-context';
import { makeRun, started } from './run-maker';

const folder = temporaryFolders();

describe('a run that ended with its window', () => {
  const stopped = (reason: StopReason, second = 1): RunEntry => {
    const run = makeRun(join(folder(), 'demo.aurora.json'), {
      at: new Date(Date.UTC(2025, 0, 2, 3, 4, second)),
      events: [started, { kind: 'stopped', step: 240, reason }],
      status: { state: 'stopped', step: 240 },
    });
    const summary = readRunSummary(run);
    return { folder: run, id: summary.id, experiment: '', state: 'stopped', run: summary, user: {} };
  };
  const closed = stopped('window-closed');

  it('is shown above all experiments, with the step and the way to resume it', () => {
    expect(interruptedRuns([{ runs: [closed] }], [])).toEqual([closed]);
    const row = interruptedRow(closed, false, context);
    expect(`${row.label} ${row.description}`).toBe('Stopped at step 240 window closed · Resume');
    expect(row.capabilities).toContain('canResume');
    expect(interruptedMessage([closed])).toBe('demo stopped at step 240 because the window closed.');
    expect(interruptedMessage([])).toBeUndefined();
    expect(interruptedRow(closed, true, context).label).toBe('demo: stopped at step 240');
    const untrusted = interruptedRow(closed, false, { ...context, trusted: false });
    expect(untrusted.description).toBe('window closed');
    expect(untrusted.capabilities).not.toContain('canResume');
  });

  it('is not shown if the user stopped it, dismissed it, or went on with a newer run', () => {
    expect(interruptedRuns([{ runs: [stopped('requested')] }], [])).toEqual([]);
    expect(interruptedRuns([{ runs: [closed] }], [closed.folder])).toEqual([]);
    expect(interruptedRuns([{ runs: [stopped('requested', 2), closed] }], [])).toEqual([]);
    expect(interruptedRuns([{ runs: [{ ...closed, state: 'running' }] }], [])).toEqual([]);
  });
});

describe('the expanded rows', () => {
  it('are kept for the next window', () => {
    const kept = new Map<string, unknown>();
    const memory = {
      get: <T>(key: string) => kept.get(key) as T | undefined,
      update: (key: string, value: unknown) =>
        Promise.resolve(void kept.set(key, JSON.parse(JSON.stringify(value)))),
    };
    const folding = new Folding(memory);
    folding.set('experiment:a', false);
    folding.set('run:b', true);
    folding.set('experiment:a', true);
    const next = new Folding(memory);
    expect(['experiment:a', 'run:b', 'run:c'].map((id) => next.isExpanded(id))).toEqual([
      true,
      true,
      undefined,
    ]);
    kept.set('experiments.folding', { other: 'version' });
    expect(new Folding(memory).isExpanded('run:b')).toBeUndefined();
  });
});

describe('the tags of several runs', () => {
  const choices = tagChoices(['old', 'b10', 'b9'], [['old', 'mine'], ['old']]);

  it('are listed with those of all other runs', () => {
    expect(choices.map(({ tag, has }) => `${tag}: ${has}`)).toEqual([
      'b9: none',
      'b10: none',
      'mine: some',
      'old: all',
    ]);
  });

  it('change only where the user changed them', () => {
    expect(changedTags(['old', 'mine'], choices, ['b9', 'new'])).toEqual(['mine', 'b9', 'new']);
    expect(changedTags(['old'], choices, ['old', 'mine'])).toEqual(['old', 'mine']);
  });
});

describe('an experiment that was edited', () => {
  it('has other settings only if a value changed', () => {
    const text = '{ "a": 1, "b": [1, 2], "sweep": { "type": "grid" } }';
    expect(sameSettings(text, '// why\n{ "b": [1, 2,], "a": 1.0 }')).toBe(true);
    expect(sameSettings(text, '{ "a": 2, "b": [1, 2] }')).toBe(false);
    expect(sameSettings(text, '{ "a": 1, "b": [1,')).toBe(false);
  });
});

describe('the demos', () => {
  it('are recognized in a workspace and in the storage of the extension', () => {
    expect(storedDemos('/storage').every(isDemo)).toBe(true);
    expect(isDemo('/w/aurora-demo/debian-sections.aurora.json')).toBe(true);
    expect(isDemo('/w/mine/debian-sections.aurora.json')).toBe(false);
    expect(isDemo('/w/aurora-demo/mine.aurora.json')).toBe(false);
  });
});
