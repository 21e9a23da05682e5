import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../../src/experiment/experiment';
import { tableOf, cellText, columnTitle } from '../../../../src/study/runs-table/runs-columns';
import { runFields, type RunSource } from '../../../../src/study/runs-table/fields';
import { columnAt, valueAt, type RunsTable } from '../../../../src/study/runs-table/table';
import type { NewEvent, RunEvent } from '../../../../src/protocol/events';
import { evaluated, finished, metrics, spec, started } from '../../extension/run-maker';
import { loraSpec } from '../../specs';

const events = (...list: NewEvent[]): RunEvent[] =>
  list.map((event, seq) => ({ v: 1, seq, t: 1000 * seq, ...event }) as RunEvent);

const source = (id: string, more: Partial<RunSource> = {}): RunSource => ({
  folder: `/runs/${id}`,
  id,
  name: id,
  experiment: 'demo',
  state: 'finished',
  spec,
  events: events(started, evaluated(40, 0.8), evaluated(80, 0.7, false), finished(80, 0.8)),
  user: {},
  ...more,
});

const withSeed = (seed: number): Experiment => ({ ...spec, training: { ...spec.training, seed } });
const table = (...runs: RunSource[]): RunsTable => tableOf(runs.map(runFields));
const value = ({ columns, rows }: RunsTable, row: number, key: string) =>
  valueAt(columns, rows[row], columnAt(columns, key));
const shown = ({ columns }: RunsTable) => columns.filter((c) => c.shown).map((c) => c.key);

describe('the columns of a table of runs', () => {
  it('are what describes runs, their metrics, and the settings that differ', () => {
    const lora = { ...spec, adapter: loraSpec({ rank: 4 }) };
    const found = table(source('a'), source('b', { spec: lora, user: { tags: ['good'], star: true } }));
    expect(shown(found)).toEqual([
      'name',
      'state',
      'accuracy',
      'loss',
      ...['adapter.method', 'adapter.rank', 'adapter.alpha'].filter((key) => shown(found).includes(key)),
      ...shown(found).filter((key) => key.startsWith('adapter.') && !/method|rank$|alpha$/.test(key)),
      'parameters',
      'started',
      'duration',
      'tags',
      'training.seed',
    ]);
    expect(value(found, 1, 'adapter.method')).toBe('lora');
    expect(value(found, 1, 'tags')).toEqual(['good']);
    expect(found.columns.find((c) => c.key === 'training.batchSize')?.same).toBe(16);
    expect(value(found, 0, 'training.batchSize')).toBe(16);
  });

  it('include the alarms of a run that has any, beside its state', () => {
    const at = { step: 30, since: 25, value: 9, threshold: 2, reference: 1 };
    const troubled = source('b', {
      events: events(
        started,
        { kind: 'alarm', alarm: 'loss-jump', ...at },
        {
          kind: 'diverged-evaluation',
          step: 40,
          epoch: 1,
          reason: 'exploded',
          seconds: 1,
          metrics: metrics(0.5),
        },
        evaluated(80, 0.7),
        finished(80, 0.7),
      ),
    });
    const found = table(source('a'), troubled);
    expect(shown(found).slice(0, 3)).toEqual(['name', 'state', 'alarms']);
    const column = found.columns[columnAt(found.columns, 'alarms')];
    expect([0, 1].map((row) => cellText(column, value(found, row, 'alarms')))).toEqual([
      '',
      'evaluations diverged, loss jumped',
    ]);
    expect(shown(table(source('a')))).not.toContain('alarms');
  });

  it('have what varies first, training before the method, and not what one method alone has', () => {
    const methods = [spec.adapter, loraSpec({ rank: 4 })];
    const runs = methods.flatMap((adapter, i) =>
      [1e-3, 1e-2, 5e-2].map((learningRate, j) =>
        source(`${i}${j}`, {
          spec: { ...spec, adapter, training: { ...spec.training, learningRate, epochs: 3 + i, seed: j } },
        }),
      ),
    );
    const found = table(...runs);
    const settings = shown(found).filter((key) => /^(adapter|training)\./.test(key));
    expect(settings.slice(0, 3)).toEqual(['training.learningRate', 'training.epochs', 'adapter.method']);
    expect(settings.at(-1)).toBe('training.seed');
    // The method says as much; each can be chosen.
    expect(settings.filter((key) => /gridSize|splineOrder|fixed|learnable|activation/.test(key))).toEqual([]);
    expect(found.columns.find((c) => c.key === 'adapter.gridSize')).toMatchObject({ shown: false });
    const at = columnAt(found.columns, 'training.learningRate');
    expect(
      found.rows.slice(0, 3).map((row) => cellText(found.columns[at], valueAt(found.columns, row, at))),
    ).toEqual(['1e-3', '1e-2', '5e-2']);
    // Once runs of that method differ in it, it is shown.
    const grid = { ...spec.adapter, gridSize: 9 } as Experiment['adapter'];
    expect(shown(table(...runs, source('grid', { spec: { ...spec, adapter: grid } })))).toContain(
      'adapter.gridSize',
    );
  });

  it('have what is tried before what it is tried on', () => {
    const other = { ...withSeed(1), data: { ...spec.data, train: '/b.csv' } };
    const [first, second] = table(source('a'), source('b', { spec: other })).columns.filter(
      (c) => c.kind === 'setting' && c.same === undefined,
    );
    expect([first.key, second.key]).toEqual(['training.seed', 'data.train']);
  });

  it('have the best and the last value of each metric, the parameters and the time of training', () => {
    const found = table(source('a'), source('b', { spec: withSeed(1) }));
    expect(value(found, 0, 'accuracy')).toBe(0.8);
    expect(value(found, 0, 'accuracy.last')).toBe(0.7);
    expect(value(found, 0, 'loss')).toBeCloseTo(0.2);
    expect(value(found, 0, 'parameters')).toBe(1000);
    expect(value(found, 0, 'duration')).toBe(60);
    expect(value(found, 1, 'training.seed')).toBe(1);
    const title = (key: string) => columnTitle(found.columns[columnAt(found.columns, key)]);
    expect([title('accuracy'), title('accuracy.last'), title('training.seed')]).toEqual([
      'accuracy',
      'accuracy (last)',
      'seed',
    ]);
  });

  it('have the score on the test set, and no last value after a divergence', () => {
    const scored: NewEvent = { kind: 'test-evaluation', step: 40, metrics: metrics(0.6), seconds: 1 };
    const dead: NewEvent = {
      kind: 'diverged-evaluation',
      step: 90,
      epoch: 2,
      reason: 'non-finite',
      seconds: 1,
    };
    const found = table(
      source('a', { events: events(started, evaluated(40, 0.8), scored) }),
      source('b', { events: events(started, evaluated(40, 0.8), dead), state: 'diverged' }),
    );
    expect(value(found, 0, 'accuracy.test')).toBe(0.6);
    expect(value(found, 1, 'accuracy')).toBe(0.8);
    expect(value(found, 1, 'accuracy.last')).toBe(null);
  });

  it('have the training loss while a run trains', () => {
    const found = table(source('a', { state: 'running', trainingLoss: 0.12345 }), source('b'));
    expect(shown(found)).toContain('trainingLoss');
    expect(shown(table(source('b')))).not.toContain('trainingLoss');
    const column = found.columns[columnAt(found.columns, 'trainingLoss')];
    expect([0, 1].map((row) => cellText(column, value(found, row, 'trainingLoss')))).toEqual(['0.1235', '']);
  });

  it('keep a run that cannot be read, without settings that it may not have', () => {
    const found = table(source('a'), {
      folder: '/x',
      id: 'x',
      name: 'x',
      experiment: 'demo',
      state: 'damaged',
      user: {},
    });
    expect(value(found, 1, 'state')).toBe('damaged');
    expect(value(found, 1, 'training.batchSize')).toBe(null);
    expect(found.columns.filter((c) => c.kind === 'setting' && c.same === undefined)).toEqual([]);
  });

  it('read as a person writes them', () => {
    const small = { ...spec, training: { ...spec.training, learningRate: 1e-4 } };
    const found = table(source('a'), source('b', { spec: small, user: { star: true } }));
    const text = (row: number, key: string) =>
      cellText(found.columns[columnAt(found.columns, key)], value(found, row, key));
    expect([text(0, 'accuracy'), text(0, 'loss'), text(0, 'parameters'), text(0, 'duration')]).toEqual([
      '80.0%',
      '0.2000',
      '1,000',
      '1 min',
    ]);
    expect([text(0, 'training.learningRate'), text(1, 'training.learningRate'), text(1, 'star')]).toEqual([
      '1e-3',
      '1e-4',
      '★',
    ]);
    expect(text(0, 'note')).toBe('');
  });
});
