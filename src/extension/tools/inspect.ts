import * as vscode from 'vscode';
import { endingsOf } from '../../adapters/targets/endings';
import type { Inspection } from '../../adapters/inspection';
import { modelPath } from '../../files/model-path';
import { facts } from './answer';
import { optionalCount, optionalText, optionalTexts, text } from './input';
import { fileIn, shownPath, type Tool } from './tool';

/** Nodes of an operator, and layers, that are named before the rest is counted. */
const NAMED = 5;

export const inspectTool: Tool = {
  prepare: (_, input) =>
    Promise.resolve({ invocationMessage: vscode.l10n.t('Inspecting {0}', text(input, 'model')) }),
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
export function modelFacts(model: string, s: Inspection): Record<string, unknown> {
  return {
    model,
    ...(s.family !== undefined && { family: s.family }),
    ...(s.positions !== undefined && { positions: s.positions }),
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
