import { readFileSync } from 'node:fs';
import { AuroraError } from '../../base/errors';
import type { ClusterSettings, KubernetesSettings, SlurmSettings } from '../../experiment/cluster';
import { clusterRuleProblems } from './cluster-rules';
import { schemaProblems } from './problems';
import { schemaValidator } from './schema-validator';
import { capped, ExperimentText, mistakesError, withoutMark, type Problem } from './experiment-text';

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
