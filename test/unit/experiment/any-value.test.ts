import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import schema from '../../../src/experiment/experiment.schema.json';
import { METHOD_ORDER } from '../../../src/experiment/methods';
import { TASKS } from '../../../src/experiment/tasks/registry';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials, parseExperiment } from '../../../src/runs/experiment/load';
import { variants } from '../variants';

const FILE = '/any/any.aurora.json';
const base = { model: { path: 'model.onnx' }, data: { train: 'train.jsonl', validation: 'v.jsonl' } };

/** Every key of the schema, in as many experiments as there are kinds of tasks and methods. */
function whole(): object[] {
  const example = (of: unknown): unknown => {
    const {
      default: value,
      enum: values,
      type,
      properties,
      items,
      const: only,
    } = of as Record<string, unknown>;
    if (value !== undefined) return value;
    if (only !== undefined) return only;
    if (Array.isArray(values)) return values[0];
    if (properties) return section(of);
    if (type === 'array') return [example(items ?? {})];
    if (type === 'integer' || type === 'number') return 1;
    return type === 'boolean' ? true : 'text';
  };
  const section = (of: unknown): object =>
    Object.fromEntries(
      Object.entries((of as { properties?: object }).properties ?? {}).map(([key, value]) => [
        key,
        example(value),
      ]),
    );
  const { model, data, task, training, sweep, cluster } = schema.properties as Record<string, unknown>;
  const sections = {
    model: section(model),
    data: section(data),
    task: section(task),
    training: section(training),
  };
  return [
    { ...base, ...sections, sweep: section(sweep), cluster: section(cluster) },
    ...Object.keys(TASKS).map((type) => ({ ...base, task: { type }, adapter: { method: 'lora', rank: 4 } })),
    ...METHOD_ORDER.map((method) => ({ ...base, adapter: { method, targetModules: ['query'] } })),
    {
      ...base,
      sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] } },
      cluster: { slurm: { host: 'h' } },
    },
  ];
}

/** Throws anything but an error about the experiment. */
function handled(text: string): void {
  checkWithTrials(new ExperimentText(FILE, text));
  try {
    parseExperiment(FILE, text, []);
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
  }
}

describe('an experiment', () => {
  it('with values of other types at any key gets errors at places, in the terminal and in the editor', () => {
    for (const experiment of whole())
      for (const changed of variants(experiment)) {
        const text = JSON.stringify(changed);
        try {
          handled(text);
        } catch (e) {
          throw new Error(text, { cause: e });
        }
      }
  });

  it.each([
    'model.path',
    'model.tokenizer',
    'data.train',
    'data.validation',
    'data.test',
    'data.classImages',
  ])('with a NUL in %s is refused there', (key) => {
    const [section, name] = key.split('.') as ['model' | 'data', string];
    const text = JSON.stringify({ ...base, [section]: { ...base[section], [name]: 'a\0b' } });
    const { problems } = checkWithTrials(new ExperimentText(FILE, text));
    expect(problems.map(({ path, message }) => [path.join('.'), message])).toEqual([
      [key, expect.stringMatching(/character/)],
    ]);
    expect(() => parseExperiment(FILE, text, [])).toThrow(AuroraError);
  });
});
