import { type ErrorKind, EXIT } from '../../base/errors';
import type { TrainerThere } from '../cluster/cluster';
import { type Platform, THIS_PLATFORM } from '../package/package-files';
import { MANIFEST, trainerPackage, type TrainerPackage } from '../package/package';

/** The container of each pod; the rules about exit codes name it. */
export const CONTAINER = 'trainer';

/** The folder of the trainer's package in the image; the Dockerfile puts it there. */
export const TRAINER_FOLDER = '/opt/aurora';
const TRAINER_PROGRAM = `${TRAINER_FOLDER}/cli.cjs`;

/** In a submission's folder: an empty file for each task that was cancelled, named by its index. */
export const CANCELLED_FOLDER = 'cancelled';

/**
 * The script of a pod, with the submission's folder and the hash of the trainer's package as arguments. A task's output
 * is in its log on the volume, which outlives the pod, and in `kubectl logs`. The first process of a container gets no
 * signal that it has no handler for, so the shell passes SIGTERM to the trainer and waits until it has saved.
 */
export const CONTAINER_SCRIPT = `
submission=$1 hash=$2 task=$JOB_COMPLETION_INDEX log=/dev/null
trap 'exit 75' TERM
fail() { echo "$1" | tee -a "$log" /dev/termination-log >&2; exit 2; }
[ -d "$submission/tasks" ] || fail "$submission is not on the volume. Continue the sweep on the machine that began it."
[ -e "$submission/${CANCELLED_FOLDER}/$task" ] && exit 130
mkdir -p "$submission/logs" || exit 18
log=$submission/logs/$task.log
[ "$(sha256sum <${TRAINER_FOLDER}/${MANIFEST} | cut -d ' ' -f 1)" = "$hash" ] ||
  fail "This image has another version of the trainer. Build it again from what 'aurora sweep --write' writes."
output=$(mktemp -u) && mkfifo "$output" || exit 18
tee -a "$log" <"$output" & tee=$!
node ${TRAINER_PROGRAM} trial "$submission/tasks/$task.json" >"$output" 2>&1 & trainer=$!
trap 'kill -TERM "$trainer"' TERM
while :; do
  wait "$trainer"
  code=$?
  kill -0 "$trainer" 2>/dev/null || break
done
wait "$tee"
exit "$code"
`.trimStart();

/** Another node, or the next minute, may do better: memory, a device, a disk or a network that failed, an earlier owner. */
const WORTH_A_RETRY: readonly ErrorKind[] = [
  'failed',
  'disk',
  'device',
  'memory',
  'owned',
  'lost',
  'network',
  'requeue',
];

/** A shell's: the image has no Node, or none that runs there. */
const NO_PROGRAM = [126, 127];

/**
 * Exit codes after which a trial is not started again: mistakes in the experiment or its data, results that a repetition
 * would repeat, and a stop that was asked for. In ascending order, as Kubernetes requires.
 */
export const FINAL_EXIT_CODES: readonly number[] = [
  ...Object.entries(EXIT).flatMap(([kind, code]) =>
    code === EXIT.ok || WORTH_A_RETRY.includes(kind as ErrorKind) ? [] : [code],
  ),
  ...NO_PROGRAM,
].sort((a, b) => a - b);

/** Images are of Linux; on another system, for the processor that most clusters have. */
const PLATFORM: Platform = process.platform === 'linux' ? THIS_PLATFORM : { platform: 'linux', arch: 'x64' };

/**
 * The trainer's package for an image, from this build.
 *
 * @param dist the folder of cli.cjs
 * @throws MissingError if this build has no runtime for Linux
 */
export const imagePackage = (dist: string): Promise<TrainerPackage> => trainerPackage(dist, PLATFORM);

/** The trainer is in the image: nothing is sent, and each pod compares the hash before it starts. */
export const trainerInImage = async (dist: string): Promise<TrainerThere> => ({
  program: TRAINER_PROGRAM,
  hash: (await imagePackage(dist)).hash,
});
