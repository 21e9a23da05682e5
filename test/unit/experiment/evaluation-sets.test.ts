import { describe, expect, it } from 'vitest';
import { dataOfSet, evaluationSets } from '../../../src/experiment/evaluation-sets';
import { checkValue } from '../../../src/runs/experiment/check-value';
import { changeWords } from '../../../src/protocol/inputs-words';
import { namedInputs } from '../../../src/training/inputs/seen';
import { spec } from '../extension/run-maker';

const check = (data: object, task: object = {}) =>
  checkValue(
    { model: { path: 'm.onnx' }, data: { train: 'train.csv', ...data }, adapter: {}, training: {}, task },
    '/work/x.aurora.json',
  );

describe('data.test and data.evaluations', () => {
  it('have absolute paths, and are inputs of the run', () => {
    const { experiment, rule } = check({
      test: 'test.csv',
      evaluations: { boolq: { path: '../boolq.json' }, piqa: { path: '/piqa.json', labelColumn: 'answer' } },
    });
    expect(rule).toEqual([]);
    expect(experiment!.data).toMatchObject({
      test: '/work/test.csv',
      evaluations: { boolq: { path: '/boolq.json' }, piqa: { path: '/piqa.json', labelColumn: 'answer' } },
    });
    expect(
      evaluationSets(experiment!.data).map(({ name, path, key }) => [name, path, key.join('.')]),
    ).toEqual([
      [undefined, '/work/test.csv', 'data.test'],
      ['boolq', '/boolq.json', 'data.evaluations.boolq.path'],
      ['piqa', '/piqa.json', 'data.evaluations.piqa.path'],
    ]);
    const inputs = namedInputs(experiment!).filter(({ role }) => role === 'test' || role === 'evaluation');
    expect(inputs).toEqual([
      { role: 'test', path: '/work/test.csv' },
      { role: 'evaluation', path: '/boolq.json' },
      { role: 'evaluation', path: '/piqa.json' },
    ]);
    // A change of a file that is also trained or validated on must not pass for one of a test set.
    const again = check({ validation: 'v.csv', test: 'v.csv', evaluations: { a: { path: 'train.csv' } } });
    expect(namedInputs(again.experiment!).slice(-2)).toEqual([
      { role: 'train', path: '/work/train.csv' },
      { role: 'validation', path: '/work/v.csv' },
    ]);
    expect(changeWords({ ...inputs[0], before: 'a', after: 'b' })).toBe(
      'The test data /work/test.csv have changed',
    );
  });

  it.each([
    [{ evaluations: {} }, 'data.evaluations is {}, expected an object'],
    [{ evaluations: { a: {} } }, 'data.evaluations.a.path is missing'],
    [{ evaluations: { a: { path: 'a.csv', textcolumn: 'b' } } }, 'did you mean "textColumn"?'],
    [{ test: '' }, 'data.test is "", expected a non-empty string'],
  ])('are checked by the schema: %j', (data, message) => {
    expect(
      check(data)
        .schema.map((p) => p.message)
        .join(),
    ).toContain(message);
  });

  it('may name only columns that the kind of task reads', () => {
    const data = { evaluations: { a: { path: 'a.csv', completionColumn: 'answer' } } };
    expect(check(data).rule).toEqual([
      {
        path: ['data', 'evaluations', 'a', 'completionColumn'],
        message:
          'data.evaluations.a.completionColumn is for language models, and task.type is "text-classification"',
      },
    ]);
    expect(check(data, { type: 'causal-language-modeling' }).rule).toEqual([]);
  });
});

describe('the data of a set', () => {
  const set = (columns: object) => ({ name: 'a', path: '/a.csv', key: [], columns });

  it('have its file for validation, its columns, and all other settings of the experiment', () => {
    const data = { ...spec.data, validation: '/data/v.csv', quoting: 'none' } as const;
    expect(dataOfSet(data, set({ labelColumn: 'class' }))).toEqual({
      ...data,
      validation: '/a.csv',
      labelColumn: 'class',
    });
  });

  it('do not inherit a column that theirs replaces', () => {
    const of = (data: object, columns: object) =>
      dataOfSet({ ...spec.data, labelColumn: undefined, ...data }, set(columns));
    expect(of({ labelColumns: ['x'] }, { labelColumn: 'topics' })).not.toHaveProperty('labelColumns');
    expect(of({ messagesColumn: 'm' }, { completionColumn: 'c' })).not.toHaveProperty('messagesColumn');
    expect(of({ completionColumn: 'c' }, { messagesColumn: 'm' })).not.toHaveProperty('completionColumn');
    expect(of({ labelSeparator: ';' }, { labelColumns: ['x'] })).not.toHaveProperty('labelSeparator');
  });
});
