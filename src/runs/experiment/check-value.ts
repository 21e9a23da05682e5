import { basename, dirname, join, resolve } from 'node:path';
import { localPath } from '../../files/hub-cache';
import { modelFile } from '../../files/model-path';
import { tokenizerBeside } from '../../files/tokenizer-path';
import { type ClaimSpec, completeClaim } from '../../experiment/claim';
import type { ClusterSettings } from '../../experiment/cluster';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import type { AdapterSpec } from '../../experiment/methods';
import type { SweepSpec } from '../../experiment/sweep';
import { describeTask, taskMetrics } from '../../experiment/tasks/registry';
import { claimRuleProblems } from './claim-rules';
import { clusterRuleProblems } from './cluster-settings';
import { hostPathProblems } from './host-paths';
import { schemaProblems } from './schema-problems';
import { fillOwnDefaults } from './unread-keys';
import { referenceProblems } from './hub-references';
import { adapterRuleProblems, metricProblems, ruleProblems } from './experiment-rules';
import { schemaValidator } from './schema-validator';
import type { Problem } from './experiment-text';
import { sweepRuleProblems } from './sweep-rules';

export interface Checked {
  /** Violations of the schema; if there are any, everything else is left out. */
  schema: Problem[];
  rule: Problem[];
  /** With every default; may have problems listed in `rule`. */
  experiment?: Experiment;
  /** The file's `sweep`, `claim` and `cluster` sections, which a run does not keep. */
  sweep?: SweepSpec;
  claim?: ClaimSpec;
  cluster?: ClusterSettings;
}

/** Checks an experiment file's content. Fills defaults into `value` in place; paths become absolute in `experiment`. */
export function checkValue(value: unknown, file: string): Checked {
  fillOwnDefaults(value);
  const validate = schemaValidator();
  if (!validate(value)) return { schema: schemaProblems(validate.errors ?? [], value), rule: [] };
  const { sweep, claim, cluster, ...plain } = value as Experiment & {
    $schema?: string;
    sweep?: SweepSpec;
    claim?: ClaimSpec;
    cluster?: ClusterSettings;
  };
  delete plain.$schema;
  const elsewhere = hostPathProblems(plain, dirname(resolve(file)));
  if (elsewhere.length > 0) return { schema: [], rule: elsewhere };
  fillTaskDefaults(plain);
  const experiment = complete(plain, file);
  const rule = [
    ...referenceProblems(plain),
    ...ruleProblems(experiment),
    ...(sweep ? sweepRuleProblems(sweep) : []),
    ...(claim ? claimRuleProblems(completeClaim(claim, experiment), claim, experiment) : []),
    ...(cluster ? clusterRuleProblems(cluster) : []),
    ...(sweep?.metric ? metricProblems(['sweep', 'metric'], sweep.metric, experiment.task) : []),
  ];
  return { schema: [], rule, experiment, sweep, claim, cluster };
}

/** Problems in an adapter's settings from any source. Their defaults must be filled in. */
export function adapterProblems(adapter: AdapterSpec): Problem[] {
  const value = { adapter: { ...adapter } };
  const validate = schemaValidator();
  validate(value);
  const own = schemaProblems(validate.errors ?? [], value).filter((p) => p.path[0] === 'adapter');
  return own.length > 0 ? own : adapterRuleProblems(adapter);
}

/** Fills in defaults that depend on the kind of task. */
function fillTaskDefaults({ task, data, training }: Experiment): void {
  const { columns, head } = describeTask(task.type);
  task.head ??= head ? 'linear' : 'none';
  if (columns.text !== undefined) data.textColumn ??= columns.text;
  if (columns.image !== undefined) data.imageColumn ??= columns.image;
  if (columns.label !== undefined) data.labelColumn ??= columns.label;
  if (
    columns.choices !== undefined &&
    data.choiceColumns === undefined &&
    data.completionColumn === undefined
  )
    data.choicesColumn ??= columns.choices;
  training.metric ??= taskMetrics(task)[0] ?? 'loss';
}

/** Fills in defaults that depend on other values or on the file, and makes paths absolute: those on the hub in its cache. */
function complete(e: Experiment, file: string): Experiment {
  const folder = dirname(resolve(file));
  const local = (written: string) => localPath(folder, written);
  const path = modelFile(local(e.model.path));
  const { tokenizer, preprocessor } = e.model;
  const images = describeTask(e.task.type).input === 'image';
  const { validation, test, evaluations, classImages } = e.data;
  return {
    ...e,
    name: e.name ?? basename(file).replace(/(\.aurora)?\.json$/, ''),
    model: {
      ...e.model,
      path,
      tokenizer: tokenizer ? local(tokenizer) : tokenizerBeside(path),
      ...(images && {
        preprocessor: preprocessor ? local(preprocessor) : join(dirname(path), 'preprocessor_config.json'),
      }),
    },
    data: {
      ...e.data,
      train: local(e.data.train),
      ...(validation && { validation: local(validation) }),
      ...(test && { test: local(test) }),
      ...(classImages && { classImages: local(classImages) }),
      ...(evaluations && { evaluations: withPaths(evaluations, local) }),
    },
    training: {
      ...e.training,
      headLearningRate: e.training.headLearningRate ?? e.training.learningRate,
      headWeightDecay: e.training.headWeightDecay ?? e.training.weightDecay,
    },
  };
}

const withPaths = (evaluations: NonNullable<DataSpec['evaluations']>, local: (written: string) => string) =>
  Object.fromEntries(
    Object.entries(evaluations).map(([name, set]) => [name, { ...set, path: local(set.path) }]),
  );
