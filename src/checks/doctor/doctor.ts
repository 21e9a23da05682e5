import { webgpuAdapter } from '../../engine/adapter';
import { placeName, type Place } from '../../engine/place';
import type { DoctorLine, GpuFacts, MachineCheck, PlaceCheck } from '../../protocol/doctor';
import { AuroraError } from '../../base/errors';
import { askChild, type ChildEnd } from '../../training/process/child';
import { machineFacts } from './facts';
import { matmulRate, STEP_WORDS, stepRate } from './rates';

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
