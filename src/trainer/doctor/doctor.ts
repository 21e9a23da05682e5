import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webgpuAdapter } from '../../engine/adapter';
import { placeName, type Place } from '../../engine/place';
import type { DoctorLine, GpuFacts, MachineCheck, PlaceCheck } from '../../shared/doctor';
import { AuroraError } from '../../shared/errors';
import { machineFacts } from './facts';
import { matmulRate, STEP_WORDS, stepRate } from './rates';

export interface DoctorOptions {
  /** What is measured, in this order. */
  places: readonly Place[];
  /** Measured a place: half for products of matrices, half for training steps. */
  seconds: number;
  /** Threads on a CPU; 0 for one a core. */
  threads: number;
  /** This program, to start its children with. */
  program: string;
  emit(line: DoctorLine): Promise<void>;
}

/** Opening and compiling come before what is measured; a driver that hangs is left after this. */
const PREPARATION_MS = 120_000;

/** Looks at the machine and measures each place in a process of its own: a driver that crashes takes nothing along. */
export async function doctor(options: DoctorOptions): Promise<MachineCheck> {
  const { emit } = options;
  const adapter = await child<{ adapter?: GpuFacts }>(options, ['--adapter']).catch(() => ({
    adapter: undefined,
  }));
  const facts = await machineFacts(adapter.adapter);
  await emit({ kind: 'system', ...facts });
  const places: PlaceCheck[] = [];
  for (const { engine, device } of options.places) {
    await emit({ kind: 'checking', engine, device });
    const check = await child<PlaceCheck>(options, ['--place', `${engine}:${device}`]).catch((e: Error) => ({
      engine,
      device,
      problem: e.message,
    }));
    places.push(check);
    await emit({ kind: 'place', ...check });
  }
  return { at: Date.now(), facts, step: STEP_WORDS, places };
}

/** One line of JSON from this program under other arguments. */
function child<T>(options: DoctorOptions, args: string[]): Promise<T> {
  const { program, seconds, threads } = options;
  const rest = ['--seconds', String(seconds), '--threads', String(threads)];
  const started = spawn(process.execPath, [program, 'doctor', ...args, ...rest], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PREPARATION_MS + seconds * 2000,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  let text = '';
  started.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return new Promise((resolve, reject) => {
    started.once('error', reject);
    started.once('close', (code, signal) => {
      // The driver may print too; ours is the line that is JSON.
      const line = text.split('\n').findLast((l) => l.startsWith('{'));
      if (line !== undefined) resolve(JSON.parse(line) as T);
      else if (signal === 'SIGKILL')
        reject(new Error('It did not answer in time: the driver may hang, and the process was ended.'));
      else reject(new Error(`The process that tried it crashed (${signal ?? `exit code ${code}`}).`));
    });
  });
}

/** What a child process does: one place, measured or with its problem. */
export async function checkPlace(place: Place, seconds: number, threads: number): Promise<PlaceCheck> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-doctor-'));
  const { engine, device } = place;
  try {
    const product = await matmulRate(place, folder, threads, seconds / 2);
    const step = await stepRate(place, folder, threads, seconds / 2);
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
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a child process does: the adapter as Dawn sees it. */
export const checkAdapter = async (): Promise<{ adapter?: GpuFacts }> => ({ adapter: await webgpuAdapter() });
