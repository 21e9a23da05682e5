import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { hubName } from '../../experiment/hub-reference';
import { describeTask } from '../../experiment/tasks/registry';
import { modelFileLater, modelPath } from '../../files/model-path';
import { showError } from '../ask/guard';
import type { Outcome, Place, Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { getFromHub } from '../hub/get-from-hub';
import { COMMAND } from '../ids';
import { fileBeside, FILE_KEYS } from '../language/checks/check-files';
import { withProgress } from '../messages/progress';
import { cachedModels } from '../models/hub-cached';
import type { KnownModel } from '../models/known-model';
import { findModels } from '../models/model-files';
import { DEMO_MODEL, type DemoName } from '../runs/demo-places';
import { refusalOf } from '../words/refusal-text';
import { likelyOutput } from './draft';
import { hubItem, shownName } from './hub-files';
import { readsImages, readsTexts } from './paths';
import { taskStep } from './task-step';
import { type ActionItem, pickFile, type WizardState } from './wizard-state';

const [, { pattern: TOKENIZER }, { pattern: PREPROCESSOR }] = FILE_KEYS;

const modelStep: Step<WizardState> = {
  applies: async (state) => state.given === undefined || !(await readModel(state, modelPath(state.given))),
  run: chooseModel,
};

async function chooseModel(state: WizardState, place: Place): Promise<Outcome> {
  const files = [...(await findModels()), ...(await cachedModels())];
  for (;;) {
    const { refused } = state;
    const picked = await pickFile<DemoName | 'report' | 'hub'>(place, {
      files,
      placeholder: refused
        ? t('{0} cannot be used: select another model', shownName(refused.path))
        : files.length > 0
          ? t('Select the model to adapt')
          : t(
              'No models in this workspace. Get one from the Hugging Face hub, browse for an ONNX file, or select a model that comes with AuroRA.',
            ),
      browse: {
        title: t('Select an ONNX model, or the config.json of a model folder'),
        filters: { [t('Models')]: ['onnx', 'json'] },
      },
      active: state.model,
      above: refused ? refusalItems(refused) : [],
      extra: [hubItem(t('Get Model from the Hub…')), ...demoItems()],
    });
    // The list is shown again at once: reading the model for its report takes seconds.
    if (picked === 'hub') {
      const got = await getFromHub(state.services, 'model');
      if (got && (await readModel(state, modelPath(got.references[0]!.path)))) return 'next';
    } else if (picked === 'text' || picked === 'images' || picked === 'language') {
      // Copied, since an update of the extension removes its folder.
      const { preparedDemo } = await import('../demo/prepared-demo');
      const { file } = await preparedDemo(state.services.context, picked);
      if (await readModel(state, join(dirname(file), DEMO_MODEL))) return 'next';
    } else if (picked === 'report')
      void vscode.commands.executeCommand(COMMAND.showModelReport, vscode.Uri.file(refused!.path));
    else if (typeof picked === 'string') return picked;
    else if (await readModel(state, modelPath(picked.path))) return 'next';
  }
}

/** The models that come with the extension, each copied with sample data when it is chosen. */
function demoItems(): ActionItem<DemoName>[] {
  const description = t('comes with AuroRA, with sample data');
  const labels = {
    text: t('Sentence encoder (USE-lite)'),
    images: t('Vision transformer for clothes (Fashion-MNIST)'),
    language: t('Small language model (package summaries)'),
  };
  return (Object.keys(labels) as DemoName[]).map((demo) => ({
    label: `$(package) ${labels[demo]}`,
    description,
    action: demo,
    alwaysShow: true,
  }));
}

/**
 * The reason why a model cannot be used, and its report. Typing hides them, so that Enter takes the model that it
 * names.
 */
function refusalItems({ path, error }: NonNullable<WizardState['refused']>): ActionItem<'report'>[] {
  const { reasons, hint } = refusalOf(path, error);
  return [
    ...reasons.map((reason, i) => ({
      label: `$(error) ${reason}`,
      detail: i === reasons.length - 1 ? hint : undefined,
      action: 'report' as const,
    })),
    { label: `$(open-preview) ${t('Show Report')}`, action: 'report' },
    separator(t('Models')),
  ];
}

const separator = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });

/** Reads the model with a progress notification; false, with the reason in the state, if it cannot be used. */
async function readModel(state: WizardState, path: string): Promise<boolean> {
  const { services } = state;
  if (state.model === path && state.summary) return true;
  const title = t('Reading {0}…', hubName(path) ?? vscode.workspace.asRelativePath(path));
  const location = vscode.ProgressLocation.Notification;
  try {
    state.summary = await withProgress({ location, title }, () => services.models.inspect(path));
    state.model = path;
    delete state.refused;
    delete state.tokenizer;
    delete state.preprocessor;
    delete state.output;
    delete state.adapter;
    delete state.maxLength;
    return true;
  } catch (e) {
    delete state.given;
    delete state.refused;
    if (e instanceof AuroraError) state.refused = { path, error: e };
    else showError(services.log, e);
    return false;
  }
}

/** True if the model has no such file beside it. */
const lacks = async ({ model }: WizardState, key: 'tokenizer' | 'preprocessor'): Promise<boolean> =>
  (await fileBeside(await modelFileLater(model!), key)) === undefined;

/** Asks for a file that a model needs beside it, where there is none. */
const besideStep = (
  key: 'tokenizer' | 'preprocessor',
  needed: (state: WizardState) => boolean,
  { pattern, placeholder, title }: { pattern: RegExp; placeholder: () => string; title: () => string },
): Step<WizardState> => ({
  applies: async (state) => needed(state) && (await lacks(state, key)),
  async run(state, place) {
    const picked = await pickFile(place, {
      files: state.files.filter((f) => pattern.test(f)),
      placeholder: placeholder(),
      browse: { title: title(), filters: { JSON: ['json'] } },
      active: state[key],
    });
    if (typeof picked === 'string') return picked;
    state[key] = picked.path;
    return 'next';
  },
});

const tokenizerStep = besideStep('tokenizer', readsTexts, {
  pattern: TOKENIZER,
  placeholder: () => t('The model has no tokenizer.json beside it. Select its tokenizer.'),
  title: () => t('Select the tokenizer.json of the model'),
});

const preprocessorStep = besideStep('preprocessor', readsImages, {
  pattern: PREPROCESSOR,
  placeholder: () => t('The model has no preprocessor_config.json beside it. Select its preprocessor.'),
  title: () => t('Select the preprocessor_config.json of the model'),
});

/** True if the meaning of each output is unknown; it is known for a folder from the hub. */
const isUndecided = ({ outputs, family }: KnownModel): boolean => outputs.length > 1 && family === undefined;

const outputStep: Step<WizardState> = {
  applies: ({ summary }) => isUndecided(summary!),
  ahead: ({ summary }) => (summary ? isUndecided(summary) : 'unlikely'),
  async run(state, place) {
    const { head } = describeTask(state.task!);
    const likely = state.output ?? likelyOutput(state.summary!, head);
    const items = state.summary!.outputs.map((o) => ({
      label: o.name,
      description: `${o.type} [${o.shape?.map((d) => d ?? '?').join(', ') ?? '?'}]`,
    }));
    const picked = await pick(place, {
      items,
      placeholder: head
        ? t('Select the output with the hidden states')
        : t('Select the output with the logits'),
      active: items.find((i) => i.label === likely),
    });
    if (typeof picked === 'string') return picked;
    state.output = picked[0].label;
    return 'next';
  },
};

export const modelSteps = [modelStep, taskStep(chooseModel), tokenizerStep, preprocessorStep, outputStep];
