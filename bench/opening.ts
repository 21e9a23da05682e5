import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import { probe } from '../src/engine/onnxruntime/probe';
import { openTask } from '../src/engine/open-task';
import { loadModel } from '../src/graph/file/load';
import { saveModel } from '../src/graph/file/save';
import { findLinearLayers } from '../src/graph/layers/linear';
import { prepareModel } from '../src/graph/prepare';
import { TIMED_ADAPTER } from '../src/checks/doctor/place-rates';
import { encoderModel } from '../src/checks/doctor/encoder';
import { HEAD } from './case';

/** 500 MB of weights in BERT-base's shape, two layers deeper. */
const SIZE = { layers: 14, hidden: 768, heads: 12, feedForward: 3072, vocabulary: 30522, positions: 512 };
const CHUNK = 2 ** 22;
/** The time between two looks at memory while the model is opened. */
const LOOK_MS = 2;

/** Bytes of this process's memory that do not map a file. */
const ownMemory = (): number =>
  1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

/** Reads all of a file, a piece at a time. */
function read(path: string): number {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(CHUNK);
  let bytes = 0;
  for (let n; (n = readSync(file, buffer)) > 0;) bytes += n;
  closeSync(file);
  return bytes;
}

/** From the file to the two sessions of a run with an adapter; the milliseconds of each part. */
async function open(path: string, threads: number): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(dirname(path), 'step-'));
  const parts: Record<string, number> = {};
  let last = performance.now();
  const part = (name: string) => {
    parts[name] = performance.now() - last;
    last = performance.now();
  };
  try {
    const model = prepareModel(loadModel(path));
    const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), TIMED_ADAPTER);
    part('graph');
    const infos = await probe(model, folder);
    part('shapes');
    const head = { pooling: 'mean' as const, ...HEAD };
    const spec = { objective: 'cross-entropy' as const, head, output: 'last_hidden_state', adapters };
    const { stepper } = await openTask(model, infos, spec, join(folder, 'graphs'), { threads });
    part('sessions');
    await stepper.dispose();
    return parts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Usage: opening make|read|open FILE THREADS. Prints one line of JSON: milliseconds, bytes of the file, and the largest
 * growth of memory that does not map a file.
 */
async function main(action: string, path: string, threads: number): Promise<object> {
  if (action === 'make') {
    if (!existsSync(path)) saveModel(encoderModel(SIZE), path);
    return {};
  }
  const before = ownMemory();
  let most = before;
  const look = setInterval(() => (most = Math.max(most, ownMemory())), LOOK_MS);
  const start = performance.now();
  const result = action === 'read' ? { bytes: read(path) } : { parts: await open(path, threads) };
  const ms = performance.now() - start;
  clearInterval(look);
  return { ms, memory: Math.max(most, ownMemory()) - before, ...result };
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [action, path, threads] = process.argv.slice(2);
main(action, path, Number(threads)).then(
  (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
  (e: unknown) => {
    console.error(e);
    process.exit(1);
  },
);
