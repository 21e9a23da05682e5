import { join } from 'node:path';
import type { HostTensors, Parameters } from '../../engine/stepper';
import { openForward, openTask } from '../../engine/open-task';
import type { Place } from '../../engine/place';
import { buildTaskGraph, LABELS, type TaskGraph, type TaskGraphSpec } from '../../tasks/task-graph';
import { DType } from '../../graph/dtype';
import type { TensorInfos } from '../../graph/tensor-infos';
import type { Model } from '../../graph/model';
import type {
  VerifyGradient,
  VerifyKinks,
  VerifyRan,
  VerifyResult,
  VerifyRow,
  VerifyValues,
} from '../../protocol/verification';
import {
  difference,
  largest,
  positionOf,
  firstDifference,
  findKinks,
  kinksLine,
  without,
} from './tensor-difference';

/** A side of the comparison: a model and its device. The models differ only in the part that a test changes. */
export interface Side {
  place: Place;
  /** At the internal opset. */
  model: Model;
}

export interface Subject {
  infos: TensorInfos;
  spec: TaskGraphSpec;
  /** The model's inputs, labels, and dropout masks if the task has them. */
  inputs: HostTensors;
  /** Values of the trainable tensors to compare with. */
  rounds: { values: VerifyValues; parameters: Parameters }[];
}

export interface VerifyOptions {
  /** For graphs; the caller removes it. */
  folder: string;
  threads?: number;
  emit: (line: VerifyRan | VerifyKinks) => void | Promise<void>;
}

/**
 * Relative to the largest magnitude of each tensor, as against PyTorch: both sides compute in float32, in different
 * orders. A gradient's unit is at least a thousandth of the largest of all.
 */
const TOLERANCE = { loss: 1e-5, logits: 1e-4, gradients: 1e-4 };

interface Step {
  loss: number;
  logits: ArrayLike<number>;
  gradients: Map<string, Float32Array>;
}

/** Runs one training step of a task on both sides, and finds the first difference, if there is one. */
export async function verifySides(
  sides: readonly [Side, Side],
  subject: Subject,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const result = await compare(sides, subject, options);
  if (result.agree || result.rows.some((r) => !r.agree && r.what !== 'gradients'))
    return explain(sides, subject, result, options);
  const kinks = await kinksOf(sides, subject, options);
  if (!kinks) return explain(sides, subject, result, options);
  await options.emit(kinks);
  if (kinks.texts.length === kinks.of) return explain(sides, subject, result, options);
  const rest = { ...subject, inputs: without(subject.inputs, kinks.texts, kinks.of) };
  return explain(sides, rest, await compare(sides, rest, options), options);
}

interface Compared {
  agree: boolean;
  rows: VerifyRow[];
  steps: [Step[], Step[]];
}

async function compare(
  sides: readonly [Side, Side],
  subject: Subject,
  options: VerifyOptions,
): Promise<Compared> {
  const [a, b] = [await steps(sides[0], subject, options), await steps(sides[1], subject, options)];
  const rows = subject.rounds.flatMap(({ values }, i) => compared(values, a[i], b[i]));
  return { agree: rows.every((r) => r.agree), rows, steps: [a, b] };
}

/** With the first difference, if there is one. */
async function explain(
  sides: readonly [Side, Side],
  subject: Subject,
  { agree, rows, steps: [a, b] }: Compared,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const failed = rows.find((r) => !r.agree);
  if (!failed) return { kind: 'result', agree, rows };
  const round = subject.rounds.findIndex((r) => r.values === failed.values);
  const first =
    (await forwardDifference(sides, subject, round, options)) ??
    gradientDifference(taskOf(sides[0], subject), a[round], b[round]);
  return { kind: 'result', agree, rows, first };
}

const taskOf = ({ model }: Side, { infos, spec }: Subject): TaskGraph =>
  buildTaskGraph(model, infos, spec, true);

async function steps(
  side: Side,
  subject: Subject,
  { folder, threads, emit }: VerifyOptions,
): Promise<Step[]> {
  const { place } = side;
  const task = taskOf(side, subject);
  const here = join(folder, place.engine);
  const { stepper } = await openTask(side.model, subject.infos, subject.spec, join(here, 'step'), {
    place,
    threads,
  });
  try {
    const forward = await openForward(task.model, [task.logits], here, { place, threads });
    try {
      const out: Step[] = [];
      for (const { values, parameters } of subject.rounds) {
        const began = performance.now();
        const step = await stepper.step(subject.inputs, parameters, 1 / subject.inputs[LABELS].dims[0]);
        const seconds = (performance.now() - began) / 1000;
        const { [task.logits]: logits } = await forward.run(feedsOf(task, subject.inputs, parameters));
        const loss = step.lossSum / step.count;
        out.push({ loss, logits: logits.data as Float32Array, gradients: step.gradients });
        await emit({ kind: 'ran', place, values, seconds, loss });
      }
      return out;
    } finally {
      await forward.dispose();
    }
  } finally {
    await stepper.dispose();
  }
}

function feedsOf(task: TaskGraph, inputs: HostTensors, parameters: Parameters): HostTensors {
  const fed = [...task.trainable, ...task.frozen].map(({ name, dims }) => [
    name,
    { dtype: DType.float, dims, data: parameters.get(name)! },
  ]);
  return { ...inputs, ...(Object.fromEntries(fed) as HostTensors) };
}

function compared(values: VerifyValues, a: Step, b: Step): VerifyRow[] {
  const row = (what: VerifyRow['what'], error: number, more: Partial<VerifyRow> = {}): VerifyRow => ({
    values,
    what,
    error: Number.isFinite(error) ? error : null,
    tolerance: TOLERANCE[what],
    agree: error <= TOLERANCE[what],
    ...more,
  });
  const names = [...a.gradients.keys()];
  const errorOf = gradientErrors(a, b);
  const errors = names.map((name) => errorOf(name).error);
  // NaN is worse than any number.
  const worst = errors.reduce((w, e, i) => (Number.isNaN(e) || e > errors[w] ? i : w), 0);
  const zero = names.filter((n) => largest(a.gradients.get(n)!) === 0 && largest(b.gradients.get(n)!) === 0);
  return [
    row('loss', difference([a.loss], [b.loss]).error),
    row('logits', difference(a.logits, b.logits).error),
    row('gradients', errors[worst], { worst: names[worst], zero: zero.length, of: names.length }),
  ];
}

function gradientErrors(a: Step, b: Step) {
  const overall = Math.max(...[...a.gradients.values()].map(largest));
  return (name: string) => {
    const ours = a.gradients.get(name)!;
    return difference(ours, b.gradients.get(name) ?? [], Math.max(largest(ours), overall / 1000));
  };
}

/** Both sides' forward graphs, and the inputs of a round. */
function forwardOf(sides: readonly [Side, Side], subject: Subject, round: number, threads?: number) {
  const [x, y] = sides.map((side) => ({ model: taskOf(side, subject).model, place: side.place, threads }));
  const feeds = feedsOf(taskOf(sides[0], subject), subject.inputs, subject.rounds[round].parameters);
  return { forward: [x, y] as const, feeds };
}

function forwardDifference(
  sides: readonly [Side, Side],
  subject: Subject,
  round: number,
  { folder, threads }: VerifyOptions,
) {
  const { forward, feeds } = forwardOf(sides, subject, round, threads);
  return firstDifference(forward, feeds, join(folder, 'trace'));
}

async function kinksOf(sides: readonly [Side, Side], subject: Subject, { folder, threads }: VerifyOptions) {
  const examples = subject.inputs[LABELS].dims[0];
  const found = [];
  for (const round of subject.rounds.keys()) {
    const { forward, feeds } = forwardOf(sides, subject, round, threads);
    found.push(await findKinks(forward, feeds, examples, join(folder, 'kinks')));
  }
  return kinksLine(found, examples);
}

/** The backward pass starts at the loss, so the last difference in the graph is nearest to the cause. */
function gradientDifference(task: TaskGraph, a: Step, b: Step): VerifyGradient | undefined {
  const errorOf = gradientErrors(a, b);
  const differing = task.trainable.filter((t) => !(errorOf(t.name).error <= TOLERANCE.gradients));
  const last = differing.at(-1);
  if (!last) return undefined;
  const found = errorOf(last.name);
  return {
    stage: 'gradient',
    tensor: last.name,
    dims: last.dims,
    position: positionOf(found.at, last.dims),
    both: [String(found.values[0]), String(found.values[1])],
    error: Number.isFinite(found.error) ? found.error : null,
    differing: differing.map((t) => t.name),
  };
}
