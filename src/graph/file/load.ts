import { dirname, join, resolve } from 'node:path';
import { locate } from '../../files/contained';
import { statInput } from '../../files/inputs/open';
import { AuroraError } from '../../base/errors';
import { checkStructure } from '../check-structure';
import { shareCopies } from '../unfuse/packed-projections';
import { isFileRef, type Graph, type Model, type Tensor } from '../model';
import { scanModel } from '../onnx/scan';
import { externalOf, tensorBytes } from '../onnx/tensor';
import { orderNodes } from '../order';

/**
 * Loads a model from its file, with its nodes in execution order. Weights stay in the file. External data is located
 * and checked: it must lie inside the model's folder (a model must not read your other files) and be long enough.
 */
export function loadModel(path: string): Model {
  const full = resolve(path);
  const model = scanModel(full);
  checkStructure(model, full);
  orderNodes(model.graph, full);
  forEachTensor(model.graph, (t) => {
    resolveExternal(t, full);
    checkLength(t, full);
  });
  shareCopies(model.graph);
  return model;
}

function forEachTensor(graph: Graph, visit: (t: Tensor) => void): void {
  for (const t of graph.initializers.values()) visit(t);
  for (const node of graph.nodes)
    for (const a of node.attributes.values()) {
      if (a.type === 'tensor') visit(a.value);
      if (a.type === 'graph') forEachTensor(a.value, visit);
    }
}

function resolveExternal(t: Tensor, modelPath: string): void {
  const external = externalOf.get(t);
  if (!external) return;
  const folder = dirname(modelPath);
  const found = locate(folder, external.location);
  if (found.is === 'outside')
    throw new AuroraError(
      'externalOutside',
      `${modelPath} stores the weight ${t.name} in "${external.location}", outside the model's folder.`,
      'Move the data file into that folder and correct the model: it may only read data from its own folder.',
    );
  if (found.is === 'missing')
    throw new AuroraError(
      'externalMissing',
      `${modelPath} needs the data file "${external.location}" (for the weight ${t.name}), which is not in ${folder}.`,
      'Put the file beside the model; exporters write it together with the .onnx file.',
    );
  if (found.is === 'linkedOut')
    throw new AuroraError(
      'externalOutside',
      `${found.path} is a link to ${found.real}, outside the model's folder.`,
      'Replace the link with a copy of the data file.',
    );
  const { real } = found;
  // In the hub's cache, the name is a link: where it leads is an input, too.
  statInput(join(folder, found.name), 'model-data');
  const stat = statInput(real, 'model-data');
  if (!stat?.isFile())
    throw new AuroraError(
      'model',
      `${modelPath} stores the weight ${t.name} in "${external.location}", which is not a file.`,
      'Export or download the model again.',
    );
  const size = stat.size;
  const length = external.length ?? tensorBytes(t) ?? size - external.offset;
  if (![external.offset, length].every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new AuroraError(
      'model',
      `${modelPath} has an invalid position for the weight ${t.name} in "${external.location}" (offset ${external.offset}, length ${length}).`,
      'The file is damaged: export or download it again.',
    );
  if (external.offset + length > size)
    throw new AuroraError(
      'truncated',
      `The data file ${real} is truncated: the weight ${t.name} ends at byte ${external.offset + length}, the file at ${size}.`,
      'Download or export the model again.',
    );
  // Normalized from here on, so that nothing reads it as another path.
  external.location = found.name;
  t.data = { path: real, offset: external.offset, length };
}

function checkLength(t: Tensor, modelPath: string): void {
  const want = tensorBytes(t);
  if (want === undefined || t.strings) return;
  const have = isFileRef(t.data) ? t.data.length : t.data.byteLength;
  if (have !== want)
    throw new AuroraError(
      'model',
      `In ${modelPath} the weight ${t.name} of shape [${t.dims.join(', ')}] has ${have} bytes of data, not ${want}.`,
      'The file is damaged: export or download it again.',
    );
}
