import { DType } from '../dtype';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import {
  isFileRef,
  type Attribute,
  type Graph,
  type Model,
  type Node,
  type Tensor,
  type ValueInfo,
} from '../model';
import { readTensorBytes } from '../values';
import { externalOf, type ExternalData } from './tensor';
import { BinaryWriter, WireType, writeInt, writeMessage, writeString, writeUnknown } from './wire';

/** Gives the location of a tensor's bytes outside the model file; undefined writes them inside. */
export type Placement = (tensor: Tensor) => ExternalData | undefined;

const inline: Placement = () => undefined;

/** Protobuf's limit for one message. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * A ModelProto's bytes. References are read in unless `place` puts them elsewhere.
 *
 * @throws AuroraError 'model' if the weights inside exceed the limit of a protobuf message
 */
export function encodeModel(model: Model, place: Placement = inline): Uint8Array {
  let inside = 0;
  for (const t of model.graph.initializers.values())
    if (!place(t)) inside += isFileRef(t.data) ? t.data.length : t.data.byteLength;
  if (inside > MAX_BYTES)
    throw new AuroraError(
      'model',
      `The weights take ${bytes(inside)}, but an ONNX file can hold at most ${bytes(2 ** 31)}.`,
      'Store the weights in a data file beside the model.',
    );
  const w = new BinaryWriter();
  writeInt(w, 1, model.irVersion);
  writeString(w, 2, model.producer);
  for (const [domain, version] of model.opsets) {
    const o = new BinaryWriter();
    writeString(o, 1, domain);
    writeInt(o, 2, version);
    writeMessage(w, 8, o.finish());
  }
  for (const [key, value] of model.metadata) writeMessage(w, 14, stringPair(key, value));
  writeUnknown(w, model.unknown);
  writeMessage(w, 7, encodeGraph(model.graph, place));
  return w.finish();
}

function encodeGraph(graph: Graph, place: Placement): Uint8Array {
  const w = new BinaryWriter();
  for (const node of graph.nodes) writeMessage(w, 1, encodeNode(node));
  writeString(w, 2, graph.name || 'graph');
  for (const tensor of graph.initializers.values()) writeMessage(w, 5, encodeTensor(tensor, place));
  for (const info of graph.inputs) writeMessage(w, 11, encodeValueInfo(info));
  for (const info of graph.outputs) writeMessage(w, 12, encodeValueInfo(info));
  writeUnknown(w, graph.unknown);
  return w.finish();
}

function encodeNode(node: Node): Uint8Array {
  const w = new BinaryWriter();
  for (const name of node.inputs) w.tag(1, WireType.LengthDelimited).string(name);
  for (const name of node.outputs) w.tag(2, WireType.LengthDelimited).string(name);
  writeString(w, 3, node.name);
  writeString(w, 4, node.opType);
  for (const [name, attribute] of node.attributes) writeMessage(w, 5, encodeAttribute(name, attribute));
  writeString(w, 7, node.domain);
  for (const [key, value] of node.metadata) writeMessage(w, 9, stringPair(key, value));
  writeUnknown(w, node.unknown);
  return w.finish();
}

function stringPair(key: string, value: string): Uint8Array {
  const w = new BinaryWriter();
  writeString(w, 1, key);
  writeString(w, 2, value);
  return w.finish();
}

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 };

function encodeAttribute(name: string, a: Attribute): Uint8Array {
  if (a.type === 'other') return a.value;
  const w = new BinaryWriter();
  writeString(w, 1, name);
  const text = new TextEncoder();
  if (a.type === 'float') w.tag(2, WireType.Bit32).float(a.value);
  else if (a.type === 'int') writeInt(w, 3, a.value);
  else if (a.type === 'string') writeMessage(w, 4, text.encode(a.value));
  else if (a.type === 'tensor') writeMessage(w, 5, encodeTensor(a.value, inline));
  else if (a.type === 'graph') writeMessage(w, 6, encodeGraph(a.value, inline));
  else if (a.type === 'floats') for (const v of a.value) w.tag(7, WireType.Bit32).float(v);
  else if (a.type === 'ints') for (const v of a.value) writeInt(w, 8, v);
  else for (const v of a.value) writeMessage(w, 9, text.encode(v));
  w.tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE[a.type]);
  return w.finish();
}

function encodeTensor(t: Tensor, place: Placement): Uint8Array {
  const w = new BinaryWriter();
  for (const d of t.dims) writeInt(w, 1, d);
  w.tag(2, WireType.Varint).int32(t.dtype);
  writeString(w, 8, t.name);
  const external = place(t) ?? unresolved(t);
  if (external) {
    for (const key of ['location', 'offset', 'length'] as const)
      if (external[key] !== undefined) writeMessage(w, 13, stringPair(key, String(external[key])));
    w.tag(14, WireType.Varint).int32(1);
  } else if (t.dtype === DType.string) for (const s of t.strings ?? []) writeMessage(w, 6, s);
  else writeMessage(w, 9, readTensorBytes(t));
  writeUnknown(w, t.unknown);
  return w.finish();
}

/** The data location of a tensor that was decoded without its file's folder, and so could not be resolved. */
const unresolved = (t: Tensor): ExternalData | undefined =>
  isFileRef(t.data) || t.data.length > 0 ? undefined : externalOf.get(t);

export function encodeValueInfo(info: ValueInfo): Uint8Array {
  const w = new BinaryWriter();
  writeString(w, 1, info.name);
  // An output without a type is legal: the runtime infers it.
  if (info.raw) writeMessage(w, 2, info.raw);
  else if (info.dtype) writeMessage(w, 2, tensorType(info));
  writeUnknown(w, info.unknown);
  return w.finish();
}

function tensorType(info: ValueInfo): Uint8Array {
  const t = new BinaryWriter();
  t.tag(1, WireType.Varint).int32(info.dtype);
  if (info.shape) {
    const shape = new BinaryWriter();
    for (const dim of info.shape) {
      const d = new BinaryWriter();
      if (typeof dim === 'number') writeInt(d, 1, dim);
      else if (dim) writeString(d, 2, dim);
      writeMessage(shape, 1, d.finish());
    }
    writeMessage(t, 2, shape.finish());
  }
  const w = new BinaryWriter();
  writeMessage(w, 1, t.finish());
  return w.finish();
}
