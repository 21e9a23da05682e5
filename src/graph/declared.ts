import { attrInt } from './attributes';
import { DType, isFloat, type DTypeCode } from './dtype';
import { decodeValueInfo } from './onnx/decode';
import { encodeValueInfo } from './onnx/encode';
import { BinaryWriter, readMessage, writeMessage } from './onnx/wire';
import type { Dim, Graph, Node, ValueInfo } from './model';
import { inferAxes, type Axes } from './ranks';
import { tensorNumbers } from './values';
import { own } from '../base/names';

/** GraphProto.value_info, which the codec keeps as raw bytes (field number and tag byte). */
const VALUE_INFO = 13;
const VALUE_INFO_TAG = (VALUE_INFO << 3) | 2;

/** The value_info entries of a graph that satisfy `keep`, and all its other raw fields. */
export function filterValueInfo(graph: Graph, keep: (name: string) => boolean): Uint8Array[] | undefined {
  return graph.unknown?.filter((raw) => raw[0] !== VALUE_INFO_TAG || keep(valueInfoOf(raw).name));
}

/** The raw fields of a graph, with its value_info entries replaced. */
export function mapValueInfo(graph: Graph, change: (info: ValueInfo) => ValueInfo): Uint8Array[] | undefined {
  return graph.unknown?.map((raw) => {
    return raw[0] === VALUE_INFO_TAG ? valueInfoBytes(change(valueInfoOf(raw))) : raw;
  });
}

/** @throws if an entry of value_info cannot be decoded, which is otherwise done only when it is asked for */
export function checkValueInfo(graph: Graph): void {
  for (const raw of graph.unknown ?? []) if (raw[0] === VALUE_INFO_TAG) valueInfoOf(raw);
}

/** An entry of value_info among a graph's raw fields. */
export function valueInfoBytes(info: ValueInfo): Uint8Array {
  const w = new BinaryWriter();
  writeMessage(w, VALUE_INFO, encodeValueInfo(info));
  return w.finish();
}

function valueInfoOf(raw: Uint8Array) {
  let body = new Uint8Array();
  readMessage(raw, { [VALUE_INFO]: (r) => (body = r.bytes() as Uint8Array<ArrayBuffer>) });
  return decodeValueInfo(body);
}

/** Operators whose output type is not the type of their first input. */
const TYPE_FROM: Record<string, number> = {
  Where: 1,
  OneHot: 2,
  DequantizeLinear: 1,
  CastLike: 1,
  GatherBlockQuantized: 2,
};
const INT64 = new Set(['Shape', 'Size', 'NonZero', 'ArgMax', 'ArgMin']);
const BOOL = new Set('Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf'.split(' '));

/** More than any tensor has. */
const MOST_AXES = 16;

/**
 * Shapes and element types that the model declares, without running it: from inputs, constants and value_info, types and
 * numbers of axes also by following nodes in order. A subgraph sees its enclosing scope.
 */
export class Declared {
  private readonly types = new Map<string, DTypeCode>();
  private readonly shapes = new Map<string, Dim[]>();
  private readonly followed = new Map<string, Axes>();

  constructor(
    private readonly graph: Graph,
    private readonly outer?: Declared,
  ) {
    const listed = (graph.unknown ?? []).filter((raw) => raw[0] === VALUE_INFO_TAG).map(valueInfoOf);
    for (const info of [...listed, ...graph.inputs, ...graph.outputs]) {
      if (info.dtype) this.types.set(info.name, info.dtype);
      if (info.shape) this.shapes.set(info.name, info.shape);
    }
    for (const t of graph.initializers.values()) {
      this.types.set(t.name, t.dtype);
      this.shapes.set(t.name, t.dims);
    }
  }

  /** Undefined if neither the model nor the nodes before give it. */
  rank(name: string): number | undefined {
    return this.axes(name).rank;
  }

  private axes(name: string): Axes {
    const shape = this.shapes.get(name);
    if (!shape) return this.followed.get(name) ?? this.outer?.axes(name) ?? {};
    const [length] = shape;
    return {
      rank: shape.length,
      length: shape.length === 1 && typeof length === 'number' ? length : undefined,
    };
  }

  /** A constant vector such as the ends of a Slice. */
  private numbers(name: string): number[] | undefined {
    const t = this.graph.initializers.get(name);
    if (!t) return this.outer?.numbers(name);
    return t.dims.length === 1 && t.dims[0] <= MOST_AXES ? tensorNumbers(t) : undefined;
  }

  /** Undefined if the model does not declare even the rank. */
  shape(name: string): Dim[] | undefined {
    return this.shapes.get(name) ?? this.outer?.shape(name);
  }

  /** The size of an axis, from the end if negative; undefined if it is not declared or not fixed. */
  size(name: string, axis: number): number | undefined {
    const dim = this.shape(name)?.at(axis);
    return typeof dim === 'number' ? dim : undefined;
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

  /** Infers the output types and numbers of axes of the next node in order. */
  follow(node: Node): void {
    node.outputs.forEach((y, i) => {
      if (!y) return;
      const axes = inferAxes(
        node,
        (x) => this.axes(x),
        (x) => this.numbers(x),
        i,
      );
      if (axes.rank !== undefined) this.followed.set(y, axes);
    });
    const type = this.outputType(node);
    if (type === undefined) return;
    for (const y of node.outputs) if (y && !this.types.has(y)) this.types.set(y, type);
  }

  private outputType(node: Node): DTypeCode | undefined {
    if (INT64.has(node.opType)) return DType.int64;
    if (BOOL.has(node.opType)) return DType.bool;
    if (node.opType === 'Cast') return attrInt(node, 'to');
    const value = node.attributes.get('value');
    if (value?.type === 'tensor') return value.value.dtype;
    const from = node.inputs[own(TYPE_FROM, node.opType) ?? 0];
    return from ? this.dtype(from) : undefined;
  }
}
