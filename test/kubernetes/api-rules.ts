import type { jobManifest } from '../../src/executors/kubernetes/manifest';

type Job = ReturnType<typeof jobManifest>;

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** An API server's checks of a Job beyond its schema, as far as our jobs need them (pkg/apis/batch/validation of Kubernetes). */
export function apiErrors({ metadata, spec }: Job): string[] {
  const errors: string[] = [];
  const wrong = (is: boolean, error: string) => void (is && errors.push(error));
  // A pod's host name is the job's name and the index.
  const longest = `${metadata.name}-${spec.completions - 1}`;
  wrong(!LABEL.test(metadata.name) || longest.length > 63, `metadata.name: ${metadata.name}`);
  for (const [key, value] of Object.entries(metadata.labels))
    wrong(value.length > 63 || !/^[\w.-]+$/.test(value), `label ${key}: ${value}`);
  wrong(spec.completionMode !== 'Indexed', 'backoffLimitPerIndex requires completionMode Indexed');
  wrong(spec.template.spec.restartPolicy !== 'Never', 'podFailurePolicy requires restartPolicy Never');
  wrong(spec.podReplacementPolicy !== 'Failed', 'podFailurePolicy requires podReplacementPolicy Failed');
  wrong(spec.completions < 1 || spec.completions > 100_000, 'completions');
  wrong(spec.parallelism < 1 || spec.parallelism > spec.completions, 'parallelism');
  const { rules } = spec.podFailurePolicy;
  wrong(rules.length > 20, 'at most 20 rules');
  for (const { onExitCodes, onPodConditions } of rules) {
    wrong((onExitCodes === undefined) === (onPodConditions === undefined), 'one requirement per rule');
    if (!onExitCodes) continue;
    const { values, containerName } = onExitCodes;
    wrong(
      !spec.template.spec.containers.some(({ name }) => name === containerName),
      `no container ${containerName}`,
    );
    wrong(values.length < 1 || values.length > 255, '1 to 255 exit codes');
    wrong(values.includes(0), 'exit code 0 is no failure');
    wrong(
      values.some((value, i) => i > 0 && value <= values[i - 1]!),
      'exit codes must be in order, each once',
    );
  }
  return errors;
}
