import type { DTypeCode } from './dtype';

/** Bytes that stay in a user's file until needed. */
export interface FileRef {
  path: string;
  offset: number;
  length: number;
}

/** A constant. `data` is little-endian and row-major, or a reference to it; strings only for dtype string. */
export interface Tensor {
  name: string;
  dtype: DTypeCode;
  dims: number[];
  data: Uint8Array | FileRef;
  strings?: Uint8Array[];
  unknown?: Uint8Array[];
}

export type Attribute =
  | { type: 'float'; value: number }
  | { type: 'int'; value: number | bigint }
  | { type: 'string'; value: string }
  | { type: 'tensor'; value: Tensor }
  | { type: 'graph'; value: Graph }
  | { type: 'floats'; value: number[] }
  | { type: 'ints'; value: (number | bigint)[] }
  | { type: 'strings'; value: string[] }
  | { type: 'other'; value: Uint8Array };

export interface Node {
  opType: string;
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, Attribute>;
  /** metadata_props: newer exporters keep the module's scope here. */
  metadata: Map<string, string>;
  unknown?: Uint8Array[];
}

/** An axis with a fixed size, a name shared with other axes, or nothing known. */
export type Dim = number | string | undefined;

export interface ValueInfo {
  name: string;
  /** 0 if the model does not declare it. */
  dtype: DTypeCode;
  /** Undefined if even the rank is unknown. */
  shape: Dim[] | undefined;
  /** The original TypeProto of anything other than a tensor. */
  raw?: Uint8Array;
  unknown?: Uint8Array[];
}

export interface Graph {
  name: string;
  nodes: Node[];
  initializers: Map<string, Tensor>;
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  unknown?: Uint8Array[];
}

export interface Model {
  irVersion: number;
  producer: string;
  opsets: Map<string, number>;
  graph: Graph;
  metadata: Map<string, string>;
  unknown?: Uint8Array[];
  /** The decoder with a key/value cache, which its own graph does not have. */
  withCache?: () => Model;
}

export const isFileRef = (data: Uint8Array | FileRef): data is FileRef => !(data instanceof Uint8Array);

export const elementCount = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Output names only: the runtime infers the rest. */
export const outputsNamed = (names: readonly string[]): ValueInfo[] =>
  names.map((name) => ({ name, dtype: 0, shape: undefined }));

/**
 * The operator set that rules and rewrites support; models are converted to it on load. The first with blocked four-bit
 * weights (DequantizeLinear). From 22 on, ONNX Runtime's WebGPU provider lacks Sin, Cos, Conv's pools and others.
 */
export const INTERNAL_OPSET = 21;
/** The IR version that came with it (onnx.proto3). */
export const INTERNAL_IR_VERSION = 10;
