import { AuroraError } from '../../base/errors';
import type { Attribute, Dim, Graph, Model, Node, ValueInfo } from '../model';
import { decodeTensor } from './tensor';
import { type BinaryReader, decodeStringPair, readMessage, repeated, safeInt } from './wire';

/**
 * Maximum nesting of graphs (bodies of If, Loop and Scan). Protobuf's own readers stop at 100 nested messages, and each
 * level here takes three; all code here that follows bodies may recurse.
 */
const DEEPEST = 32;

/** ONNX messages to the in-memory model (onnx.proto3, IR versions 3 to 12). */
export function decodeNode(bytes: Uint8Array, depth: number): Node {
  const node: Node = {
    opType: '',
    domain: '',
    name: '',
    inputs: [],
    outputs: [],
    attributes: new Map(),
    metadata: new Map(),
  };
  node.unknown = readMessage(bytes, {
    1: (r) => node.inputs.push(r.string()),
    2: (r) => node.outputs.push(r.string()),
    3: (r) => (node.name = r.string()),
    4: (r) => (node.opType = r.string()),
    5: (r) => node.attributes.set(...decodeAttribute(r.bytes(), depth)),
    7: (r) => (node.domain = r.string()),
    9: (r) => node.metadata.set(...decodeStringPair(r.bytes())),
  });
  if (node.domain === 'ai.onnx') node.domain = '';
  return node;
}

export function decodeAttribute(bytes: Uint8Array, depth: number): [string, Attribute] {
  let name = '';
  let type = 0;
  let single: Attribute | undefined;
  const floats: number[] = [];
  const ints: (number | bigint)[] = [];
  const strings: string[] = [];
  // Strings are bytes in ONNX. Strings that are not valid text are kept byte for byte.
  let binary = false;
  const text = (r: BinaryReader): string => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(r.bytes());
    } catch {
      binary = true;
      return '';
    }
  };
  const unknown = readMessage(bytes, {
    1: (r) => (name = r.string()),
    2: (r) => (single = { type: 'float', value: r.float() }),
    3: (r) => (single = { type: 'int', value: safeInt(r.int64()) }),
    4: (r) => (single = { type: 'string', value: text(r) }),
    5: (r) => (single = { type: 'tensor', value: decodeTensor(r.bytes()) }),
    6: (r) => (single = { type: 'graph', value: decodeGraph(r.bytes(), depth + 1) }),
    7: repeated(floats, (r) => r.float()),
    8: repeated(ints, (r) => safeInt(r.int64())),
    9: (r) => strings.push(text(r)),
    20: (r) => (type = r.int32()),
  });
  // Field 13 is documentation and 21 a reference that only model functions use; other kinds are kept unchanged.
  const plain = !binary && unknown.every((raw) => raw[0] === 0x6a);
  if (!plain) return [name, { type: 'other', value: bytes.slice() }];
  if (type === 6) return [name, { type: 'floats', value: floats }];
  if (type === 7) return [name, { type: 'ints', value: ints }];
  if (type === 8) return [name, { type: 'strings', value: strings }];
  // proto3 omits zero values: the type determines the zero.
  if (!single && type === 1) single = { type: 'float', value: 0 };
  if (!single && type === 2) single = { type: 'int', value: 0 };
  if (!single && type === 3) single = { type: 'string', value: '' };
  // IR version 1 has no type field.
  if (!single && floats.length) single = { type: 'floats', value: floats };
  if (!single && ints.length) single = { type: 'ints', value: ints };
  if (!single && strings.length) single = { type: 'strings', value: strings };
  return [name, single ?? { type: 'other', value: bytes.slice() }];
}

export function decodeValueInfo(bytes: Uint8Array): ValueInfo {
  const info: ValueInfo = { name: '', dtype: 0, shape: undefined };
  info.unknown = readMessage(bytes, {
    1: (r) => (info.name = r.string()),
    2: (r) => {
      info.raw = r.bytes().slice();
      readMessage(info.raw, { 1: (t) => readTensorType(t.bytes(), info) });
    },
  });
  return info;
}

function readTensorType(bytes: Uint8Array, info: ValueInfo): void {
  readMessage(bytes, {
    1: (r) => (info.dtype = r.int32()),
    2: (r) => {
      const dims: Dim[] = [];
      readMessage(r.bytes(), {
        1: (s) => {
          let dim: Dim;
          readMessage(s.bytes(), {
            1: (d) => (dim = Number(d.int64())),
            2: (d) => (dim = d.string() || undefined),
          });
          dims.push(dim);
        },
      });
      info.shape = dims;
    },
  });
}

export function emptyGraph(): Graph {
  return { name: '', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
}

/**
 * @param depth nesting depth of the graph
 * @throws AuroraError 'model' beyond the maximum depth
 */
export function decodeGraph(bytes: Uint8Array, depth = 0): Graph {
  if (depth > DEEPEST)
    throw new AuroraError(
      'model',
      `The model's nested graphs (bodies of If, Loop and Scan) are more than ${DEEPEST} levels deep.`,
      'The file may be damaged. Export the model again.',
    );
  const graph = emptyGraph();
  graph.unknown = readMessage(bytes, {
    1: (r) => graph.nodes.push(decodeNode(r.bytes(), depth)),
    2: (r) => (graph.name = r.string()),
    5: (r) => {
      const tensor = decodeTensor(r.bytes());
      graph.initializers.set(tensor.name, tensor);
    },
    11: (r) => graph.inputs.push(decodeValueInfo(r.bytes())),
    12: (r) => graph.outputs.push(decodeValueInfo(r.bytes())),
  });
  return graph;
}

/** Everything in a ModelProto except its graph, which the caller supplies (it may be too large to hold). */
export function decodeModelShell(bytes: Uint8Array, graph: Graph): Model {
  const model: Model = { irVersion: 0, producer: '', opsets: new Map(), graph, metadata: new Map() };
  model.unknown = readMessage(bytes, {
    1: (r) => (model.irVersion = Number(r.int64())),
    2: (r) => (model.producer = r.string()),
    8: (r) => {
      let domain = '';
      let version = 1;
      readMessage(r.bytes(), { 1: (o) => (domain = o.string()), 2: (o) => (version = Number(o.int64())) });
      model.opsets.set(domain === 'ai.onnx' ? '' : domain, version);
    },
    14: (r) => model.metadata.set(...decodeStringPair(r.bytes())),
  });
  return model;
}
