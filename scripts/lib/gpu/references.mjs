import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../run.mjs';

const FIXTURES = join(ROOT, 'test', 'fixtures');
/** Each engine on each kind of GPU. Hub folders are compared on ONNX Runtime alone, as in the tests. */
export const PLACES = [
  { engine: 'onnxruntime', device: 'webgpu', name: 'ONNX Runtime, webgpu', hub: true },
  { engine: 'onnxruntime', device: 'cuda', name: 'ONNX Runtime, cuda', hub: true },
  { engine: 'tfjs', device: 'webgpu', name: 'TensorFlow.js, webgpu', hub: false },
  { engine: 'tfjs', device: 'tensorflow', name: 'TensorFlow.js, tensorflow', hub: false },
];
/** Neighbors in time would be similar: in this order, the first few of them are of many kinds. */
const STRIDE = 7;
/** The nonlinear layer alone: in seconds it shows whether a device can be used. */
const FIRST = join(FIXTURES, 'reference', 'anl.json');

/** The reference files that a place is compared on. */
export function referenceFiles({ hub }) {
  const folders = ['reference', 'reference/more', ...(hub ? ['hf'] : [])].map((f) => join(FIXTURES, f));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name)),
  );
  return Array.from({ length: STRIDE }, (_, k) => files.filter((_, i) => i % STRIDE === k)).flat();
}

/** Why a place cannot be used here; undefined if it can. */
export const problemOf = async (place) => {
  const { problem, done } = await compareWithPyTorch(place, [FIRST], 120);
  return problem ?? (done.length === 0 ? 'It did not answer in two minutes.' : undefined);
};

/**
 * Compares a place with PyTorch on as many files as there is time for.
 *
 * @param {number} seconds
 * @returns {Promise<{ done: { file: string, agrees: boolean, worst: object[] }[], of: number, seconds: number, problem?: string }>}
 *   with the problem that ended it early
 */
export async function compareWithPyTorch({ engine, device }, files, seconds) {
  const began = performance.now();
  const args = [join(ROOT, 'dist', 'cli.cjs'), 'reference', '--engine', engine, '--device', device, '--json'];
  const child = spawn(process.execPath, [...args, ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, seconds * 1000);
  const closed = once(child, 'close');
  const done = [];
  let ended = false;
  let problem;
  for await (const line of createInterface({ input: child.stdout })) {
    const { kind, file, error, ...rest } = JSON.parse(line);
    if (kind === 'file') done.push({ file: basename(file, '.json'), ...rest });
    else if (error) problem = error.message;
    else ended = true;
  }
  const [code, signal] = await closed;
  clearTimeout(timer);
  const about = { done, of: files.length, seconds: (performance.now() - began) / 1000 };
  if (ended || late) return about;
  const at = basename(files[done.length] ?? '', '.json');
  return { ...about, problem: problem ?? `Its process ended with ${signal ?? `code ${code}`} at ${at}.` };
}
