import { attrInt } from './attributes';
import { DType, isFloat, type DTypeCode } from './dtype';
import { decodeValueInfo } from './onnx/decode';
import { encodeValueInfo } from './onnx/encode';
import { BinaryWriter, readMessage, writeMessage } from './onnx/wire';
import type { Graph, Node, ValueInfo } from './model';
import { own } from '../base/names';

/** GraphProto.value_info, which the codec keeps as raw bytes (field number and tag byte). */
const VALUE_INFO = 13;
const VALUE_INFO_TAG = (VALUE_INFO << 3) | 2;

/** The value_info entries of a graph that satisfy `keep`, and all its other raw fields. */
export function filterValueInfo(graph: Graph, keep: (name: string) => boolean): Uint8Array[] | undefined {
  return graph.unknown?.filter((raw) => raw[0] !== VALUE_INFO_TAG || keep(valueInfoOf(raw).name));
}

/** The raw fields of a graph with other value_info entries in place of its own. */
export function mapValueInfo(graph: Graph, change: (info: ValueInfo) => ValueInfo): Uint8Array[] | undefined {
  return graph.unknown?.map((raw) => {
    if (raw[0] !== VALUE_INFO_TAG) return raw;
    const w = new BinaryWriter();
    writeMessage(w, VALUE_INFO, encodeValueInfo(change(valueInfoOf(raw))));
    return w.finish();
  });
}

function valueInfoOf(raw: Uint8Array) {
  let body = new Uint8Array();
  readMessage(raw, { [VALUE_INFO]: (r) => (body = r.bytes() as Uint8Array<ArrayBuffer>) });
  return decodeValueInfo(body);
}

/** Operators whose output type is not the type of their first input. */
const TYPE_FROM: Record<string, number> = { Where: 1, OneHot: 2, DequantizeLinear: 1, CastLike: 1 };
const INT64 = new Set(['Shape', 'Size', 'NonZero', 'ArgMax', 'ArgMin']);

/**
 * Ranks and element types that the model declares, without running it: from inputs, constants and value_info, types
 * also by following nodes in order. A subgraph sees its enclosing scope.
 */
export class Declared {
  private readonly types = new Map<string, DTypeCode>();
  private readonly ranks = new Map<string, number>();

  constructor(
    graph: Graph,
    private readonly outer?: Declared,
  ) {
    const listed = (graph.unknown ?? []).filter((raw) => raw[0] === VALUE_INFO_TAG).map(valueInfoOf);
    for (const info of [...listed, ...graph.inputs, ...graph.outputs]) {
      if (info.dtype) this.types.set(info.name, info.dtype);
      if (info.shape) this.ranks.set(info.name, info.shape.length);
    }
    for (const t of graph.initializers.values()) {
      this.types.set(t.name, t.dtype);
      this.ranks.set(t.name, t.dims.length);
    }
  }

  /** Undefined if the model does not declare it. */
  rank(name: string): number | undefined {
    return this.ranks.get(name) ?? this.outer?.rank(name);
  }

  /** Undefined if neither the model nor an earlier node gives it. */
  dtype(name: string): DTypeCode | undefined {
    return this.types.get(name) ?? this.outer?.dtype(name);
  }

  /** The type of a tensor that the operator requires to be floating point; float32 if nothing is known. */
  floatType(name: string): DTypeCode {
    const type = this.dtype(name);
    return type !== undefined && isFloat(type) ? type : DType.float;
  }

  /** Infers the output types of the next node in order. */
  follow(node: Node): void {
    const type = this.outputType(node);
    if (type === undefined) return;
    for (const y of node.outputs) if (y && !this.types.has(y)) this.types.set(y, type);
  }

  private outputType(node: Node): DTypeCode | undefined {
    if (INT64.has(node.opType)) return DType.int64;
    if (node.opType === 'Cast') return attrInt(node, 'to');
    const value = node.attributes.get('value');
    if (value?.type === 'tensor') return value.value.dtype;
    const from = node.inputs[own(TYPE_FROM, node.opType) ?? 0];
    return from ? this.dtype(from) : undefined;
  }
}
