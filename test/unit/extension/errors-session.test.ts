import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { ErrorsSession, type ErrorsHost } from '../../../src/extension/panels/errors/errors-session';
import { predictionsFile } from '../../../src/runs/predictions';
import type { MeasuredOn } from '../../../src/experiment/evaluation-sets';
import type { RunEvent } from '../../../src/protocol/events';
import {
  parseErrorsMessage,
  parseErrorsOpen,
  type ErrorsFromHost,
} from '../../../src/protocol/panels/errors';
import { encodePredictions, type PredictionFacts } from '../../../src/protocol/predictions';
import { temporaryFolders } from '../runs/folder';
import { predictions } from '../protocol/columns';

const folder = temporaryFolders();
/** Only for what hangs. */
const SLOW = { timeout: 120_000 };
const metrics = { loss: 0.5, accuracy: 0.5, f1: 0.5, matthews: 0, examples: 2 };
const evaluation = (more: object = {}) =>
  ({ kind: 'evaluation', step: 120, metrics, best: true, ...more }) as unknown as RunEvent;

/** A run with a checkpoint of step 120 and its predictions for two texts. */
function lab(
  more: Partial<PredictionFacts> = {},
  events: RunEvent[] = [evaluation()],
  on: MeasuredOn = 'validation',
) {
  const run = folder();
  const data = join(run, 'validation.jsonl');
  writeFileSync(data, '{}\n{}\n');
  const sha256 = createHash('sha256').update('{}\n{}\n').digest('hex');
  const made = predictions(
    [
      { label: 0, shares: [0.3, 0.7] },
      { label: 1, shares: [0.1, 0.9] },
    ],
    { data: { file: data, sha256 }, evaluation: metrics, ...more },
  );
  const file = predictionsFile(run, 120, on);
  mkdirSync(dirname(file));
  writeFileSync(file, encodePredictions(made));
  const said: ErrorsFromHost[] = [];
  const host = {
    run,
    step: 120,
    on,
    post: (message) => void said.push(message),
    facts: () => Promise.resolve({ name: 'first try', experiment: 'tiny', events, sets: ['validation', on] }),
    predict: vi.fn<ErrorsHost['predict']>(() => Promise.resolve()),
    cancel: vi.fn(),
    openRow: vi.fn(),
    openSet: vi.fn(),
    copy: vi.fn(),
    failed: vi.fn(),
  } satisfies ErrorsHost;
  return { run, data, file, made, said, host, session: new ErrorsSession(host) };
}

/** The messages to the page once the session is idle. */
async function told({ said, session }: ReturnType<typeof lab>, least = 1): Promise<ErrorsFromHost[]> {
  session.refresh();
  await vi.waitFor(() => expect(said.length).toBeGreaterThanOrEqual(least), SLOW);
  await new Promise((resolve) => setTimeout(resolve, 50));
  return said.splice(0);
}

describe('the Errors panel', () => {
  it('sends the predictions without any path', async () => {
    const w = lab();
    const [message, ...rest] = await told(w);
    expect(rest).toEqual([]);
    const { data, ...predictions } = w.made;
    expect(message).toEqual({
      type: 'predictions',
      run: 'first try',
      experiment: 'tiny',
      file: 'validation.jsonl',
      on: 'validation',
      sets: ['validation', 'validation'],
      predictions,
    });
    expect(JSON.stringify(message)).not.toContain(dirname(data.file));
  });

  it('opens a row of several files in its own file, and looks again when that is saved', async () => {
    const parts = [
      { file: 'part-0.jsonl', before: 0 },
      { file: 'part-1.jsonl', before: 1 },
    ];
    const w = lab({ data: { file: '/data/part-*.jsonl', sha256: '', parts } });
    expect((await told(w))[0]).toMatchObject({ file: 'part-*.jsonl', parts });
    w.session.receive({ type: 'openRow', example: 1 });
    expect(w.host.openRow.mock.calls).toEqual([['/data/part-1.jsonl', w.made.columns.line[1]! - 1]]);
    w.session.saved('/data/part-2.jsonl');
    w.session.saved('/data/part-1.jsonl');
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predictions']), SLOW);
  });

  it('reports predictions that are outdated because the data or the run changed', async () => {
    const w = lab();
    writeFileSync(w.data, '{}\n{ }\n');
    expect((await told(w, 2))[1]).toEqual({ type: 'outdated', because: 'data' });
    // Saving a file in the editor triggers a check, but only for the data file.
    w.session.saved(join(w.run, 'other.jsonl'));
    w.session.saved(w.data);
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predictions', 'outdated']), SLOW);
    w.said.length = 0;
    rmSync(w.data);
    expect(await told(w)).toHaveLength(1);
    const anew = [evaluation({ metrics: { ...metrics, loss: 0.4 } })];
    for (const events of [anew, [], [evaluation({ form: 'static' })]])
      expect((await told(lab({}, events), 2))[1]).toEqual({ type: 'outdated', because: 'run' });
    // For a checkpoint that was never evaluated, nothing is reported.
    expect(await told(lab({ evaluation: undefined }, []))).toHaveLength(1);
  });

  it('notices a change of the data by another program, once', async () => {
    const w = lab();
    await told(w);
    await w.session.look();
    expect(w.said).toEqual([]);
    writeFileSync(w.data, '{}\n{ "text": "longer" }\n');
    await w.session.look();
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predictions', 'outdated']), SLOW);
    w.said.length = 0;
    await w.session.look();
    expect(w.said).toEqual([]);
    // Restored, also by a program that replaces the file.
    rmSync(w.data);
    writeFileSync(w.data, '{}\n{}\n');
    await w.session.look();
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predictions']), SLOW);
  });

  it('notices a file that appears among those of a pattern', async () => {
    const at = folder();
    writeFileSync(join(at, 'part-0.jsonl'), '{}\n');
    const parts = [{ file: 'part-0.jsonl', before: 0 }];
    const w = lab({ data: { file: join(at, 'part-*.jsonl'), sha256: '', parts } });
    await told(w, 2);
    writeFileSync(join(at, 'part-1.jsonl'), '{}\n');
    await w.session.look();
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predictions', 'outdated']), SLOW);
  });

  it('shows the predictions for another set, and compares them with its own score', async () => {
    const score = { kind: 'test-evaluation', step: 120, set: 'films', metrics } as unknown as RunEvent;
    const w = lab({}, [evaluation({ metrics: {} }), score], 'evaluations.films');
    const [message, ...rest] = await told(w);
    expect(rest).toEqual([]);
    expect(message).toMatchObject({ on: 'evaluations.films', sets: ['validation', 'evaluations.films'] });
    w.session.receive({ type: 'openSet', on: 'test' });
    expect(w.host.openSet.mock.calls).toEqual([['test']]);
    expect((await told(lab({}, [], 'evaluations.films'), 2))[1]).toEqual({
      type: 'outdated',
      because: 'run',
    });
  });

  it('opens the row of an example that exists', async () => {
    const w = lab();
    w.session.receive({ type: 'openRow', example: 1 });
    expect(w.host.openRow).not.toHaveBeenCalled();
    await told(w);
    w.session.receive({ type: 'openRow', example: 1 });
    w.session.receive({ type: 'openRow', example: 2 });
    expect(w.host.openRow.mock.calls).toEqual([[w.data, 2]]);
    w.session.receive({ type: 'copy', text: 'a,b' });
    expect(w.host.copy.mock.calls).toEqual([['a,b']]);
  });

  it('reports missing or damaged predictions and shows them once they are computed again', async () => {
    const w = lab();
    writeFileSync(w.file, '{');
    const name = basename(w.file);
    expect(await told(w)).toEqual([{ type: 'error', message: expect.stringContaining(name), again: true }]);
    w.host.predict.mockImplementation(() => {
      writeFileSync(w.file, encodePredictions(w.made));
      return Promise.resolve();
    });
    w.session.receive({ type: 'predict' });
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predicting', 'predictions']), SLOW);
    expect(w.host.predict.mock.calls.map(([again]) => again)).toEqual([true]);
  });

  it('predicts what was not predicted yet, and shows what there is so far', async () => {
    const w = lab();
    const whole = encodePredictions(w.made);
    rmSync(w.file);
    w.host.predict.mockImplementation(async (_, tell) => {
      tell({ done: 1, of: 2, predictions: whole });
      await vi.waitFor(() => expect(w.said.some((m) => m.type === 'predictions')).toBe(true), SLOW);
      // A page that was hidden gets the same again, and nothing is begun twice.
      w.said.length = 0;
      w.session.refresh();
      expect(w.said.map((m) => m.type)).toEqual(['predicting', 'predictions']);
      expect(w.said[1]).toMatchObject({ partial: { done: 1, of: 2 } });
      w.said.length = 0;
      writeFileSync(w.file, whole);
    });
    w.session.refresh();
    await vi.waitFor(() => expect(w.said.map((m) => m.type)).toEqual(['predictions']), SLOW);
    expect(w.said[0]).not.toHaveProperty('partial');
    // The second time costs nothing.
    await told(w);
    expect(w.host.predict).toHaveBeenCalledTimes(1);
  });

  it('offers to try again after a failure, and stops when the page is closed', async () => {
    const w = lab();
    rmSync(w.file);
    w.host.predict.mockImplementation(() =>
      Promise.reject(new AuroraError('run', 'The model is gone.', 'Restore it.')),
    );
    expect((await told(w, 2)).at(-1)).toEqual({
      type: 'error',
      message: 'The model is gone. Restore it.',
      again: true,
    });
    w.host.predict.mockImplementation(() => Promise.resolve());
    w.session.receive({ type: 'predict' });
    await vi.waitFor(() => expect(w.said.at(-1)).toMatchObject({ message: 'Nothing was predicted.' }), SLOW);
    w.host.predict.mockImplementation(() => new Promise(() => undefined));
    w.session.receive({ type: 'predict' });
    w.session.receive({ type: 'cancel' });
    w.session.dispose();
    expect(w.host.cancel).toHaveBeenCalledTimes(2);
  });

  it('reports an unreadable run, and nothing after it is closed', async () => {
    const w = lab();
    w.host.facts = () => Promise.reject(new Error('spec.json is missing.'));
    expect(await told(w)).toEqual([{ type: 'error', message: 'spec.json is missing.', again: false }]);
    expect(w.host.failed).toHaveBeenCalledTimes(1);
    w.session.dispose();
    expect(await told(w, 0)).toEqual([]);
  });

  it('accepts only known messages', () => {
    const known = [
      { type: 'predict' },
      { type: 'cancel' },
      { type: 'openRow', example: 3 },
      { type: 'copy', text: 'x' },
    ];
    for (const message of known) expect(parseErrorsMessage(message)).toEqual(message);
    const unknown = [
      undefined,
      null,
      'predict',
      {},
      { type: 'openRow' },
      { type: 'openRow', example: -1 },
      { type: 'openRow', example: 1.5 },
      { type: 'openRow', example: '1' },
      { type: 'copy', text: 1 },
      { type: 'openFile', file: '/etc/passwd' },
    ];
    for (const message of unknown) expect(parseErrorsMessage(message)).toBeUndefined();
    expect(parseErrorsOpen({ run: '/r', step: 0, more: 1 })).toEqual({ run: '/r', step: 0 });
    for (const open of [undefined, null, {}, { run: '/r' }, { run: 1, step: 1 }, { run: '/r', step: -1 }])
      expect(parseErrorsOpen(open)).toBeUndefined();
  });
});
