import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';
import { buildPrograms } from './programs.mjs';

/** Models, cases and programs of the benchmarks; ignored by git. */
export const FOLDER = join(ROOT, '.cache', 'bench');

/** Between two turns: OpenBLAS's threads wait in a loop for up to a tenth of a second after PyTorch's. */
const PAUSE_MS = 200;

/** Fewer rounds than this are not meaningful, however slow the machine is. */
const FEWEST_ROUNDS = 3;

/**
 * Options shared by the step benchmarks; undefined if only help was requested, which is then printed.
 * @param {string} help
 * @param {number} rounds by default
 */
export function benchOptions(help, rounds) {
  const { values } = parseArgs({
    options: {
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: `${rounds}` },
      case: { type: 'string', multiple: true },
      against: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const [threads, counted] = ['threads', 'rounds'].map((name) => positive(name, values[name]));
  return { threads, rounds: counted, cases: values.case, against: values.against };
}

export function positive(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Failure(`--${option} ${text} is not a positive whole number.`);
}

/**
 * Measures several times, each with new processes: the times of one differ by up to 5% from those of the next, probably because
 * of where its memory lies.
 */
export async function inNewProcesses(times, contestants, measure) {
  for (let i = 0; i < times; i++)
    try {
      // One at a time: preparing uses every core.
      for (const contestant of contestants) await contestant.start();
      await measure();
    } finally {
      contestants.forEach((contestant) => contestant.end());
    }
}

/**
 * All contestants alternate, so that other load on the machine affects all of them equally. A slow or busy machine runs
 * fewer rounds than requested. A contestant with a `command` runs that instead. With `twice`, a turn runs the command twice,
 * and only the second run counts: in training, a step follows another one, not the work of another program. Returns the number
 * of rounds that counted.
 */
export async function takeTurns(contestants, command, { warmUp, rounds, seconds, twice }) {
  const end = performance.now() + seconds * 1000;
  let round = 0;
  while (round < warmUp + rounds && (round < warmUp + FEWEST_ROUNDS || performance.now() < end)) {
    for (const contestant of contestants) {
      const own = contestant.command ?? command;
      await setTimeout(PAUSE_MS);
      if (twice) await contestant.measure(own, false);
      await contestant.measure(own, round >= warmUp);
    }
    round++;
  }
  for (const contestant of contestants) await contestant.noteMemory(command);
  return round - warmUp;
}

/** Bundles the programs of the benchmarks of a step. */
export const buildBench = () =>
  buildPrograms(
    ['prepare', 'step', 'product', 'profile', 'reference-precision'],
    ['onnxruntime-node', 'webgpu'],
  );

/**
 * Runs in a separate process, so that the memory for making the model counts for neither side.
 * @param {string} name ENCODER:BATCHxLENGTH
 * @param {string} [method] with its targets, instead of the timed adapter
 * @param {string} [targets]
 */
export function prepareCase(name, method, targets) {
  const match = /^(6x384|12x768):(\d+)x(\d+)$/.exec(name);
  if (!match) throw new Failure(`--case ${name} is not ENCODER:BATCHxLENGTH.`, 'For example 6x384:16x128.');
  const adapter = method === undefined ? [] : [method, targets];
  const args = [join(FOLDER, 'prepare.cjs'), FOLDER, ...match.slice(1), ...adapter];
  const result = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (result.status !== 0) throw new Failure(`The benchmark's model could not be made:\n${result.stderr}`);
  return result.stdout.trim();
}

/** Weights that a side has linked next to its step graph. */
export function cleanUp() {
  for (const entry of readdirSync(FOLDER))
    if (entry.startsWith('step-')) rmSync(join(FOLDER, entry), { recursive: true, force: true });
}
