import { basename, dirname, join, resolve } from 'node:path';
import type { AdapterSpec, Experiment } from '../../experiment/experiment';
import type { SweepSpec } from '../../experiment/sweep';
import { schemaProblems } from './problems';
import { adapterRuleProblems, ruleProblems } from './rules';
import { schemaValidator } from './schema-validator';
import type { Problem } from './source';
import { sweepRuleProblems } from './sweep-rules';

export interface Checked {
  /** What the schema finds wrong; where that is anything, all else is left out. */
  schema: Problem[];
  rule: Problem[];
  /** With every default; it may have problems of the kind `rule`. */
  experiment?: Experiment;
  /** Its section of that name, which a run does not keep. */
  sweep?: SweepSpec;
}

/** Checks what an experiment file holds, and fills defaults into `value` itself; paths become absolute in `experiment`. */
export function checkValue(value: unknown, file: string): Checked {
  const validate = schemaValidator();
  if (!validate(value)) return { schema: schemaProblems(validate.errors ?? [], value), rule: [] };
  const { sweep, ...plain } = value as Experiment & { $schema?: string; sweep?: SweepSpec };
  delete plain.$schema;
  const experiment = complete(plain, file);
  const rule = [...ruleProblems(experiment), ...(sweep ? sweepRuleProblems(sweep) : [])];
  return { schema: [], rule, experiment, ...(sweep && { sweep }) };
}

/** What is wrong with an adapter's settings, wherever they come from; their defaults have to be filled in. */
export function adapterProblems(adapter: AdapterSpec): Problem[] {
  const value = { adapter: { ...adapter } };
  const validate = schemaValidator();
  validate(value);
  const own = schemaProblems(validate.errors ?? [], value).filter((p) => p.path[0] === 'adapter');
  return own.length > 0 ? own : adapterRuleProblems(adapter);
}

/** The defaults that depend on other values or on the file, and absolute paths. */
function complete(e: Experiment, file: string): Experiment {
  const folder = dirname(resolve(file));
  const path = resolve(folder, e.model.path);
  const { tokenizer } = e.model;
  const { validation } = e.data;
  return {
    ...e,
    name: e.name ?? basename(file).replace(/(\.aurora)?\.json$/, ''),
    model: {
      ...e.model,
      path,
      tokenizer: tokenizer ? resolve(folder, tokenizer) : join(dirname(path), 'tokenizer.json'),
    },
    data: {
      ...e.data,
      train: resolve(folder, e.data.train),
      ...(validation && { validation: resolve(folder, validation) }),
    },
    training: {
      ...e.training,
      headLearningRate: e.training.headLearningRate ?? e.training.learningRate,
      headWeightDecay: e.training.headWeightDecay ?? e.training.weightDecay,
    },
  };
}
