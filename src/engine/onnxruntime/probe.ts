import { tmpdir } from 'node:os';
import { AuroraError } from '../../base/errors';
import { nameTable, own } from '../../base/names';
import { discard } from '../../files/atomic';
import { temporaryFolderFor } from '../../files/system-temporary';
import { GraphBuilder } from '../../graph/builder';
import { Declared } from '../../graph/declared';
import { DType, isFloat } from '../../graph/dtype';
import { saveByReference } from '../../graph/file/save';
import {
  type Dim,
  elementCount,
  type Graph,
  type Model,
  type Node,
  outputsNamed,
  type ValueInfo,
} from '../../graph/model';
import { isFourBit } from '../../graph/number-formats';
import { IN_BLOCKS_FROM, inBlocks } from '../../graph/passes/in-blocks';
import { withoutLargeProducts } from '../../graph/pieces/halves';
import { BATCHES, LENGTHS } from '../../graph/sizes/batch-infos';
import { dealtAxes, mayDealOut } from '../../graph/sizes/dealt-axes';
import { UnknownSize } from '../../graph/sizes/size-rule';
import { declareSizes, fixSizes, infosAtMadeUpSizes } from '../../graph/sizes/sizes';
import type { TensorInfo } from '../../graph/tensor-infos';
import { type NumberArray, tensorOf, tensorValues } from '../../graph/values';
import type { HostTensor, HostTensors } from '../stepper';
import { openSession, type SessionOptions } from './session';

const UNOPTIMIZED: SessionOptions = { optimization: 'disabled' };

/**
 * Shape and type of every tensor, without hand-written inference: the graph runs three times at different sizes of its
 * free axes, and an axis is identified by its three sizes. Integer inputs are zeros, masks ones.
 *
 * @param near a folder on the model's file system, where its weights can be linked rather than copied
 * @param examples shapes of real batches, for models that run at none of the usual sizes
 * @throws AuroraError 'model', with the runtime's message for the most likely sizes, if the model does not run
 */
export async function probe(
  source: Model,
  near = tmpdir(),
  examples: readonly ExampleDims[] = [],
): Promise<Map<string, TensorInfo>> {
  const dealt = dealtInfos(source);
  if (dealt) return dealt;
  const model = { ...source, graph: declareSizes(source.graph) };
  const names = model.graph.nodes.flatMap((n) => n.outputs).filter((n) => n !== '');
  const plans = probePlans(realInputs(model), examples);
  const folder = temporaryFolderFor('probe', near);
  try {
    const types = statedTypes(model) ?? (await elementTypes(model, names, folder));
    const { observed, plan } = await observeShapes(model, names, plans, folder);
    return merge(model, types, observed, plan);
  } catch (e) {
    if (e instanceof AuroraError) throw e;
    throw new AuroraError(
      'model',
      `ONNX Runtime cannot load the model: ${(e as Error).message}`,
      'Check that the unchanged file loads in ONNX Runtime; `aurora inspect` lists its contents.',
      { cause: e },
    );
  } finally {
    discard(folder);
  }
}

/**
 * Types and shapes as a probe finds them, by the rules for sizes, so that nothing runs. The graph is one around a model that was
 * probed: its inputs have the same name for equal axes. Undefined if a size is known only once the graph runs.
 */
export function statedInfos(model: Model): Map<string, TensorInfo> | undefined {
  try {
    return infosByRules(model).infos;
  } catch (e) {
    if (e instanceof UnknownSize) return undefined;
    throw e;
  }
}

function infosByRules(model: Model): { infos: Map<string, TensorInfo>; isDealt: boolean } {
  const [plan] = probePlans(realInputs(model));
  const found = plan.rounds.map((sizes) => fixSizes(model.graph, sizes).infos);
  const types = new Map(Array.from(found[0], ([name, { dtype }]) => [name, dtype]));
  const observed = found.map((infos) => new Map(Array.from(infos, ([name, { shape }]) => [name, shape])));
  const dealt = dealtAxes(model.graph, (deal) => fixSizes(model.graph, plan.rounds[0], deal).infos);
  return { infos: merge(model, types, observed, plan, dealt), isDealt: dealt !== undefined };
}

/**
 * Types and shapes of a graph that deals rows out by its data, as a mixture of experts does: from runs alone, an axis of such a
 * size could be taken for another. Undefined for other graphs.
 */
function dealtInfos(model: Model): Map<string, TensorInfo> | undefined {
  if (!mayDealOut(model.graph)) return undefined;
  try {
    const { infos, isDealt } = infosByRules(model);
    return isDealt ? infos : undefined;
  } catch (e) {
    if (e instanceof UnknownSize) return undefined;
    throw e;
  }
}

/** Inputs without a default value. */
const realInputs = (model: Model): ValueInfo[] =>
  model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));

/** The types of all tensors, if the rules for sizes know all operators. */
function statedTypes({ graph }: Model): Map<string, number> | undefined {
  const infos = infosAtMadeUpSizes(graph);
  return infos && new Map([...infos].map(([name, { dtype }]) => [name, dtype]));
}

/** The runtime infers all types on load: nothing has to run. */
async function elementTypes(model: Model, names: string[], folder: string): Promise<Map<string, number>> {
  const unknown = unknownTypes(model);
  const outputs = outputsNamed(names.filter((name) => !unknown.has(name)));
  const exposed: Model = { ...model, graph: { ...model.graph, outputs } };
  const session = await openSession(saveByReference(exposed, folder, 'types.onnx'), UNOPTIMIZED);
  await session.dispose();
  const types = new Map(model.graph.inputs.map((i) => [i.name, i.dtype]));
  for (const [name, type] of unknown) types.set(name, type);
  for (const [name, type] of session.outputTypes) if (type !== undefined) types.set(name, type);
  return types;
}

/** Tensors inside the graph of a type that the runtime cannot return in JavaScript. */
function unknownTypes({ graph }: Model): Map<string, number> {
  const declared = new Declared(graph);
  const found = new Map<string, number>();
  for (const node of graph.nodes) {
    declared.follow(node);
    for (const y of node.outputs) {
      const type = declared.dtype(y);
      if (type === DType.bfloat16 || (type !== undefined && isFourBit(type))) found.set(y, type);
    }
  }
  return found;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * The shape of every tensor in each run of the first plan that works. Only Shape nodes become outputs: as outputs, the
 * tensors themselves would all be in memory at once, which for a large model is more than a training step needs.
 */
async function observeShapes(
  model: Model,
  names: string[],
  plans: readonly ProbePlan[],
  folder: string,
): Promise<{ observed: Shapes[]; plan: ProbePlan }> {
  const { graph: light, known } = withoutLargeProducts(model.graph);
  const { graph, shapes } = withShapes(
    light,
    names.filter((name) => !known.has(name)),
  );
  const probed: Model = { ...model, graph };
  const session = await openSession(saveByReference(probed, folder, 'probe.onnx'), UNOPTIMIZED);
  const run = async (dims: ReadonlyMap<string, number[]>): Promise<Shapes> => {
    const feeds: HostTensors = nameTable();
    for (const input of realInputs(model)) feeds[input.name] = placeholder(input, dims.get(input.name)!);
    const out = await session.run(feeds);
    return new Map([
      ...dims,
      ...names.map(
        (name) => [name, known.get(name) ?? Array.from(out[shapes.get(name)!].data, Number)] as const,
      ),
    ]);
  };
  let first: unknown;
  try {
    for (const plan of plans)
      try {
        const observed: Shapes[] = [];
        for (const dims of plan.rounds) observed.push(await run(dims));
        return { observed, plan };
      } catch (e) {
        first ??= e;
      }
  } finally {
    await session.dispose();
  }
  throw first;
}

/** A graph whose outputs are the shapes of these tensors, and the name of each. */
function withShapes(
  { nodes, ...light }: Graph,
  names: readonly string[],
): { graph: Graph; shapes: Map<string, string> } {
  const asked: Node[] = [];
  const g = new GraphBuilder({ ...light, nodes }, '/probe', asked);
  const shapes = new Map(names.map((name) => [name, g.op('Shape', [name])] as const));
  const outputs = outputsNamed([...shapes.values()]);
  const producers = new Map(asked.map((node) => [node.inputs[0]!, node]));
  const inOrder = nodes.flatMap((n) => [n, ...n.outputs.flatMap((y) => producers.get(y) ?? [])]);
  const whole = { ...light, nodes: inOrder, outputs };
  const blocks = inOrder.length < IN_BLOCKS_FROM ? whole : inBlocks(whole);
  if (blocks !== whole) return { graph: blocks, shapes };
  // ONNX Runtime works through the ends of a graph from the last to the first: in this order, it asks for a shape as
  // soon as the tensor exists. Otherwise all tensors stay in memory until the first shape is asked for.
  return { graph: { ...light, nodes: [...nodes, ...asked.reverse()], outputs }, shapes };
}

function placeholder(input: ValueInfo, dims: number[]): HostTensor {
  const fill = isFloat(input.dtype) ? 0.5 : /mask/i.test(input.name) || input.dtype === DType.bool ? 1 : 0;
  const t = tensorOf(input.name, input.dtype, dims, new Array<number>(elementCount(dims)).fill(fill));
  return { dtype: t.dtype, dims, data: tensorValues(t) as NumberArray };
}

function merge(
  model: Model,
  types: ReadonlyMap<string, number>,
  observed: Shapes[],
  plan: ProbePlan,
  dealt?: ReturnType<typeof dealtAxes>,
): Map<string, TensorInfo> {
  const infos = new Map<string, TensorInfo>();
  for (const t of model.graph.initializers.values()) infos.set(t.name, { dtype: t.dtype, shape: t.dims });
  for (const [name, dims] of observed[0]) {
    const shape = dims.map((_, axis) => {
      const unknown = dealt?.(name, axis);
      if (unknown !== undefined) return unknown;
      const sizes = observed.map((o) => o.get(name)![axis]);
      if (sizes.every((s) => s === sizes[0])) return sizes[0];
      return plan.labels.get(sizes.join('|')) ?? sizes.join('|');
    });
    infos.set(name, { dtype: types.get(name)!, shape });
  }
  return infos;
}

/** Shape of each input in one real batch. */
type ExampleDims = Readonly<Record<string, readonly number[]>>;

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
