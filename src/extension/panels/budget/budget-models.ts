import { dirname, isAbsolute, relative, sep } from 'node:path';
import type { BudgetModule } from '../../../adapters/budget/budget';
import { hubName } from '../../../experiment/hub-reference';
import type { PaperReport } from '../../../experiment/paper';
import { localPath } from '../../../files/hub-cache';
import type { ModelChoice } from '../../../protocol/panels/budget';
import { PAPER_MODELS, type PaperModel } from '../../../recipes/model-shapes';
import { paperReport } from '../../../recipes/paper-report';

/** The source of a choice's layers: a file to inspect, or a table. */
export type ModelSource = { path: string } | { paper: PaperModel };

export interface ModelFile {
  /** Absolute. */
  path: string;
  /** Relative to the workspace. */
  label: string;
}

export interface KnownModels {
  choices: ModelChoice[];
  sources: Map<string, ModelSource>;
}

/** The experiment's model first, then the workspace's models, then the paper's shapes. */
export function modelChoices(
  experiment: { file: string; modelPath?: string; names: string } | undefined,
  files: readonly ModelFile[],
): KnownModels {
  const choices: ModelChoice[] = [];
  const sources = new Map<string, ModelSource>();
  const add = (choice: ModelChoice, source: ModelSource) => {
    if (sources.has(choice.id)) return;
    choices.push(choice);
    sources.set(choice.id, source);
  };
  if (experiment?.modelPath !== undefined) {
    const path = localPath(dirname(experiment.file), experiment.modelPath);
    const { names } = experiment;
    const label = hubName(path) ?? path.split(/[\\/]/).slice(-2).join('/');
    add({ id: fileId(path), label, kind: 'experiment', ...(names && { names }) }, { path });
  }
  for (const { path, label } of files) add({ id: fileId(path), label, kind: 'file' }, { path });
  for (const paper of PAPER_MODELS)
    add(
      {
        id: `paper:${paper.id}`,
        label: paper.name,
        kind: 'paper',
        names: paper.targets.join(', '),
        loraRank: paper.loraRank,
      },
      { paper },
    );
  return { choices, sources };
}

export const fileId = (path: string): string => `file:${path}`;

/** A model's path as written in an experiment: relative to its folder, with slashes; absolute on another drive. */
export function pathInExperiment(file: string, model: string): string {
  const path = relative(dirname(file), model);
  return isAbsolute(path) ? path : path.split(sep).join('/');
}

export interface ReadModel {
  modules: readonly BudgetModule[];
  parameters?: number;
  label: string;
  source?: string;
  /** The length as in ReadyModel. */
  length?: number;
  /** The paper's report on it. */
  paper?: PaperReport;
}

export const paperModel = ({ id, modules, parameters, name, source }: PaperModel): ReadModel => ({
  modules,
  parameters,
  label: name,
  source,
  paper: paperReport(id),
});
