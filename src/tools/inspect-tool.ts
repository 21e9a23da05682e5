import type { Inspection } from '../../adapters/inspection';
import { endingsOf } from '../../adapters/targets/endings';
import { t } from '../../base/l10n';
import { HEAD_ALONE, METHOD_ORDER } from '../../experiment/methods';
import { modelPath } from '../../files/model-path';
import type { Contributes } from '../manifest/declared';
import { optionalCount, optionalText, optionalTexts, text } from './input';
import { fileIn, shownPath, type Tool } from './tool';
import { facts } from './tool-answer';

export const contributes: Contributes = {
  tools: {
    aurora_inspect_model: {
      reference: 'auroraInspectModel',
      name: 'Inspect Model',
      description: 'The layers that can be adapted in a model, and what a training step takes',
      forModel:
        "Inspects a transformer in the workspace (an .onnx file, or a Hugging Face folder with config.json and safetensors) without running it. Returns its family, parameter count, the names that can be used as adapter.targetModules with layer counts and shapes, operators that gradients cannot pass, and the estimated memory and time of one training step on this machine's CPU for a batch size, text length and adapter. Use it before writing an experiment (*.aurora.json), or to see whether a model fits. If the model cannot be used, the error says why and what to do.",
      icon: 'search',
      tag: 'model',
      input: {
        model: {
          type: 'string',
          description: 'Path of the .onnx file or the model folder, relative to the workspace folder',
        },
        batchSize: {
          type: 'integer',
          minimum: 1,
          description: 'Examples in the estimated step (default: 8)',
        },
        maxLength: {
          type: 'integer',
          minimum: 1,
          description: 'Tokens of each text in the estimated step (default: 128)',
        },
        method: {
          type: 'string',
          enum: /* @__PURE__ */ methodChoices(),
          description: 'Adapter of the estimated step (default: aurora); none for the head alone',
        },
        rank: { type: 'integer', minimum: 1, description: "The adapter's rank (default: the method's)" },
        targetModules: {
          type: 'array',
          items: { type: 'string' },
          description: 'Module names as in the result\'s targetModules, such as ["query", "value"]',
        },
      },
      required: ['model'],
    },
  },
};

/** Nodes of an operator, and layers, that are named before the rest is counted. */
const NAMED = 5;

export const inspectTool: Tool = {
  prepare: (_, input) => Promise.resolve({ invocationMessage: t('Inspecting {0}', text(input, 'model')) }),
  async answer({ models }, input, token) {
    const path = modelPath(await fileIn(text(input, 'model')));
    const inspection = await models.look(
      path,
      {
        batch: optionalCount(input, 'batchSize'),
        length: optionalCount(input, 'maxLength'),
        method: optionalText(input, 'method'),
        rank: optionalCount(input, 'rank'),
        targets: optionalTexts(input, 'targetModules')?.join(','),
      },
      token,
    );
    return facts(modelFacts(shownPath(path), inspection));
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

/** Called in the declaration, since bundles drop a pure call, but not a list that is made there. */
function methodChoices(): string[] {
  return [...METHOD_ORDER, HEAD_ALONE.method];
}
