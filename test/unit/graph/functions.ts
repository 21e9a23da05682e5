import { toAttribute } from '../../../src/graph/attributes';
import type { Attribute, Node } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { BinaryWriter, readMessage, WireType } from '../../../src/graph/onnx/wire';
import { model, node, type Attributes } from './onnx-models';

/** The domain of the functions. */
export const OWN = 'pkg.test';

/** A local function of a model. */
export interface Sketched {
  name: string;
  inputs: string[];
  outputs: string[];
  nodes: Node[];
  attributes?: string[];
  defaults?: Attributes;
  opset?: number;
  overload?: string;
}

const message = (no: number, bytes: Uint8Array) =>
  new BinaryWriter().tag(no, WireType.LengthDelimited).bytes(bytes).finish();
const text = (no: number, value: string) => message(no, Buffer.from(value));
const opset = (domain: string, version: number) =>
  message(
    9,
    Buffer.concat([text(1, domain), new BinaryWriter().tag(2, WireType.Varint).int64(version).finish()]),
  );

/** The bytes of nodes or attributes, cut from a model that has them. */
const nodeBytes = (n: Node): Uint8Array => {
  const found: Uint8Array[] = [];
  const m = model({ opset: 18, inputs: [], nodes: [n], outputs: [] });
  walk(encodeModel(m), 7, (g) => walk(g, 1, (b) => found.push(b)));
  return found[0];
};
const attributeBytes = (name: string, value: Attribute): Uint8Array => {
  const found: Uint8Array[] = [];
  walk(nodeBytes(node('A', [], ['y'], { [name]: value })), 5, (b) => found.push(b));
  return found[0];
};

function walk(bytes: Uint8Array, no: number, visit: (body: Uint8Array) => void): void {
  readMessage(bytes, { [no]: (r) => visit(r.bytes()) });
}

/** An attribute whose value is that of the function's attribute. */
export const reference = (name: string, to: string, type: number): Attribute => ({
  type: 'other',
  value: Buffer.concat([
    text(1, name),
    text(21, to),
    new BinaryWriter().tag(20, WireType.Varint).int32(type).finish(),
  ]),
});

/** Its field of a ModelProto, tag included. */
export const functionBytes = (f: Sketched): Uint8Array =>
  message(
    25,
    Buffer.concat([
      text(1, f.name),
      ...f.inputs.map((x) => text(4, x)),
      ...f.outputs.map((y) => text(5, y)),
      ...(f.attributes ?? []).map((a) => text(6, a)),
      ...f.nodes.map((n) => message(7, nodeBytes(n))),
      opset('', f.opset ?? 18),
      opset(OWN, 1),
      text(10, OWN),
      ...Object.entries(f.defaults ?? {}).map(([name, v]) =>
        message(11, attributeBytes(name, toAttribute(v!))),
      ),
      ...(f.overload ? [text(13, f.overload)] : []),
    ]),
  );
