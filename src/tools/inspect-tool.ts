import type { Inspection } from '../adapters/inspection';
import { endingsOf } from '../adapters/targets/endings';
import { t } from '../base/l10n';
import { modelPath } from '../files/model-path';
import { optionalCount, optionalText, optionalTexts, text } from './input';
import { inspected } from './inspected';
import type { Tool } from './tool';
import { inWorkspace } from './workspace';

/** Nodes of an operator, and layers, that are named before the rest is counted. */
const NAMED = 5;

export const inspectTool: Tool = {
  async prepare(host, input) {
    const given = text(input, 'model');
    const options = {
      batch: optionalCount(input, 'batchSize'),
      length: optionalCount(input, 'maxLength'),
      method: optionalText(input, 'method'),
      rank: optionalCount(input, 'rank'),
      targets: optionalTexts(input, 'targetModules')?.join(','),
    };
    const path = modelPath(await inWorkspace(host.folders, given));
    return {
      doing: t('Inspecting {0}', given),
      answer: async () => modelFacts(host.shown(path), await inspected(host, path, options)),
    };
  },
};

/** The facts that matter for choosing an adapter, with layers by name ending instead of one by one. */
function modelFacts(model: string, s: Inspection): Record<string, unknown> {
  return {
    model,
    family: s.family,
    positions: s.positions,
    ...(s.family === undefined && { opset: s.opset, producer: s.producer }),
    parameters: s.parameters,
    weights: s.weights,
    inputs: s.inputs,
    outputs: s.outputs,
    linearLayers: s.layers.length,
    targetModules: endingsOf(s.layers).map(({ name, modules, shapes }) => ({
      name,
      layers: modules,
      outByIn: shapes,
    })),
    ...(s.missingRules.length > 0 && {
      operatorsWithoutGradient: s.missingRules.map(({ operator, nodes }) => ({
        operator,
        nodes: nodes.length,
        first: nodes.slice(0, NAMED),
      })),
      layersBelowThem: s.blocked.length,
    }),
    trainingStep: s.step,
  };
}
