import type { Attribute, Model, Node } from '../model';
import { decodeNode, decodeAttribute } from './decode';
import { readMessage } from './wire';

/** A function that a model defines for itself (FunctionProto). */
export interface LocalFunction {
  /** Domain, name and overload, as `functionKey` joins them. */
  key: string;
  inputs: string[];
  /** In order; a node's outputs may be fewer. */
  outputs: string[];
  nodes: Node[];
  /** The values of attributes that a call omits. */
  defaults: ReadonlyMap<string, Attribute>;
  opsets: ReadonlyMap<string, number>;
}

/** ModelProto.functions, and its tag's two bytes. */
const FUNCTIONS = 25;
const TAG = [0xca, 0x01];

const isFunction = (raw: Uint8Array): boolean => TAG.every((byte, i) => raw[i] === byte);

/** The functions of a model, and its other raw fields. */
export function localFunctions({ unknown = [] }: Model): { functions: LocalFunction[]; rest: Uint8Array[] } {
  const functions: LocalFunction[] = [];
  for (const raw of unknown.filter(isFunction))
    readMessage(raw, { [FUNCTIONS]: (r) => functions.push(decodeFunction(r.bytes())) });
  return { functions, rest: unknown.filter((raw) => !isFunction(raw)) };
}

const standard = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

const keyOf = (domain: string, name: string, overload: string): string =>
  [standard(domain), name, overload].join(':');

/** The key of the function that a node calls if the model defines it. */
export function calledKey(node: Node): string {
  let overload = '';
  for (const raw of node.unknown ?? []) readMessage(raw, { 8: (r) => (overload = r.string()) });
  return keyOf(node.domain, node.opType, overload);
}

function decodeFunction(bytes: Uint8Array): LocalFunction {
  let [name, domain, overload] = ['', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: Node[] = [];
  const defaults = new Map<string, Attribute>();
  const opsets = new Map<string, number>();
  readMessage(bytes, {
    1: (r) => (name = r.string()),
    4: (r) => inputs.push(r.string()),
    5: (r) => outputs.push(r.string()),
    7: (r) => nodes.push(decodeNode(r.bytes(), 0)),
    9: (r) => {
      let of = '';
      let version = 1;
      readMessage(r.bytes(), { 1: (o) => (of = o.string()), 2: (o) => (version = Number(o.int64())) });
      opsets.set(standard(of), version);
    },
    10: (r) => (domain = r.string()),
    11: (r) => defaults.set(...decodeAttribute(r.bytes(), 0)),
    13: (r) => (overload = r.string()),
  });
  return { key: keyOf(domain, name, overload), inputs, outputs, nodes, defaults, opsets };
}

/** The attribute of the function that one of its nodes takes a value from; undefined if the node itself has one. */
export function referenceOf(a: Attribute): string | undefined {
  if (a.type !== 'other') return undefined;
  let name: string | undefined;
  readMessage(a.value, { 21: (r) => (name = r.string()) });
  return name || undefined;
}
