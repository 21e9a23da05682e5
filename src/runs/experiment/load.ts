import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import type { JSONPath } from 'jsonc-parser';
import { AuroraError } from '../../shared/errors';
import type { AdapterSpec, Experiment } from '../../shared/experiment';
import schema from '../../shared/experiment.schema.json';
import { applyOverride, parseOverride, type Override } from './overrides';
import { schemaProblems } from './problems';
import { adapterRuleProblems, ruleProblems } from './rules';
import { ExperimentSource, type Problem } from './source';

let compiled: ValidateFunction | undefined;
/** Compiled when it is first needed: the editor's start must not wait for it. */
const validator = (): ValidateFunction =>
  (compiled ??= new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
    // For editors only.
    keywords: ['enumDescriptions', 'defaultSnippets', 'allowComments', 'allowTrailingCommas'],
  }).compile(schema));

/**
 * Reads an experiment file (JSON with comments), puts `overrides` ("key=value", dotted keys) in place, fills
 * in every default and makes all paths absolute, from the file's folder. Whatever is wrong is one AuroraError
 * (`experiment`), a line for each problem with FILE:LINE:COLUMN or the override at fault.
 */
export const loadExperiment = (file: string, overrides: readonly string[] = []): Experiment =>
  parseExperiment(file, readText(file), overrides);

/** The same from a text that `file` holds, or would hold: its folder is what paths are relative to. */
export function parseExperiment(file: string, text: string, overrides: readonly string[]): Experiment {
  const source = new ExperimentSource(file, text);
  const syntax = source.syntaxError();
  if (syntax)
    throw new AuroraError(
      'experiment',
      syntax,
      'Comments and trailing commas are allowed, all else is plain JSON.',
    );
  const value = source.value();
  const set = overrides.map(parseOverride);
  const problems = [
    ...source.duplicateKeys(),
    ...(isObject(value) ? set.flatMap((override) => applyOverride(value, override)) : []),
  ];
  const validate = validator();
  if (!validate(value)) problems.push(...schemaProblems(validate.errors ?? [], value));
  if (problems.length === 0) {
    delete (value as { $schema?: string }).$schema;
    const experiment = complete(value as Experiment, file);
    problems.push(...ruleProblems(experiment));
    if (problems.length === 0) return experiment;
  }
  throw problemsError(problems, source, set);
}

/** Something wrong with a text that an editor holds: its place, and who else would tell it. */
export interface LocatedProblem {
  path: JSONPath;
  message: string;
  /** Of the key or value at fault, in characters from the text's begin. */
  offset: number;
  from: 'syntax' | 'duplicate' | 'schema' | 'rule';
}

/**
 * As loadExperiment, of a text that an editor holds, and without throwing: all problems with their offsets,
 * and `value`, the experiment as far as the text has it, with defaults filled in where its shape allows.
 * `experiment` is there where nothing is wrong.
 */
export function checkExperiment(
  file: string,
  text: string,
): { value: unknown; experiment?: Experiment; problems: LocatedProblem[] } {
  const source = new ExperimentSource(file, text);
  const located = (from: LocatedProblem['from'], problems: Problem[]): LocatedProblem[] =>
    problems.map((p) => ({ path: p.path, message: p.message, offset: source.offsetOf(p), from }));
  const value = source.value();
  const problems = [
    ...located('syntax', source.syntaxProblems()),
    ...located('duplicate', source.duplicateKeys()),
  ];
  const validate = validator();
  if (!validate(value)) {
    problems.push(...located('schema', schemaProblems(validate.errors ?? [], value)));
    return { value, problems };
  }
  delete (value as { $schema?: string }).$schema;
  const experiment = complete(value as Experiment, file);
  problems.push(...located('rule', ruleProblems(experiment)));
  return { value, problems, ...(problems.length === 0 && { experiment }) };
}

/** What is wrong with an adapter's settings, wherever they come from; their defaults have to be filled in. */
export function adapterProblems(adapter: AdapterSpec): Problem[] {
  const value = { adapter: { ...adapter } };
  const validate = validator();
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

function problemsError(problems: Problem[], source: ExperimentSource, set: Override[]): AuroraError {
  const lines = problems.map((problem) => {
    const { path, message } = problem;
    const override = set.findLast((o) => o.path.every((key, i) => i >= path.length || key === path[i]));
    return `${override ? `--set ${override.text}` : source.locate(problem)}: ${message}.`;
  });
  return new AuroraError(
    'experiment',
    lines.map((line) => line.replace(/([.?])\.$/, '$1')).join('\n'),
    'Completion and hover in VS Code, or experiment.schema.json, show every key with its meaning and default.',
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code;
    throw new AuroraError(
      'experiment',
      code === 'ENOENT'
        ? `There is no experiment file ${file}.`
        : `The experiment file ${file} could not be read: ${(e as Error).message}.`,
      'Give the path of a *.aurora.json file.',
      { cause: e },
    );
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
