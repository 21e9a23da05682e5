import type { Model } from '../../../src/graph/model';
import { decodeGraph, decodeModelShell, emptyGraph } from '../../../src/graph/onnx/decode';
import { readMessage } from '../../../src/graph/onnx/wire';

/** Decodes a whole ModelProto in memory. The product only reads models from files, piece by piece. */
export function decodeModel(bytes: Uint8Array): Model {
  let graph = emptyGraph();
  const shell = readMessage(bytes, { 7: (r) => (graph = decodeGraph(r.bytes())) });
  return decodeModelShell(Buffer.concat(shell), graph);
}
