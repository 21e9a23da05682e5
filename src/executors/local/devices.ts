import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../files/child-environment';
import { isBusy, type TrialView } from '../../runs/sweep/look';

/** The variable with which CUDA restricts the devices that a process sees; the first of them is its device 0. */
export const GPU_VARIABLE = 'CUDA_VISIBLE_DEVICES';

/** Devices of our engines that are an NVIDIA GPU. Others cannot be distinguished from outside of the process. */
const CUDA: readonly string[] = ['cuda', 'tensorflow'];

/** An index, or the UUID of a GPU or of a part of one. */
const DEVICE = /^(\d+|(GPU|MIG)-[\w/-]+)$/;

/** A driver in trouble can make its own tool hang. */
const LIMIT_MS = 10_000;

const exec = promisify(execFile);

/**
 * The NVIDIA GPUs that trials may be spread over: those that this process may see, else all of the machine, by UUID, since
 * CUDA and nvidia-smi number them differently. Empty if trials compute elsewhere or the driver lists none.
 */
export async function gpusFor(
  device: string,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<string[]> {
  if (!CUDA.includes(device)) return [];
  const given = environment[GPU_VARIABLE];
  return given === undefined ? allGpus(environment) : visible(given);
}

/** The devices that CUDA reads from the variable: up to the first name that is not a device. */
function visible(given: string): string[] {
  const names = given.split(',').map((name) => name.trim());
  const end = names.findIndex((name) => !DEVICE.test(name));
  return [...new Set(end < 0 ? names : names.slice(0, end))];
}

async function allGpus(environment: Readonly<NodeJS.ProcessEnv>): Promise<string[]> {
  const query = ['--query-gpu=uuid', '--format=csv,noheader'];
  // Windows searches the working folder for programs first, and that folder may be untrusted.
  const cwd = dirname(process.execPath);
  const found = await exec('nvidia-smi', query, {
    ...{ cwd, timeout: LIMIT_MS, windowsHide: true },
    env: childEnvironment(environment),
  }).catch(() => undefined);
  const lines = found?.stdout.split('\n').map((line) => line.trim()) ?? [];
  return lines.filter((line) => DEVICE.test(line));
}

/**
 * The GPU for the next trial: one with the fewest running trials. Undefined with a single GPU, which every process finds.
 * Which trial has which is in the sweep's record, so that another queue can continue.
 */
export function nextGpu(gpus: readonly string[], trials: readonly TrialView[]): string | undefined {
  if (gpus.length < 2) return undefined;
  const used = trials.filter(isBusy).map(({ record }) => record.launched?.gpu);
  const load = gpus.map((gpu) => used.filter((one) => one === gpu).length);
  return gpus[load.indexOf(Math.min(...load))];
}
