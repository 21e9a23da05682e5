import { EXIT } from '../../base/errors';
import { SIGNAL_BEFORE, type SlurmSettings } from '../../experiment/cluster';
import { clusterQuote as quote, requirePlain } from '../cluster/plain-name';

export interface ArrayScript {
  settings: SlurmSettings;
  /** The job's name. */
  name: string;
  /** The submission's folder on the cluster. */
  folder: string;
  /** The first task of the submission in this array, whose own indices begin at 0. */
  first: number;
  count: number;
  /** The most tasks at a time. */
  parallel?: number;
  /** An array after which this one begins, so that both together have no more tasks at a time. */
  after?: string;
  program: string;
  /** The Node that was sent with the trainer. */
  node?: string;
}

/**
 * The batch script of a job array, one task for each trial.
 *
 * @throws AuroraError 'experiment' for a name with a line break, which would be a line of the script
 */
export function arrayScript(script: ArrayScript): string {
  const { settings, folder, first, program } = script;
  const { modules = [], prologue = [], cpus = 1 } = settings;
  const loads = modules.map((name) => `module load ${quote(name)} || exit ${EXIT.device}\n`);
  return `#!/bin/bash
${directives(script)
  .map((line) => `#SBATCH ${line}\n`)
  .join('')}
# The trainer saves on these signals. This shell must still be there when it has.
trap : TERM USR2
${
  loads.length > 0
    ? `
# A shell that ssh has started may not know modules.
type module > /dev/null 2>&1 || . /etc/profile
${loads.join('')}`
    : ''
}${prologue.map((line) => `${requirePlain(line)}\n`).join('')}${nodeLines(script)}
task=${quote(`${folder}/tasks`)}/$((${first} + SLURM_ARRAY_TASK_ID)).json
srun --mpi=none --nodes=1 --ntasks=1 --cpus-per-task=${cpus} "$node" ${quote(program)} trial "$task" && code=0 || code=$?
${REQUEUE}
exit $code
`;
}

/** The options of sbatch: ours, those of the settings by name, and the settings' further options. */
function directives({ settings, name, folder, count, parallel, after }: ArrayScript): string[] {
  const { partition, account, qos, reservation, constraint, time, memory, gres, options = [] } = settings;
  const { cpus = 1, signalBefore = SIGNAL_BEFORE } = settings;
  const throttle = parallel === undefined || parallel >= count ? '' : `%${parallel}`;
  const named = { partition, account, qos, reservation, constraint, time, mem: memory, gres };
  return [
    `--job-name=${quoted(name)}`,
    `--array=0-${count - 1}${throttle}`,
    `--chdir=${quoted(folder)}`,
    '--output=logs/%A_%a.log',
    '--open-mode=append',
    '--requeue',
    // USR2, since NCCL takes USR1. It goes to the trainer, not to this shell.
    `--signal=USR2@${signalBefore}`,
    `--nodes=1 --ntasks=1 --cpus-per-task=${cpus}`,
    ...Object.entries(named).flatMap(([key, value]) =>
      value === undefined ? [] : [`--${key}=${quoted(value)}`],
    ),
    ...(after === undefined ? [] : [`--dependency=afterany:${after}`]),
    ...options.map(quotedOption),
  ];
}

/** sbatch reads its lines in a script as a shell reads words, but knows no variables. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(requirePlain(text)) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** An option as the user wrote it, `--comment=my study` or `-C fast`: its value is quoted. */
function quotedOption(option: string): string {
  const { groups } = /^(?<name>--?[\w-]+)(?<by>[= ]?)(?<value>.*)$/s.exec(option) as unknown as {
    groups: Record<'name' | 'by' | 'value', string>;
  };
  return groups.value === ''
    ? requirePlain(groups.name)
    : `${groups.name}${groups.by}${quoted(groups.value)}`;
}

/** The Node that runs the trainer: the settings', the one that was sent if it runs here, or that of the path. */
function nodeLines({ settings, node }: ArrayScript): string {
  if (settings.node !== undefined) return `node=${quote(settings.node)}\n`;
  if (node === undefined) return 'node=node\n';
  return `node=${quote(node)}
"$node" --version > /dev/null 2>&1 || node=node
`;
}

/**
 * After a checkpoint that the scheduler asked for, the job is put back into the queue, unless it is being cancelled or
 * requeued already. Slurm's controller may be restarting at that moment.
 */
const REQUEUE = `# Of one task the job's number may also be that of the whole array.
job=\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
if [ $code -eq ${EXIT.requeue} ]; then
  for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    state=$(scontrol show job --oneliner "$job" 2> /dev/null | sed -n 's/.* JobState=\\([A-Z_]*\\).*/\\1/p')
    [ -n "$state" ] && [ "$state" != RUNNING ] && break
    # It ends this script.
    [ -n "$state" ] && scontrol requeue "$job" && sleep 60
    sleep 5
  done
fi`;
