import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { arch, cpus, freemem, platform, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { AuroraError } from '../../base/errors';
import { webgpuAdapter } from '../../engine/webgpu-adapter';
import type { Place } from '../../engine/place';
import { placeName } from '../../protocol/device-words';
import { childEnvironment } from '../../files/child-environment';
import type { DoctorLine, GpuFacts, MachineCheck, MachineFacts, PlaceCheck } from '../../protocol/doctor';
import { askChild, type ChildEnd } from '../../training/process/child';
import { matmulRate, STEP_WORDS, stepRate } from './place-rates';

export interface DoctorOptions {
  /** The places to measure, in this order. */
  places: readonly Place[];
  /** For temporary graphs; the caller removes it, even after a child crashed. */
  folder: string;
  /** Measuring time per place: half for matrix products, half for training steps. */
  seconds: number;
  /** CPU threads; 0 for one per core. */
  threads: number;
  /** This program, to start its children. */
  program: string;
  emit(line: DoctorLine): Promise<void>;
}

/** A driver that finishes no run for so long hangs. On a busy machine, a software renderer compiles a step for minutes. */
const HANG_MS = 600_000;

/**
 * Inspects the machine and measures each place in a separate process, so that a crashing driver affects nothing else.
 */
export async function doctor(options: DoctorOptions): Promise<MachineCheck> {
  const { emit } = options;
  const { answer } = await ask<{ adapter?: GpuFacts }>(options, ['--adapter']);
  const facts = await machineFacts(answer?.adapter);
  await emit({ kind: 'system', ...facts });
  const places: PlaceCheck[] = [];
  for (const [i, { engine, device }] of options.places.entries()) {
    await emit({ kind: 'checking', engine, device, number: i + 1, of: options.places.length });
    const asked = await ask<PlaceCheck>(options, ['--place', `${engine}:${device}`]);
    const check = asked.answer ?? { engine, device, problem: problemOf(asked) };
    places.push(check);
    await emit({ kind: 'place', ...check });
  }
  return { at: Date.now(), facts, step: STEP_WORDS, places };
}

function ask<T>({ program, folder, seconds, threads }: DoctorOptions, args: string[]): Promise<ChildEnd<T>> {
  const rest = ['--folder', folder, '--seconds', String(seconds), '--threads', String(threads)];
  return askChild({ program, args: ['doctor', ...args, ...rest], limit: HANG_MS });
}

const problemOf = ({ ended, how }: ChildEnd<unknown>): string =>
  ended
    ? 'The test process did not respond in time and was terminated: the driver may hang.'
    : `The test process crashed (${how}).`;

/**
 * Runs in a child process: one place, measured or with its problem.
 *
 * @param onRun called after each run
 */
export async function checkPlace(
  place: Place,
  { folder, seconds, threads }: Pick<DoctorOptions, 'folder' | 'seconds' | 'threads'>,
  onRun: () => void,
): Promise<PlaceCheck> {
  const { engine, device } = place;
  try {
    const product = await matmulRate(place, folder, threads, seconds / 2, onRun);
    const step = await stepRate(place, folder, threads, seconds / 2, onRun);
    return {
      engine,
      device,
      gflops: product.gflops,
      size: product.size,
      stepsPerSecond: step.perSecond,
      seconds: product.seconds + step.seconds,
    };
  } catch (e) {
    if (!(e instanceof AuroraError))
      return { engine, device, problem: `${placeName(place)}: ${(e as Error).message}` };
    return { engine, device, problem: e.message, hint: e.hint };
  }
}

/** Runs in a child process: the adapter as Dawn sees it. */
export const checkAdapter = async (): Promise<{ adapter?: GpuFacts }> => ({ adapter: await webgpuAdapter() });

const exec = promisify(execFile);
/** A driver in trouble can make its own tool hang. */
const LIMIT_MS = 10_000;

/** The machine's report on itself. `webgpu` is the adapter as a child process saw it; undefined if there is none. */
async function machineFacts(webgpu: GpuFacts | undefined): Promise<MachineFacts> {
  const nvidia = await nvidiaGpus();
  // If one card is seen twice, NVIDIA's own tool knows its memory.
  const seen = nvidia.find((g) => webgpu && sameCard(g, webgpu));
  const gpus = seen
    ? nvidia.map((g) => (g === seen ? { ...g, float16: webgpu!.float16 } : g))
    : [...nvidia, ...(webgpu ? [webgpu] : [])];
  const cores = cpus();
  return {
    platform: `${platform()}-${arch()}`,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    totalMemory: totalmem(),
    freeMemory: freemem(),
    gpus,
    missing: missing(webgpu, nvidia),
  };
}

const sameCard = (a: GpuFacts, b: GpuFacts): boolean =>
  b.name.toLowerCase().includes(a.name.toLowerCase().replace(/^nvidia /, ''));

async function nvidiaGpus(): Promise<GpuFacts[]> {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
  // Windows searches the working folder for programs first, and that folder may be untrusted.
  const cwd = dirname(process.execPath);
  const answer = await exec('nvidia-smi', query, {
    cwd,
    timeout: LIMIT_MS,
    windowsHide: true,
    env: childEnvironment(),
  }).catch(() => undefined);
  return answer ? parseNvidia(answer.stdout) : [];
}

/** Lines such as `NVIDIA H100 80GB HBM3, 550.54.15, 81559`, the memory in MiB. */
export function parseNvidia(text: string): GpuFacts[] {
  return text
    .split('\n')
    .map((line) => line.split(', '))
    .filter((cells) => cells.length === 3)
    .map(([name, driver, mebibytes]) => ({
      name: name.trim(),
      driver: `NVIDIA ${driver}`,
      ...(Number(mebibytes) > 0 && { memory: Number(mebibytes) * 2 ** 20 }),
      software: false,
      source: 'nvidia-smi' as const,
    }));
}

function missing(webgpu: GpuFacts | undefined, nvidia: readonly GpuFacts[]): MachineFacts['missing'] {
  const found: MachineFacts['missing'] = [];
  if (platform() === 'linux' && (!webgpu || webgpu.software)) {
    const card = nvidia.length > 0 || hasRenderNode();
    if (card)
      found.push({
        what: 'There is a graphics card, but Vulkan cannot access it, so webgpu cannot use it.',
        hint: nvidia.length
          ? "Install the Vulkan component of NVIDIA's driver (Debian: nvidia-vulkan-icd; Ubuntu: libnvidia-gl in the driver's version)."
          : 'Install the Mesa Vulkan drivers (Debian and Ubuntu: mesa-vulkan-drivers), and add your user to the group "render".',
      });
    else
      found.push({
        what: 'No usable graphics card was found.',
        hint: 'Training runs on the CPU. In a container, pass the card through (/dev/dri, or the NVIDIA runtime).',
      });
  }
  return found;
}

const hasRenderNode = (): boolean =>
  existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
