import type { Dim, ValueInfo } from '../../graph/model';
import { BATCHES, LENGTHS } from '../../graph/sizes/probed-sizes';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';

/** Shape of each input in one real batch. */
export type ExampleDims = Readonly<Record<string, readonly number[]>>;

/** A few runs of a model at different sizes of its free axes. */
export interface ProbePlan {
  /** Each run's shapes, by input. */
  rounds: Map<string, number[]>[];
  /** The name of an axis that had these sizes, joined by `|`. */
  labels: Map<string, string>;
}

/**
 * Rules that identify equal axes, from those that the model states to those that are common. Exporters use one name for
 * an axis everywhere, or none, or a different name in each input.
 */
const TIES: ((input: ValueInfo, axis: number, dim: Dim) => string)[] = [
  (input, axis, dim) => stated(input, axis, dim),
  (input, axis, dim) => (axis === 0 ? 'batch' : stated(input, axis, dim)),
  (input, axis) => (axis === 0 ? 'batch' : `${side(input)}axis ${axis} of ${input.shape!.length}`),
  (input, axis) => (axis === 0 ? 'batch' : `${side(input)}axis ${axis}`),
  (_, axis) => (axis === 0 ? 'batch' : `axis ${axis}`),
];

const stated = (input: ValueInfo, axis: number, dim: Dim): string => String(dim ?? `${input.name}[${axis}]`);

/** A decoder's sequences have their own lengths. */
const side = (input: ValueInfo): string => (/decoder|target|tgt/i.test(input.name) ? 'decoder ' : '');

/** True if height and width of an input are free: a million pixels would take long, and much memory. */
const isPicture = ({ shape }: ValueInfo): boolean =>
  shape?.length === 4 && shape.slice(2).every((dim) => typeof dim !== 'number');

/**
 * The ways to probe a model, most likely first. A model that runs at none of the made-up sizes (an image model whose
 * exporter declared the height free) may run at those of real batches.
 *
 * @param examples also rule out ties that they contradict
 */
export function probePlans(inputs: readonly ValueInfo[], examples: readonly ExampleDims[] = []): ProbePlan[] {
  for (const { name, shape } of inputs)
    if (!shape)
      throw new AuroraError(
        'model',
        `The input ${name} declares no shape.`,
        'Export the model with its input shapes.',
      );
  const ties = TIES.map((tie) => axesOf(inputs, tie)).filter(
    (axes, i, all) =>
      examples.every((e) => agrees(axes, e)) && all.findIndex((a) => samePartition(a, axes)) === i,
  );
  const lengths = inputs.some(isPicture) ? LENGTHS.slice(0, -1) : LENGTHS;
  const made = lengths.flatMap((of) => ties.map((axes) => planOf(inputs, axes, of)));
  if (examples.length === 0) return made;
  const free = examplePlan(inputs, examples, BATCHES[0]);
  return [...made, free, examplePlan(inputs, examples, [undefined, undefined, undefined])];
}

/** Names of the free axes, by input and axis. */
type Axes = Map<string, string>;

const keyOf = (input: string, axis: number): string => `${input} ${axis}`;

function axesOf(inputs: readonly ValueInfo[], tie: (typeof TIES)[number]): Axes {
  const axes: Axes = new Map();
  for (const input of inputs)
    input.shape!.forEach((dim, axis) => {
      if (typeof dim !== 'number') axes.set(keyOf(input.name, axis), tie(input, axis, dim));
    });
  return axes;
}

function samePartition(a: Axes, b: Axes): boolean {
  const forth = new Map<string, string>();
  const back = new Map<string, string>();
  return [...a].every(([key, name]) => {
    const other = b.get(key)!;
    if (!forth.has(name)) forth.set(name, other);
    if (!back.has(other)) back.set(other, name);
    return forth.get(name) === other && back.get(other) === name;
  });
}

function agrees(axes: Axes, example: ExampleDims): boolean {
  const sizes = new Map<string, number>();
  for (const [input, dims] of Object.entries(example))
    for (const [axis, size] of dims.entries()) {
      const name = axes.get(keyOf(input, axis));
      if (name === undefined) continue;
      if ((sizes.get(name) ?? size) !== size) return false;
      sizes.set(name, size);
    }
  return true;
}

function planOf(inputs: readonly ValueInfo[], axes: Axes, lengths: number[][]): ProbePlan {
  const leading = new Set([...axes].filter(([key]) => key.endsWith(' 0')).map(([, name]) => name));
  const sizes = new Map<string, number[]>();
  let batches = 0;
  let others = 0;
  for (const name of new Set(axes.values())) {
    const pool = leading.has(name) ? BATCHES : lengths;
    sizes.set(name, derived(name) ?? pool[(leading.has(name) ? batches++ : others++) % pool.length]);
  }
  const rounds = [0, 1, 2].slice(0, axes.size ? 3 : 1).map((round) => {
    const dim = (input: ValueInfo, d: Dim, axis: number) =>
      typeof d === 'number' ? d : sizes.get(axes.get(keyOf(input.name, axis))!)![round];
    return new Map(inputs.map((i) => [i.name, i.shape!.map((d, axis) => dim(i, d, axis))]));
  });
  return { rounds, labels: new Map([...sizes].map(([name, s]) => [s.join('|'), name])) };
}

/** An axis that an earlier probe found to depend on others is named after its sizes there. */
const derived = (name: string): number[] | undefined =>
  /^\d+\|\d+\|\d+$/.test(name) ? name.split('|').map(Number) : undefined;

/** Real shapes, except for the number of examples in the batch if that is free. */
function examplePlan(
  inputs: readonly ValueInfo[],
  examples: readonly ExampleDims[],
  batches: readonly (number | undefined)[],
): ProbePlan {
  const rounds = batches.map((batch, round) => {
    const example = examples[round % examples.length];
    return new Map(
      inputs.map(({ name, shape }) => {
        const dims = [...(own(example, name) ?? shape!.map((d) => (typeof d === 'number' ? d : 1)))];
        if (batch !== undefined && shape!.length && typeof shape![0] !== 'number') dims[0] = batch;
        return [name, dims] as const;
      }),
    );
  });
  return { rounds, labels: new Map([[batches.join('|'), 'batch']]) };
}
