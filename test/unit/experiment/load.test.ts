import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials, loadExperiment } from '../../../src/runs/experiment/load';
import { METHOD_ORDER } from '../../../src/experiment/methods';
import { AuroraError, errorFrom, errorRecord, type KnownError } from '../../../src/base/errors';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aurora-experiment-'));
  file = join(folder, 'demo.aurora.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (text: string, ...set: string[]) => {
  writeFileSync(file, text);
  return loadExperiment(file, set);
};
function refusalOf(text: string, ...set: string[]): AuroraError {
  try {
    load(text, ...set);
  } catch (e) {
    expect(e).toBeInstanceOf(AuroraError);
    expect((e as AuroraError).kind).toBe('experiment');
    return e as AuroraError;
  }
  throw new Error('It was accepted.');
}
/** The lines of the error, without the file's path. */
const errorOf = (text: string, ...set: string[]): string[] =>
  refusalOf(text, ...set)
    .message.replaceAll(file, 'FILE')
    .split('\n');
const MINIMAL = '{ "model": { "path": "m/model.onnx" }, "data": { "train": "train.csv" } }';

describe('an experiment file', () => {
  it('may have comments, trailing commas, a byte order mark and a $schema', () => {
    const experiment = load(`\uFEFF// mine
      { "$schema": "x", "model": { "path": "a.onnx", /* here */ }, "data": { "train": "t.csv" }, }`);
    expect(experiment.model.path).toBe(join(folder, 'a.onnx'));
    expect(experiment).not.toHaveProperty('$schema');
  });

  it('resolves relative paths from its folder and keeps absolute ones', () => {
    const { model, data } = load(
      MINIMAL,
      'data.validation=../v.csv',
      `data.train=${join(folder, 'x', 't.csv')}`,
    );
    expect(model.path).toBe(join(folder, 'm', 'model.onnx'));
    expect(model.tokenizer).toBe(join(folder, 'm', 'tokenizer.json'));
    expect(data.validation).toBe(join(folder, '..', 'v.csv'));
    expect(data.train).toBe(join(folder, 'x', 't.csv'));
    expect(load(MINIMAL, 'model.tokenizer=t.json').model.tokenizer).toBe(join(folder, 't.json'));
  });

  it('uses the general rates for the head unless it has its own', () => {
    expect(load(MINIMAL, 'training.learningRate=0.5', 'training.weightDecay=0.25').training).toMatchObject({
      headLearningRate: 0.5,
      headWeightDecay: 0.25,
    });
    expect(
      load(MINIMAL, 'training.headLearningRate=0.1', 'training.headWeightDecay=0').training,
    ).toMatchObject({ headLearningRate: 0.1, headWeightDecay: 0, learningRate: 2e-3, weightDecay: 0.01 });
  });

  it('loads to the same experiment when its result is loaded again', () => {
    const experiment = load(MINIMAL, 'adapter={"method":"lora","rankPattern":{"a.*":3}}');
    expect(load(JSON.stringify(experiment))).toEqual(experiment);
  });
});

describe('errors in an experiment file', () => {
  it('give the place of invalid JSON', () => {
    expect(errorOf('{\n  "model": {},\n  "data" 3\n}')).toEqual([
      'FILE:3:10: this is not valid JSON: colon expected.',
    ]);
    expect(errorOf('}')).toEqual([expect.stringMatching(/^FILE:1:1: this is not valid JSON/)]);
    expect(errorOf('[1]')).toEqual(['FILE:1:1: the experiment is [1], expected an object: { … }.']);
  });

  it('carry the places, except for an override, which has none', () => {
    const text = '{\n  "model": {},\n  "typo": 3\n}';
    const thrown = refusalOf(text, 'adapter.rank=0');
    expect(thrown.mistakes).toEqual([
      { file, line: 1, column: 1, message: expect.stringMatching(/^data is missing/) as string },
      { file, line: 3, column: 3, message: expect.stringMatching(/^typo is not a known key/) as string },
      { file, line: 2, column: 3, message: expect.stringMatching(/^model\.path is missing/) as string },
    ]);
    expect(errorFrom(JSON.parse(JSON.stringify(errorRecord(thrown))) as KnownError)).toEqual(thrown);
  });

  it.each(['', ' \n\t', '// nothing\n/* at all */'])('report an empty file: %j', (text) => {
    expect(errorOf(text)).toEqual(['FILE:1:1: the file is empty.']);
    expect(checkWithTrials(new ExperimentText(file, text)).problems).toEqual([
      { path: [], message: 'the file is empty', offset: 0, from: 'content' },
    ]);
  });

  it.each([
    ['lists', '['],
    ['objects', '{"a":'],
    ['lists that something else seems to close', '[},'],
  ])('report 100,000 nested %s', (_, open) => {
    const text = `{ "training":\n${open.repeat(100_000)}`;
    const place = `FILE:2:${63 * open.length + 1}`;
    expect(errorOf(text)).toEqual([`${place}: objects and lists are nested more than 64 levels deep.`]);
    expect(checkWithTrials(new ExperimentText(file, text)).problems).toMatchObject([
      { from: 'content', path: [] },
    ]);
    expect(() => load(MINIMAL, `adapter.rank=${open.repeat(100_000)}`)).toThrow('--set adapter.rank: ');
  });

  it('list some of 20,000 unknown keys and count the others', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `"rnak${i}": 1`).join(',\n');
    const text = `{ "model": {"path": "m"}, "data": {"train": "t"}, "adapter": {${keys}} }`;
    const lines = errorOf(text);
    expect(lines).toHaveLength(101);
    expect(lines[1]).toMatch(/^FILE:2:1: adapter\.rnak1 is not a known key for the method aurora; /);
    expect(lines.at(-1)).toBe('FILE:1:1: and 19900 more like these.');
    const { problems } = checkWithTrials(new ExperimentText(file, text));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({ from: 'schema', path: [] });
  });

  it.each([
    [
      { targetModules: Array(10_001).fill('query') },
      'targetModules has 10,001 entries, more than the 10,000',
    ],
    [{ excludeModules: 'a'.repeat(20_001) }, 'excludeModules has 20,001 characters, more than the 20,000'],
    [{ targetModules: ['a'.repeat(20_001)] }, 'targetModules[0] has 20,001 characters, more than the 20,000'],
    [
      { layersToTransform: Array(10_001).fill(1) },
      'layersToTransform has 10,001 entries, more than the 10,000',
    ],
    [
      { rankPattern: Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`a${i}`, 1])) },
      'rankPattern has 2,001 keys, more than the 2,000',
    ],
    [
      { alphaPattern: { ['a'.repeat(20_001)]: 1 } },
      'alphaPattern has a key of 20,001 characters, more than the 20,000',
    ],
  ])('report a setting with too many entries or characters: %#', (adapter, message) => {
    const [only, ...others] = errorOf(MINIMAL, `adapter=${JSON.stringify(adapter)}`);
    expect(others).toEqual([]);
    expect(only!.endsWith(`: adapter.${message} allowed.`)).toBe(true);
  });

  it('name unknown keys with the nearest known one or all known ones', () => {
    const text =
      '{\n "model": {"path": "m"},\n "data": {"train": "t"},\n "training": {\n  "epoch": 3 },\n "zzzzzzzz": 1 }';
    expect(errorOf(text)).toEqual([
      'FILE:6:2: zzzzzzzz is not a known key; known keys here: name, model, task, data, adapter, training, sweep, claim, cluster.',
      'FILE:5:3: training.epoch is not a known key; did you mean "epochs"?',
    ]);
    expect(errorOf(MINIMAL, 'adapter={"method":"lora","gridSize":4}')).toEqual([
      expect.stringContaining('adapter.gridSize is not a known key for the method lora; '),
    ]);
    expect(errorOf(MINIMAL, 'adapter.useRslora=true')[0]).toContain('for the method aurora');
    expect(errorOf(MINIMAL, 'adapter={"method":"dora","loraBias":true}')[0]).toContain('for the method dora');
  });

  it('name missing keys at the object that lacks them', () => {
    expect(errorOf('{\n  "model": {} }')).toEqual([
      'FILE:1:1: data is missing: The labeled examples: CSV, TSV, JSONL, JSON, Parquet or CoNLL files, or folders of images (docs/data.md).',
      "FILE:2:3: model.path is missing: An ONNX file (opset 9 to 24), or a folder from the Hugging Face hub with config.json and safetensors. hf://ORG/NAME@COMMIT is a model of the hub at one commit, in the hub's own cache; `aurora get` downloads it.",
    ]);
  });

  it('report a duplicate key', () => {
    expect(errorOf('{"model": {"path": "m"},\n "data": {"train": "t",\n "train": "u"}}')).toEqual([
      'FILE:3:2: data.train is given twice.',
    ]);
  });

  it.each([
    ['training.epochs', 0, '0, expected a whole number of at least 1'],
    ['training.epochs', '"two"', '"two", expected a whole number of at least 1'],
    ['training.learningRate', 0, '0, expected a number above 0'],
    ['training.warmupRatio', 2, '2, expected a number of at least 0 and at most 1'],
    ['training.groupByLength', 'yes', '"yes", expected true or false'],
    ['training.schedule', 'step', '"step", expected "linear", "cosine" or "constant"'],
    ['training.evaluateEvery', 0, '0, expected "epoch" or a whole number of at least 1'],
    ['training.evaluateEvery', 'often', '"often", expected "epoch" or a whole number of at least 1'],
    [
      'training.betas',
      '[0.9]',
      '[0.9], expected a list of 2 entries, each a number of at least 0 and below 1',
    ],
    ['training', 3, '3, expected an object: { … }'],
    ['adapter.splineOrder', 4, '4, expected 1, 2 or 3'],
    ['adapter.spline', 'pairs', '"pairs", expected "shared", "per-dimension" or "per-pair"'],
    [
      'adapter.method',
      'prefix-tuning',
      `"prefix-tuning", expected ${METHOD_ORDER.map((m) => `"${m}"`).join(', ')} or "none"`,
    ],
    [
      'adapter.targetModules',
      7,
      '7, expected a non-empty string or a list of entries, each a non-empty string',
    ],
    ['adapter.gridRange', '[1,1]', '[1, 1], expected the lower end first'],
    ['data.labelColumn', 2024, '2024, expected a non-empty string'],
    ['name', '""', '"", expected a non-empty string'],
  ])('explain the value: %s = %s', (key, value, message) => {
    expect(errorOf(MINIMAL, `${key}=${value}`)).toEqual([`--set ${key}=${value}: ${key} is ${message}.`]);
  });

  it('suggest the choice that a misspelled value means', () =>
    expect(errorOf(MINIMAL, 'training.schedule=cosin')).toEqual([
      '--set training.schedule=cosin: training.schedule is "cosin", expected "linear", "cosine" or "constant"; did you mean "cosine"?',
    ]));

  it('refuse a LoRA with a bias whose initialization PEFT does not allow beside it', () =>
    expect(
      errorOf(MINIMAL, 'adapter={"method":"lora","loraBias":true}', 'adapter.initialization=gaussian'),
    ).toEqual([
      '--set adapter.initialization=gaussian: adapter.initialization is "gaussian", but PEFT allows only its default, "kaiming-uniform", with adapter.loraBias.',
    ]));

  it('refuse int8 of a model in 4 bits', () =>
    expect(errorOf(MINIMAL, 'training.precision=int8', 'model.quantize=4')).toEqual([
      '--set training.precision=int8: training.precision is "int8" and model.quantize is 4, but only weights in float32 or in 8 bits can be computed in int8.',
    ]));

  it.each(['text-classification', 'masked-language-modeling', 'multiple-choice'])(
    'refuse packing for another kind of task: %s',
    (type) => {
      expect(errorOf(MINIMAL, `task.type=${type}`, 'training.packing=true')).toContainEqual(
        `--set training.packing=true: training.packing is for causal-language-modeling, and task.type is "${type}".`,
      );
    },
  );

  it.each([
    ['text-classification', 'entityF1', '"accuracy", "f1", "macroF1", "weightedF1", "matthews", "loss"'],
    [
      'token-classification',
      'accuracy',
      '"entityF1", "entityPrecision", "entityRecall", "tagAccuracy", "loss"',
    ],
  ])('name a metric that the kind of task does not have: %s, %s', (type, metric, measured) => {
    const wrong = `is "${metric}", expected one of ${measured} for task.type "${type}".`;
    const set = `task.type=${type}`;
    expect(errorOf(MINIMAL, set, `training.metric=${metric}`)).toEqual([
      `--set training.metric=${metric}: training.metric ${wrong}`,
    ]);
    const task = `"task": { "type": "${type}" }`;
    const text = MINIMAL.replace(/}$/, `,\n ${task},\n "training": { "metric": "${metric}" } }`);
    expect(errorOf(text)).toEqual([`FILE:3:16: training.metric ${wrong}`]);
    expect(load(MINIMAL, set, 'training.metric=loss').training.metric).toBe('loss');
    const sweep = `{ "type": "grid", "parameters": { "training.seed": [1, 2] }, "metric": "${metric}" }`;
    const swept = MINIMAL.replace(/}$/, `, ${task}, "sweep": ${sweep} }`);
    expect(checkWithTrials(new ExperimentText(file, swept)).problems).toMatchObject([
      { path: ['sweep', 'metric'], from: 'rule', message: `sweep.metric ${wrong.slice(0, -1)}` },
    ]);
  });

  it('point at a list entry by its index and place', () => {
    const text = MINIMAL.replace(/}$/, ',\n "training": { "betas": [0.9,\n 1.5] } }');
    expect(errorOf(text)).toEqual([
      'FILE:3:2: training.betas[1] is 1.5, expected a number of at least 0 and below 1.',
    ]);
    expect(errorOf(MINIMAL, 'adapter.rankPattern={"a/b":0}')[0]).toContain(
      'adapter.rankPattern.a/b is 0, expected a whole number of at least 1',
    );
  });

  it('report values that contradict each other', () => {
    expect(errorOf(MINIMAL, 'adapter.fixed=false', 'adapter.learnable=false')[0]).toContain('always be zero');
    expect(errorOf(MINIMAL, 'adapter.method=none', 'task.head=none')[0]).toContain('nothing to train');
  });

  it('report class weights and label smoothing where there are no classes', () => {
    for (const type of ['text-regression', 'multi-label-classification', 'causal-language-modeling'])
      for (const set of ['labelSmoothing=0.1', 'classWeights=balanced', 'classWeights={"a":2}'])
        expect(errorOf(MINIMAL, `task.type=${type}`, 'task.head=none', `task.${set}`)[0]).toContain(
          `is for tasks with one label for each text, image or word, and task.type is "${type}".`,
        );
    for (const type of ['text-classification', 'token-classification'])
      expect(load(MINIMAL, `task.type=${type}`, 'task.classWeights.a=2').task).toMatchObject({
        classWeights: { a: 2 },
      });
    expect(errorOf(MINIMAL, 'task.classWeights=even')[0]).toContain(
      'task.classWeights is "even", expected "balanced" or an object',
    );
    expect(errorOf(MINIMAL, 'task.classWeights.a=0')[0]).toContain('task.classWeights');
    expect(errorOf(MINIMAL, 'task.labelSmoothing=1')[0]).toContain(
      'expected a number of at least 0 and below 1',
    );
  });

  it('report a missing file or a folder', () => {
    expect(() => loadExperiment(join(folder, 'no.aurora.json'))).toThrow('There is no experiment file');
    expect(() => loadExperiment(folder)).toThrow('could not be read');
  });
});

describe('--set', () => {
  it('accepts JSON or plain text, and the last of two values wins', () => {
    const { adapter, data, training } = load(
      MINIMAL,
      'adapter.targetModules=["q","k"]',
      'adapter.excludeModules=.*layer=1.*',
      'training.epochs=5',
      'training.epochs=7',
      'data.textColumn="3"',
    );
    expect(adapter).toMatchObject({ targetModules: ['q', 'k'], excludeModules: '.*layer=1.*' });
    expect(training.epochs).toBe(7);
    expect(data.textColumn).toBe('3');
  });

  it('overrides the file, even an invalid value', () => {
    const text = MINIMAL.replace(/}$/, ', "training": { "epochs": "many" } }');
    expect(load(text, 'training.epochs=2').training.epochs).toBe(2);
  });

  it('rejects unknown keys and keys below a plain value', () => {
    expect(errorOf(MINIMAL, 'trainng.epochs=5')).toEqual([
      '--set trainng.epochs=5: trainng is not a known key; did you mean "training"?',
    ]);
    expect(errorOf(MINIMAL, 'data.train.x=1')).toEqual([
      '--set data.train.x=1: data.train is not an object, so it has no keys.',
    ]);
  });

  it('requires a key and a value', () => {
    for (const set of ['training.epochs', '=3'])
      expect(() => load(MINIMAL, set)).toThrow(expect.objectContaining({ kind: 'usage' }));
  });
});
