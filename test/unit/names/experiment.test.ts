import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataHead } from '../../../src/extension/language/data-head';
import { analyze, modelPathOf } from '../../../src/extension/language/analysis';
import { hoverAt } from '../../../src/extension/language/hover-text';
import { budgetText } from '../../../src/extension/language/lens-text';
import { suggestionsAt } from '../../../src/extension/language/suggestions';
import { writeAdapter, readExperiment } from '../../../src/extension/panels/budget/budget-experiment';
import { computeBudget, parseFields } from '../../../src/extension/panels/budget/compute-budget';
import { forkChoices, valueProblem } from '../../../src/extension/commands/training/fork-choices';
import { loadModel } from '../../../src/graph/file/load';
import { summarize } from '../../../src/graph/summary';
import {
  changeExperiment,
  settingChanges,
  forkedExperiment,
} from '../../../src/runs/experiment/setting-changes';
import { comparisonText } from '../../../src/runs/experiment/comparison-text';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials, loadSweep, parseExperiment } from '../../../src/runs/experiment/load';
import { writeFileSync } from 'node:fs';
import { spec } from '../extension/run-maker';
import { temporaryFolders } from '../runs/folder';
import { FIXTURE } from '../extension/language/lab';
import { eachHandled, handled, HOSTILE, json, name, object } from './names';

const makeFolder = temporaryFolders();
const model = { state: 'known' as const, summary: summarize(loadModel(FIXTURE)) };

/** The sections of an experiment, and invalid names. */
const section = fc.oneof(name, fc.constantFrom('model', 'data', 'adapter', 'training', 'sweep', 'task'));
const key = fc.oneof(
  { weight: 2, arbitrary: name },
  {
    weight: 3,
    arbitrary: fc.constantFrom('method', 'targetModules', 'rankPattern', 'alphaPattern', 'type', 'trials'),
  },
  fc.constantFrom('parameters', 'path', 'train', 'textColumn', 'labelColumn', 'output', 'epochs'),
);
const dotted = fc.array(fc.oneof(name, section, key), { minLength: 1, maxLength: 4 }).map((p) => p.join('.'));

/** Experiments with names in odd places: mostly invalid, some valid. */
const experiment = fc
  .tuple(
    fc.array(fc.tuple(section, fc.oneof(json, fc.array(fc.tuple(key, json)).map(object))), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([sections, whole]) =>
    object([
      ...(whole
        ? ([
            ['model', object([['path', '"m.onnx"']])],
            ['data', object([['train', '"t.csv"']])],
          ] as const)
        : []),
      ...sections,
    ]),
  );

/** Experiments that are valid except for their names, so that they get as far as possible. */
const patterns = fc
  .tuple(name, name, name, name, fc.array(fc.tuple(dotted, fc.array(json, { minLength: 1, maxLength: 2 }))))
  .map(([a, b, c, d, parameters]) =>
    object([
      [
        'model',
        object([
          ['path', '"m.onnx"'],
          ['output', JSON.stringify(d)],
        ]),
      ],
      [
        'data',
        object([
          ['train', '"t.csv"'],
          ['textColumn', JSON.stringify(a)],
          ['labelColumn', JSON.stringify(b)],
        ]),
      ],
      [
        'adapter',
        object([
          ['targetModules', JSON.stringify([c, 'query'])],
          ['excludeModules', JSON.stringify([d])],
          [
            'rankPattern',
            object([
              [a, '2'],
              [b, '3'],
            ]),
          ],
          ['alphaPattern', object([[c, '2']])],
        ]),
      ],
      ...(parameters.length > 0
        ? ([
            [
              'sweep',
              object([
                ['type', '"grid"'],
                ['parameters', object(parameters.map(([k, values]) => [k, `[${values.join(',')}]`]))],
              ]),
            ],
          ] as const)
        : []),
    ]),
  );

describe('names of inherited members in experiments', () => {
  it.each([
    ['anywhere', experiment],
    ['as columns, targets, patterns and settings', patterns],
  ])('are handled by the command line and the editor: %s', async (_, texts) => {
    const folder = makeFolder();
    const file = join(folder, 'x.aurora.json');
    writeFileSync(join(folder, 't.csv'), `${HOSTILE.join(',')}\n${HOSTILE.join(',')}\n`);
    writeFileSync(join(folder, 'm.onnx'), readFileSync(FIXTURE));
    await eachHandled('experiment', fc.tuple(texts, dotted, json), async ([text, path, value]) => {
      const checked = checkWithTrials(new ExperimentText(file, text));
      await handled('parseExperiment', () => parseExperiment(file, text, []));
      await handled('--set', () => parseExperiment(file, text, [`${path}=${value}`]));
      writeFileSync(file, text);
      await handled('loadSweep', () => loadSweep(file));
      await handled('loadSweep --set', () => loadSweep(file, [`${path}=${value}`]));
      await modelPathOf(checked.doc);
      const analysis = await analyze(checked, { model, unusable: [], known: [], head: readDataHead });
      for (const match of text.matchAll(/"/g)) {
        hoverAt(analysis, match.index + 1);
        suggestionsAt(analysis, match.index + 1, []);
      }
      budgetText(analysis);
      const values = readExperiment(text);
      const fields = { ...values.fields, model: '', loraRank: '8' };
      const { choice } = parseFields(fields);
      await handled('writeAdapter', () => choice && writeAdapter(text, choice));
      computeBudget(fields, { modules: model.summary.layers }, values.others);
    });
  });

  it('are handled as settings of a fork or a comparison', async () => {
    await eachHandled('fork', fc.tuple(dotted, json), async ([path, value]) => {
      await handled('change', () => settingChanges(spec, changeExperiment(spec, [`${path}=${value}`], 'f')));
      await handled('fork', () => forkedExperiment(spec, [`${path}=${value}`], 'f'));
      forkChoices(spec);
      valueProblem(spec, path, value);
    });
    await eachHandled('comparison', fc.tuple(experiment, json), ([text, pattern]) =>
      comparisonText(text, {
        adapters: [{ spec: { ...spec.adapter, rankPattern: JSON.parse(pattern) } as never, parameters: 1 }],
        learningRates: [1],
        seeds: [1],
      }),
    );
  });

  it('are ordinary names where any name is allowed', () => {
    const rankPattern = object(HOSTILE.map((n) => [n, '2']));
    const made = parseExperiment(
      '/x.aurora.json',
      object([
        ['model', object([['path', '"m.onnx"']])],
        [
          'data',
          object([
            ['train', '"t.csv"'],
            ['labelColumn', '"__proto__"'],
          ]),
        ],
        ['adapter', object([['rankPattern', rankPattern]])],
      ]),
      [],
    );
    const again = parseExperiment('/x.aurora.json', JSON.stringify(made), []);
    for (const { adapter, data } of [made, again]) {
      expect(Object.keys((adapter as { rankPattern: object }).rankPattern)).toEqual([...HOSTILE]);
      expect(data.labelColumn).toBe('__proto__');
    }
  });
});
