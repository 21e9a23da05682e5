import { tmpdir } from 'node:os';
import { AuroraError } from '../../base/errors';
import { GraphBuilder } from '../../graph/builder';
import { Declared } from '../../graph/declared';
import { DType, isFloat } from '../../graph/dtype';
import { isFourBit } from '../../graph/four-bit';
import { elementCount, outputsNamed, type Model, type Node, type ValueInfo } from '../../graph/model';
import type { TensorInfo } from '../../graph/infos';
import { discard } from '../../files/atomic';
import { temporaryFolderFor } from '../../files/system-temporary';
import { saveByReference } from '../../graph/file/save';
import { declareSizes } from '../../graph/sizes/declare';
import { withoutLargeProducts } from '../../graph/pieces/shapes';
import type { NumberArray } from '../../graph/values';
import { tensorOf, tensorValues } from '../../graph/values';
import type { HostTensor, HostTensors } from '../engine';
import { probePlans, type ExampleDims, type ProbePlan } from './probe-plan';
import { openSession, type SessionOptions } from './session';
import { nameTable } from '../../base/names';

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
  const model = { ...source, graph: declareSizes(source.graph) };
  const names = model.graph.nodes.flatMap((n) => n.outputs).filter((n) => n !== '');
  const plans = probePlans(realInputs(model), examples);
  const folder = temporaryFolderFor('probe', near);
  try {
    const types = await elementTypes(model, names, folder);
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

/** Inputs without a default value. */
const realInputs = (model: Model): ValueInfo[] =>
  model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));

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
  const asked: Node[] = [];
  const { graph: light, known } = withoutLargeProducts(model.graph);
  const g = new GraphBuilder({ ...light, nodes: [...light.nodes] }, '/probe', asked);
  const shapes = new Map<string, string>();
  for (const name of names) if (!known.has(name)) shapes.set(name, g.op('Shape', [name]));
  // ONNX Runtime works through the ends of a graph from the last to the first: in this order, it asks for a shape as
  // soon as the tensor exists. Otherwise all tensors stay in memory until the first shape is asked for.
  const nodes = [...light.nodes, ...asked.reverse()];
  const probed: Model = { ...model, graph: { ...light, nodes, outputs: outputsNamed([...shapes.values()]) } };
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
): Map<string, TensorInfo> {
  const infos = new Map<string, TensorInfo>();
  for (const t of model.graph.initializers.values()) infos.set(t.name, { dtype: t.dtype, shape: t.dims });
  for (const [name, dims] of observed[0]) {
    const shape = dims.map((_, axis) => {
      const sizes = observed.map((o) => o.get(name)![axis]);
      if (sizes.every((s) => s === sizes[0])) return sizes[0];
      return plan.labels.get(sizes.join('|')) ?? sizes.join('|');
    });
    infos.set(name, { dtype: types.get(name)!, shape });
  }
  return infos;
}
