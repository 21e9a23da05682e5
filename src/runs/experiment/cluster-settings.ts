import { readFileSync } from 'node:fs';
import type { JSONPath } from 'jsonc-parser';
import { AuroraError } from '../../base/errors';
import {
  type ClusterSettings,
  HOST,
  type KubernetesSettings,
  SIGNAL_BEFORE,
  type SlurmSettings,
} from '../../experiment/cluster';
import { capped, ExperimentText, keyPath, mistakesError, type Problem, withoutMark } from './experiment-text';
import { schemaProblems } from './schema-problems';
import { schemaValidator } from './schema-validator';

/** Problems in cluster settings from any source, such as a setting of the editor. Paths begin with `cluster`. */
export function clusterProblems(cluster: unknown): Problem[] {
  const value = { cluster: structuredClone(cluster) };
  const validate = schemaValidator();
  validate(value);
  const own = schemaProblems(validate.errors ?? [], value).filter((p) => p.path[0] === 'cluster');
  return own.length > 0 ? own : clusterRuleProblems(cluster as ClusterSettings);
}

/**
 * The settings of a machine: a JSON file with the content of an experiment's `cluster` section.
 *
 * @throws AuroraError 'experiment'
 */
export function readClusterSettings(file: string): ClusterSettings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (e) {
    throw new AuroraError(
      'experiment',
      `The cluster settings ${file} could not be read: ${(e as Error).message}.`,
      'Give the path of a JSON file, such as { "slurm": { "partition": "gpu" } }.',
      { cause: e },
    );
  }
  const hint = 'It has what the "cluster" section of an experiment has.';
  const doc = new ExperimentText(file, withoutMark(text)).requireReadable(hint);
  const value = doc.value();
  const problems = clusterProblems(value);
  if (problems.length === 0) return value as ClusterSettings;
  const mistakes = capped(problems).map(({ path, message, offset }) => ({
    ...doc.placeOf({ path: path.slice(1), offset }),
    message: `${message}.`,
  }));
  throw mistakesError(mistakes, hint);
}

/** The settings for an experiment: its own section before those of the machine, key by key. */
export const mergeClusterSettings = (
  section: ClusterSettings = {},
  machine: ClusterSettings = {},
): ClusterSettings => ({
  ...((section.slurm ?? machine.slurm) && { slurm: { ...machine.slurm, ...section.slurm } }),
  ...((section.kubernetes ?? machine.kubernetes) && {
    kubernetes: { ...machine.kubernetes, ...section.kubernetes },
  }),
});

/** Everything that Slurm has no default for is optional: without settings, its commands are on this machine. */
export const slurmSettings = ({ slurm }: ClusterSettings): SlurmSettings => slurm ?? {};

/** @throws AuroraError 'experiment' if the image or the claim is missing */
export function kubernetesSettings({ kubernetes = {} }: ClusterSettings): KubernetesSettings {
  const { image, claim } = kubernetes;
  if (image !== undefined && claim !== undefined) return { ...kubernetes, image, claim };
  const key = image === undefined ? 'image' : 'claim';
  throw new AuroraError(
    'experiment',
    `cluster.kubernetes.${key} is missing: ${
      image === undefined ? 'the image with the trainer' : 'the persistent volume claim that all pods mount'
    }.`,
    `Add it to the experiment's "cluster" section or to the setting aurora.cluster. \`aurora sweep --write DIR\` writes the image's Dockerfile.`,
  );
}

/**
 * The form of a string: as Slurm or Kubernetes reads it, and without anything that a shell or a script would interpret.
 */
type Form = readonly [pattern: RegExp, expected: string];

const NAME: Form = [/^[\w.+-]+$/, 'a name of letters, digits, ".", "-" and "_"'];
const NAMES: Form = [/^[\w.+-]+(,[\w.+-]+)*$/, 'a name, or several with commas'];
// A pod cannot have more than one line in any of these.
const LINE: Form = [/^\P{Cc}+$/u, 'one line of text'];
const DNS: Form = [/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a name of lower case letters, digits, "." and "-"'];

const SLURM: Partial<Record<keyof SlurmSettings, Form>> = {
  host: [HOST, 'the name of a host, as you type it after ssh'],
  folder: [/^\/\P{Cc}*$/u, 'an absolute folder, such as "/scratch/me/aurora"'],
  partition: NAMES,
  account: NAME,
  qos: NAME,
  reservation: NAMES,
  constraint: [/^[\w.+\-:=,&|*()[\]]+$/, 'features such as "a100|h100"'],
  time: [/^(\d+-)?\d+(:\d{1,2}){0,2}$/, 'minutes, "hours:minutes:seconds" or "days-hours"'],
  memory: [/^[1-9]\d*[KMGT]?B?$/i, 'a size such as "16G"'],
  gres: [/^[\w.:,/=()*-]+$/, 'resources such as "gpu:1"'],
  node: LINE,
};

const KUBERNETES: Record<string, Form> = {
  context: [/^[^-\p{Cc}]\P{Cc}*$/u, "the name of one of kubectl's contexts"],
  namespace: DNS,
  image: [/^[^-\s\p{Cc}][^\s\p{Cc}]*$/u, 'the name of an image'],
  claim: DNS,
  // Paths below it are in scripts, and in rsync's requests.
  mount: [/^(?:\/[\w@+=.,-]+)+\/?$/, 'an absolute folder of plain characters, such as "/aurora"'],
  folder: LINE,
  memory: [/^[1-9]\d*([KMGT]i?|k)?$/, 'a size such as "16Gi"'],
  gpuResource: [/^[\w.-]+(\/[\w.-]+)?$/, 'a resource such as "nvidia.com/gpu"'],
  serviceAccount: DNS,
};

/** Options of sbatch that the array needs for itself. */
const OURS =
  /^(-[aJoeiDdWQ]|--(array|job-name|output|error|input|chdir|dependency|open-mode|signal|requeue|no-requeue|parsable|wait|wrap|test-only|quiet|hold|ntasks|nodes|export))(=|\s|$)/;

/** Rules for the cluster section that the schema cannot express. */
export function clusterRuleProblems({ slurm, kubernetes }: ClusterSettings): Problem[] {
  return [
    ...formProblems(['cluster', 'slurm'], slurm, SLURM),
    ...listProblems(['cluster', 'slurm', 'modules'], slurm?.modules, [
      /^[^-\s\p{Cc}][^\s\p{Cc}]*$/u,
      'the name of a module',
    ]),
    ...listProblems(['cluster', 'slurm', 'prologue'], slurm?.prologue, LINE),
    ...optionProblems(slurm?.options ?? []),
    ...timeProblem(slurm ?? {}),
    ...formProblems(['cluster', 'kubernetes'], kubernetes, KUBERNETES),
    ...listProblems(['cluster', 'kubernetes', 'imagePullSecrets'], kubernetes?.imagePullSecrets, DNS),
  ];
}

function formProblems(
  path: JSONPath,
  settings: object = {},
  forms: Readonly<Record<string, Form | undefined>>,
): Problem[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const form = Object.hasOwn(forms, key) ? forms[key] : undefined;
    return form && typeof value === 'string' ? formProblem([...path, key], value, form) : [];
  });
}

const listProblems = (path: JSONPath, values: readonly string[] = [], form: Form): Problem[] =>
  values.flatMap((value, i) => formProblem([...path, i], value, form));

const formProblem = (path: JSONPath, value: string, [pattern, expected]: Form): Problem[] =>
  pattern.test(value)
    ? []
    : [{ path, message: `${keyPath(path)} is ${JSON.stringify(value)}, expected ${expected}` }];

function optionProblems(options: readonly string[]): Problem[] {
  return options.flatMap((option, i) => {
    const path = ['cluster', 'slurm', 'options', i];
    if (OURS.test(option))
      return [
        { path, message: `${keyPath(path)} is ${JSON.stringify(option)}, which the sweep sets itself` },
      ];
    return formProblem(path, option, [
      /^--?[A-Za-z]\P{Cc}*$/u,
      'an option of sbatch, such as "--exclude=node07"',
    ]);
  });
}

/** A trial that has to save as soon as it has begun never ends. */
function timeProblem({ time, signalBefore = SIGNAL_BEFORE }: SlurmSettings): Problem[] {
  const seconds = time === undefined ? undefined : secondsOf(time);
  if (seconds === undefined || seconds > signalBefore) return [];
  const path = ['cluster', 'slurm', 'time'];
  return [
    {
      path,
      message: `${keyPath(path)} is "${time}", expected more than the ${signalBefore} s before its end at which a trial saves`,
    },
  ];
}

/** Slurm's forms: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes:seconds. */
function secondsOf(time: string): number | undefined {
  const [, days, rest] = /^(?:(\d+)-)?(\d+(?::\d+){0,2})$/.exec(time) ?? [];
  if (rest === undefined) return undefined;
  const parts = rest.split(':').map(Number);
  const [hours, minutes, seconds] = days !== undefined || parts.length === 3 ? parts : [0, ...parts];
  return Number(days ?? 0) * 86_400 + hours! * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}
