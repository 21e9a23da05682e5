import { mkdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { ratesFolder } from '../../files/cache-folder';
import { claim, type Owner } from '../../files/owner';
import type { MachineRates } from '../../protocol/step-cost';
import { askChild } from '../../training/process/child';

/** Increased whenever rates are measured in another way. */
const VERSION = 6;
/** Opening sessions comes before the measurement. */
const LIMIT_MS = 120_000;
/** The interval in which a process that waits for another one's measurement looks. */
const LOOK_MS = 100;

export interface RatesOptions {
  /** CPU threads; 0 for one per core. */
  threads: number;
  /** This program, to start its child. */
  program: string;
  /** Makes a folder for temporary graphs, which the caller removes. */
  folder: () => string;
  /** The rule for measuring: where no rates are known, even if they are, or not at all. */
  measure: 'once' | 'again' | 'never';
}

/** A failed measurement is not tried again by this process. */
let cannot = false;

/**
 * The operations of this machine's CPU in a second: as measured before, kept in the user's cache folder, or measured
 * now in a separate process, which takes about three seconds of computing. Undefined if that fails, or is not wanted.
 */
export async function machineRates(options: RatesOptions): Promise<MachineRates | undefined> {
  const { threads, program, folder, measure } = options;
  const path = ratesFile(threads);
  const began = Date.now();
  const usable = () => {
    const found = readRates(path);
    // A measurement that another process made while this one waited is as good as its own.
    const isNew = found !== undefined && found.at >= began;
    return found && (measure === 'never' || isNew || isUsable(found, isBusy())) ? found : undefined;
  };
  const known = measure === 'again' ? undefined : usable();
  if (known) return known;
  if (cannot || measure === 'never') return undefined;
  return alone(measure === 'again' ? () => undefined : usable, async () => {
    const busy = isBusy();
    const args = ['measure-rates', '--folder', folder(), '--threads', String(threads)];
    const { answer } = await askChild<MachineRates>({ program, args, limit: LIMIT_MS });
    const rates = answer && { ...answer, ...(busy && { busy }) };
    if (rates) save(path, rates);
    else cannot = true;
    return rates;
  });
}

/** True if more programs compute than there are cores; never on Windows, which does not report it. */
const isBusy = (): boolean => loadavg()[0] > 1.5 * cpus().length;

/** True if rates can be used: those measured while the machine was busy count only as long as it is. */
export const isUsable = (rates: MachineRates, busyNow: boolean): boolean => !rates.busy || busyNow;

/**
 * Measures while no other process does: two would both find the machine half as fast.
 *
 * @param known the rates that another process has measured in between
 */
async function alone(
  known: () => MachineRates | undefined,
  measure: () => Promise<MachineRates | undefined>,
): Promise<MachineRates | undefined> {
  const folder = join(ratesFolder(), 'measuring');
  const until = Date.now() + LIMIT_MS;
  for (;;) {
    const claimed = await tryClaim(folder);
    if (claimed === 'busy' && Date.now() < until) {
      await wait(LOOK_MS);
      continue;
    }
    try {
      return known() ?? (await measure());
    } finally {
      if (typeof claimed === 'object') claimed.release();
    }
  }
}

/**
 * Undefined if the folder cannot be written, or if it is unknown whether its owner still runs: then nothing is waited
 * for.
 */
async function tryClaim(folder: string): Promise<Owner | 'busy' | undefined> {
  try {
    mkdirSync(folder, { recursive: true });
    const claimed = await claim(folder);
    if ('owner' in claimed) return claimed.owner;
    return claimed.as === 'alive' ? 'busy' : undefined;
  } catch (e) {
    if (e instanceof AuroraError || (e as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw e;
  }
}

/** The file of this processor and number of threads: a cache folder may be shared by several machines. */
function ratesFile(threads: number): string {
  const cores = cpus();
  const name = `${cores[0]?.model ?? 'cpu'} ${cores.length} ${threads}`.replace(/[^\w.]+/g, '-');
  return join(ratesFolder(), `${name}-${VERSION}.json`);
}

function readRates(path: string): MachineRates | undefined {
  try {
    const rates = JSON.parse(readFileSync(path, 'utf8')) as MachineRates;
    const { blocks, columns } = rates.widened ?? {};
    const products = [rates.gflops, rates.int8Gflops, blocks, columns];
    const numbers = [rates.at, ...products, rates.bytesPerSecond, rates.functionsPerSecond];
    return numbers.every((n) => n > 0) && rates.secondsPerNode >= 0 ? rates : undefined;
  } catch {
    return undefined;
  }
}

/** The cache only saves time. */
function save(path: string, rates: MachineRates): void {
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    writeAtomic(path, JSON.stringify(rates));
  } catch {
    return;
  }
}
