import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DType } from '../src/graph/dtype';
import { deviceGraph } from '../src/engine/onnxruntime/device-graph';
import { GRAD_SCALE } from '../src/engine/onnxruntime/step-constants';
import { openSession } from '../src/engine/onnxruntime/session';
import { trainingGraph } from '../src/engine/onnxruntime/training-graph';
import { saveByReference } from '../src/graph/file/save';
import type { HostTensors } from '../src/graph/tensor-infos';
import { buildTaskGraph } from '../src/tasks/task-graph';
import { caseInputs, openCase, readCase } from './open-case';

const WARM_UP = 2;

interface Event {
  cat: string;
  name: string;
  /** Microseconds. */
  dur: number;
  args: { op_name?: string };
}

/**
 * The distribution of a step's time. Usage: profile CASE THREADS STEPS; prints one line of JSON: by operator, the
 * number of nodes that run in a step and their milliseconds, from ONNX Runtime's own profile (which makes each node a
 * little slower).
 */
async function main(path: string, threads: number, steps: number): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), 'step-'));
  const c = readCase(path);
  const { model, infos, spec } = await openCase(c, path, folder);
  const task = buildTaskGraph(model, infos, spec, true, true);
  const { model: step, gradients } = await trainingGraph(task, folder);
  const graph = deviceGraph(step, 'cpu', 'step');
  const session = await openSession(saveByReference(graph, folder, 'step.onnx'), {
    threads,
    optimization: 'products',
    profile: join(folder, 'profile'),
  });
  const feeds: HostTensors = {
    ...caseInputs(c),
    [GRAD_SCALE]: { dtype: DType.float, dims: [], data: Float32Array.of(1 / c.labels.data.length) },
  };
  for (const [name, { dims, data }] of Object.entries(c.trainable))
    feeds[name] = { dtype: DType.float, dims, data: Float32Array.from(data) };
  for (let i = 0; i < WARM_UP + steps; i++) await session.run(feeds, [task.lossSum, ...gradients.values()]);
  await session.dispose();

  const [file] = readdirSync(folder).filter((name) => name.startsWith('profile'));
  const events = (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Event[]).filter(
    ({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'),
  );
  const nodes = events.length / (WARM_UP + steps);
  const operators = new Map<string, { nodes: number; ms: number }>();
  for (const { dur, args } of events.slice(WARM_UP * nodes)) {
    const of = operators.get(args.op_name!) ?? { nodes: 0, ms: 0 };
    operators.set(args.op_name!, { nodes: of.nodes + 1 / steps, ms: of.ms + dur / 1000 / steps });
  }
  const line = [...operators].map(([operator, of]) => ({ operator, ...of })).sort((a, b) => b.ms - a.ms);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  rmSync(folder, { recursive: true });
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [path, threads, steps] = process.argv.slice(2);
void main(path, Number(threads), Number(steps));
