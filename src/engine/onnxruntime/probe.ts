import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuroraError } from '../../shared/errors';
import { GraphBuilder } from '../../graph/builder';
import { DType, isFloat } from '../../graph/dtype';
import { elementCount, type Dim, type Model, type Node, type ValueInfo } from '../../graph/model';
import type { TensorInfo } from '../../graph/infos';
import { saveByReference } from '../../graph/save';
import type { NumberArray } from '../../graph/values';
import { tensorOf, tensorValues } from '../../graph/values';
import type { HostTensor, HostTensors } from '../engine';
import { openSession, type SessionOptions } from './session';

const UNOPTIMIZED: SessionOptions = { optimization: 'disabled' };

/** Sizes each free dimension takes in the three probes: primes, so that no two dimensions agree by chance. */
const PRIMES = [
  [2, 3, 5],
  [7, 11, 13],
  [17, 19, 23],
  [29, 31, 37],
];

/**
 * Shape and type of every tensor, without hand-written inference: the graph runs three times at different
 * prime sizes of its free dimensions, and what a dimension was in the three runs is its identity.
 *
 * Integer inputs are zeros, masks ones.
 *
 * @param near a folder on the model's file system, where its weights can be linked rather than copied
 */
export async function probe(model: Model, near = tmpdir()): Promise<Map<string, TensorInfo>> {
  const names = model.graph.nodes.flatMap((n) => n.outputs).filter((n) => n !== '');
  mkdirSync(near, { recursive: true });
  const folder = mkdtempSync(join(near, 'aurora-probe-'));
  try {
    const types = await elementTypes(model, names, folder);
    const variables = freeDimensions(model.graph.inputs);
    const observed = await observeShapes(model, names, variables, folder);
    return merge(model, types, observed, variables);
  } catch (e) {
    if (e instanceof AuroraError) throw e;
    throw new AuroraError(
      'model',
      `The model does not run: ${(e as Error).message}`,
      'Check that it runs in ONNX Runtime with the input names and shapes it declares.',
      { cause: e },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const asOutputs = (names: string[]): ValueInfo[] =>
  names.map((name) => ({ name, dtype: 0, shape: undefined }));

/** The runtime infers all types on load: nothing needs to run. */
async function elementTypes(model: Model, names: string[], folder: string): Promise<Map<string, number>> {
  const exposed: Model = { ...model, graph: { ...model.graph, outputs: asOutputs(names) } };
  const session = await openSession(saveByReference(exposed, folder, 'types.onnx'), UNOPTIMIZED);
  await session.dispose();
  const types = new Map(model.graph.inputs.map((i) => [i.name, i.dtype]));
  for (const [name, type] of session.outputTypes) if (type !== undefined) types.set(name, type);
  return types;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * The shape of every tensor in each run. Only Shape nodes leave the graph: as outputs the tensors themselves
 * would all be in memory at once, which for a large model is more than a training step needs.
 */
async function observeShapes(
  model: Model,
  names: string[],
  variables: string[],
  folder: string,
): Promise<Shapes[]> {
  const nodes: Node[] = [];
  const g = new GraphBuilder({ ...model.graph, nodes: [...model.graph.nodes] }, '/probe', nodes);
  const shapes = new Map<string, string>();
  for (const node of model.graph.nodes) {
    nodes.push(node);
    for (const name of node.outputs) if (name !== '') shapes.set(name, g.op('Shape', [name]));
  }
  const probed: Model = {
    ...model,
    graph: { ...model.graph, nodes, outputs: asOutputs([...shapes.values()]) },
  };
  const session = await openSession(saveByReference(probed, folder, 'probe.onnx'), UNOPTIMIZED);
  const observed: Shapes[] = [];
  for (let round = 0; round < (variables.length ? 3 : 1); round++) {
    const size = (dim: string) => PRIMES[variables.indexOf(dim) % PRIMES.length][round];
    const feeds: HostTensors = {};
    for (const input of model.graph.inputs)
      if (!model.graph.initializers.has(input.name)) feeds[input.name] = placeholder(input, size);
    const out = await session.run(feeds);
    observed.push(
      new Map([
        ...Object.entries(feeds).map(([name, t]) => [name, t.dims] as const),
        ...names.map((name) => [name, Array.from(out[shapes.get(name)!].data, Number)] as const),
      ]),
    );
  }
  await session.dispose();
  return observed;
}

/** The name of an open axis; unnamed ones are taken to follow the usual order: batch, then sequence. */
const dimName = (dim: Dim, axis: number): number | string =>
  dim ?? ['batch', 'sequence'][axis] ?? `axis ${axis}`;

function freeDimensions(inputs: ValueInfo[]): string[] {
  const found = new Set<string>();
  for (const i of inputs) i.shape?.map(dimName).forEach((d) => typeof d === 'string' && found.add(d));
  return [...found];
}

function placeholder(input: ValueInfo, size: (dim: string) => number): HostTensor {
  if (!input.shape)
    throw new AuroraError(
      'model',
      `The input ${input.name} declares no shape.`,
      'Export the model with its input shapes.',
    );
  const dims = input.shape.map(dimName).map((d) => (typeof d === 'number' ? d : size(d)));
  const fill = isFloat(input.dtype) ? 0.5 : /mask/i.test(input.name) || input.dtype === DType.bool ? 1 : 0;
  const t = tensorOf(input.name, input.dtype, dims, new Array<number>(elementCount(dims)).fill(fill));
  return { dtype: t.dtype, dims, data: tensorValues(t) as NumberArray };
}

function merge(
  model: Model,
  types: ReadonlyMap<string, number>,
  observed: Shapes[],
  variables: string[],
): Map<string, TensorInfo> {
  const infos = new Map<string, TensorInfo>();
  for (const t of model.graph.initializers.values()) infos.set(t.name, { dtype: t.dtype, shape: t.dims });
  const label = new Map(
    variables.map((v, i) => [PRIMES[i % PRIMES.length].slice(0, observed.length).join(), v]),
  );
  for (const [name, dims] of observed[0]) {
    const shape = dims.map((_, axis) => {
      const sizes = observed.map((o) => o.get(name)![axis]);
      if (sizes.every((s) => s === sizes[0])) return sizes[0];
      return label.get(sizes.join()) ?? sizes.join('|');
    });
    infos.set(name, { dtype: types.get(name)!, shape });
  }
  return infos;
}
