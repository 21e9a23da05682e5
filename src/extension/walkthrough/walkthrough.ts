import * as vscode from 'vscode';
import { CONTEXT } from '../ids';
import type { Contributes } from '../manifest/declared';
import { isDemo } from '../runs/demo-places';
import type { Services } from '../services';

export const contributes: Contributes = {
  walkthrough: {
    id: 'start',
    title: 'Get started with AuroRA',
    description: 'Train a nonlinear adapter on your own machine, and see what it learned.',
    steps: {
      demo: {
        title: 'Train your first adapter',
        description:
          'A small sentence encoder (28 MB, included) learns to sort Debian packages into sections. It stays frozen; an AuroRA adapter of rank 2 and a linear head are trained on your machine, in a few minutes. The dashboard opens with the first step, and **Stop** saves, so that **Resume** continues bit for bit.\n[Run the Demo](command:aurora.runDemo)\nOr a small vision transformer learns new kinds of clothes, or a small language model learns to write summaries: [Run the Image Demo](command:aurora.runImageDemo), [Run the Language Demo](command:aurora.runLanguageDemo).\nEach creates its own folder, with an experiment file that you can edit and run again.',
        image:
          'A run’s dashboard: its state and progress, the falling loss, and the accuracy at each evaluation.',
        doneWith: 'aurora.demoRan',
      },
      watch: {
        title: 'See what each layer learned',
        description:
          'Between LoRA’s two matrices, AuroRA adds a function σ with a learned shape. See it for each adapted layer, over the values that occur in your data, from the first step to the last. Select a bar below a curve to see the words that fall there.\n[Show Layer Activations](command:aurora.openActivations)\nIt needs a run, such as the demo’s.',
        image:
          'The activation σ of a layer: a curve that bends away from a straight line, above a histogram of its inputs.',
        doneWith: 'aurora.activationsSeen',
      },
      budget: {
        title: 'Know the cost before you train',
        description:
          'Choose a rank and target modules and see exactly what they cost: trained parameters, the size of the adapter file, optimizer memory and compute, beside LoRA at any rank. With an experiment open, you can write your choice back to its file.\n[Open Budget Calculator](command:aurora.openBudget)',
        image:
          'The budget calculator: trained parameters of AuroRA at rank 2 beside LoRA, and a curve of parameters by rank.',
        doneWith: 'aurora.budgetSeen',
      },
      get: {
        title: 'Get a model and data by name',
        description:
          'Name a model and a data set of the Hugging Face hub. Before anything is downloaded, you see the license, the files, what can be adapted and what a training step takes on this machine. Then **New Experiment** has them, with the AuroRA paper’s settings where it used the data set.\n[Get RoBERTa](command:aurora.getModel?%5B%22FacebookAI%2Froberta-base%22%5D)\n[Get RTE (GLUE)](command:aurora.getData?%5B%22glue%2Frte%22%5D)\nOr search for others: [Get Model](command:aurora.getModel), [Get Data Set](command:aurora.getData).\nFiles go to the cache that Python’s libraries use. AuroRA sends nothing unless you ask for it.',
        image:
          'A list of models found on the hub, and below it what one of them offers: its modules, its memory and the time of a step.',
        doneWith: 'aurora.hubUsed',
      },
      own: {
        title: 'Adapt your own model',
        description:
          'A folder from the Hugging Face hub (config.json and safetensors) or an ONNX file, and data for it: texts with labels, numbers or tags, images with labels, or texts and chats for a language model. **New Experiment** lists what your workspace has and writes an experiment file; **Run Preflight** then measures time and memory with a few real steps.\n[New Experiment](command:aurora.newExperiment)',
        image:
          'An experiment file with its model, data and adapter, and the actions Run, Preflight and Budget above it.',
        doneWith: 'aurora.experimentMade',
      },
    },
  },
};

/** Checks off the walkthrough's steps that follow from the workspace's runs. */
export function registerWalkthrough({ context, store }: Services): vscode.Disposable {
  restoreSteps(context);
  return store.onDidChange((changed) => {
    // Runs only appear with a change of structure.
    if (changed) return;
    void store.runs().then((runs) => {
      if (runs.length > 0) markStep(context, CONTEXT.demoRan);
      if (runs.some((r) => !isDemo(r.experiment))) markStep(context, CONTEXT.experimentMade);
    });
  });
}

/** The contexts that check off the walkthrough's steps. */
const STEPS = [
  CONTEXT.hubUsed,
  CONTEXT.demoRan,
  CONTEXT.activationsSeen,
  CONTEXT.budgetSeen,
  CONTEXT.experimentMade,
] as const;
type Step = (typeof STEPS)[number];

const marked = new Set<Step>();

/**
 * Remembers that the user has done the action of a step of the walkthrough, in any way. A command's own event is not
 * enough: VS Code fires none for a button on a page, a lens or another command that runs it.
 */
export function markStep({ globalState }: vscode.ExtensionContext, step: Step): void {
  if (marked.has(step)) return;
  marked.add(step);
  void globalState.update(step, true);
  void vscode.commands.executeCommand('setContext', step, true);
}

/** Restores the steps in VS Code that were done in earlier windows. */
function restoreSteps(context: vscode.ExtensionContext): void {
  for (const step of STEPS) if (context.globalState.get(step) === true) markStep(context, step);
}
