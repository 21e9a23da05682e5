import { basename } from 'node:path';
import { endingsOf } from '../../../adapters/targets/endings';
import { type TaskLayer, taskLayers } from '../../../adapters/task-output';
import { AuroraError } from '../../../base/errors';
import { aboutMethod } from '../../../experiment/methods';
import type { ModelSummary } from '../../../graph/summary';
import type { Ending } from '../../../protocol/budget';
import type {
  BudgetAnswer,
  BudgetFields,
  BudgetSetup,
  BudgetToPage,
  ModelState,
} from '../../../protocol/panels/budget';
import type { StepCost } from '../../../protocol/step-cost';
import type { KnownModel, StepChoice } from '../../models/known-model';
import { computeBudget, parseFields } from './compute-budget';
import {
  type AdapterEdit,
  type ExperimentValues,
  readExperiment,
  replacedRange,
  writeAdapter,
} from './budget-experiment';
import {
  fileId,
  type KnownModels,
  modelChoices,
  type ModelFile,
  paperModel,
  pathInExperiment,
  type ReadModel,
} from './budget-models';

/** The services of the editor that the calculator needs. */
export interface BudgetPorts {
  post(message: BudgetToPage): void;
  /** The models of the workspace. */
  modelFiles(): Promise<ModelFile[]>;
  inspect(path: string): Promise<KnownModel>;
  /** The model if it is known without waiting. */
  cached(path: string): KnownModel | undefined;
  /** In a separate process: takes a second or more. */
  estimate(path: string, choice: StepChoice): Promise<StepCost>;
}

const NO_EXPERIMENT = readExperiment('{}');
const FIRST_LORA_RANK = '8';
/** If the user has no model, the paper's first. */
const FIRST_MODEL = 'paper:roberta-base';

/** An open calculator: its input, the experiment it follows, and the model it uses. */
export class BudgetSession {
  private fields: BudgetFields | undefined;
  private known: KnownModels = modelChoices(undefined, []);
  private values: ExperimentValues | undefined;
  private text: string | undefined;
  private latest = 0;
  private readonly endings = new WeakMap<object, Ending[]>();
  private readonly layers = new WeakMap<ModelSummary, { key: string; layers: TaskLayer[] }>();

  /**
   * @param file the experiment's path, if there is one
   * @param model the model's, if the calculator was opened for one
   */
  constructor(
    private readonly ports: BudgetPorts,
    private readonly file?: string,
    private readonly model?: string,
  ) {}

  /** The experiment's text, or undefined if it cannot be read. The page is updated if anything relevant changed. */
  async follow(text: string | undefined): Promise<void> {
    if (this.take(text)) await this.setup();
  }

  /** Sends everything to a new page. */
  async show(text: string | undefined): Promise<void> {
    this.take(text);
    await this.setup();
  }

  /** Stores the text. If anything relevant in it changed, its values replace the input. */
  take(text: string | undefined): boolean {
    this.text = text;
    const values = this.file === undefined ? undefined : readExperiment(text ?? '{}');
    if (this.fields && JSON.stringify(this.values) === JSON.stringify(values)) return false;
    this.values = values;
    this.fields = undefined;
    return true;
  }

  /** Sends controls and choices; the page answers with the budget to compute. */
  private async setup(): Promise<void> {
    const files = await this.ports.modelFiles();
    const { file, values, model } = this;
    this.known = modelChoices(
      file !== undefined && values
        ? { file, modelPath: values.modelPath, names: values.fields.names }
        : undefined,
      model === undefined ? files : [{ path: model, label: basename(model) }, ...files],
    );
    this.fields ??= {
      ...(values ?? NO_EXPERIMENT).fields,
      model: this.first() ?? FIRST_MODEL,
      loraRank: FIRST_LORA_RANK,
    };
    this.ports.post({
      type: 'setup',
      models: this.known.choices,
      fields: this.fields,
      experiment: file !== undefined && values ? this.experiment(file, values) : undefined,
    });
  }

  /** The choice to begin with. */
  private first(): string | undefined {
    if (this.model !== undefined) return fileId(this.model);
    return this.known.choices.find((c) => c.kind === 'experiment')?.id;
  }

  private experiment(file: string, values: ExperimentValues): BudgetSetup['experiment'] {
    const missing = this.text === undefined ? ['The file could not be read; the defaults are shown.'] : [];
    const noModel = values.modelPath === undefined && this.text !== undefined;
    return {
      name: file.split(/[\\/]/).at(-1)!,
      others: Object.entries(values.others).map(([key, v]) => `adapter.${key}: ${JSON.stringify(v)}`),
      problems: [
        ...missing,
        ...values.problems,
        ...(noModel ? ['The file has no model.path; a model from the paper is shown.'] : []),
      ],
    };
  }

  /** Answers with the budget, unless a newer request arrived while the model was read. */
  async compute(seq: number, fields: BudgetFields): Promise<void> {
    this.latest = seq;
    this.fields = fields;
    const model = await this.read(fields.model);
    if (this.latest !== seq) return;
    if ('failure' in model) {
      this.ports.post({ type: 'answer', seq, model: model.failure, problems: [] });
      return;
    }
    const state: ModelState = {
      state: 'ready',
      label: model.label,
      ...(model.source && { source: model.source }),
      length: model.length,
      paper: model.paper,
      endings: this.endingsIn(model.modules),
    };
    const answer = await computeBudget(fields, model, this.values?.others ?? {});
    if (this.latest !== seq) return;
    this.ports.post({ type: 'answer', seq, model: state, ...answer, ...this.writable(fields) });
  }

  /** Answers with the cost of a training step. */
  async estimate(
    seq: number,
    fields: BudgetFields,
    { batch, length }: { batch: number; length: number },
  ): Promise<void> {
    const { choice } = parseFields(fields);
    const source = this.known.sources.get(fields.model);
    if (!choice || !source || 'paper' in source) return;
    const { method, rank, targetModules } = choice;
    try {
      const targets =
        fields.targets === 'regex' ? await this.matched(fields) : [targetModules].flat().join(',');
      const ranked = aboutMethod(method).size === 'rank';
      const cost = await this.ports.estimate(source.path, {
        batch,
        length,
        method,
        ...(ranked && { rank }),
        targets,
      });
      this.ports.post({ type: 'step', seq, cost });
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      this.ports.post({ type: 'step', seq, problem: [e.message, e.hint].filter(Boolean).join(' ') });
    }
  }

  /** The modules that an expression matches. */
  private async matched(fields: BudgetFields): Promise<string> {
    const model = await this.read(fields.model);
    if ('failure' in model) return '';
    const { budget } = await computeBudget(fields, model, this.values?.others ?? {});
    return (budget?.modules ?? []).map((m) => m.path).join(',');
  }

  /** The single edit that writes the choice into the experiment; throws AuroraError if that is not possible. */
  edit(fields: BudgetFields): { offset: number; length: number; content: string } | undefined {
    const text = this.text ?? '';
    const edit = this.write(fields);
    return edit && edit.changes.length > 0 ? replacedRange(text, edit.text) : undefined;
  }

  private write(fields: BudgetFields): AdapterEdit | undefined {
    const { choice } = parseFields(fields);
    const source = this.known.sources.get(fields.model);
    if (!choice || this.file === undefined || this.text === undefined || !source) return undefined;
    if ('paper' in source)
      throw new AuroraError(
        'model',
        'This model from the paper has only layer shapes and cannot be trained.',
        "Choose the experiment's model, or another model in the workspace.",
      );
    const own = this.known.choices.find((c) => c.id === fields.model)?.kind === 'experiment';
    return writeAdapter(this.text, choice, own ? undefined : pathInExperiment(this.file, source.path));
  }

  private writable(fields: BudgetFields): Pick<BudgetAnswer, 'changes' | 'cannotWrite'> {
    if (this.file === undefined) return {};
    try {
      return { changes: this.write(fields)?.changes ?? [] };
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      return { changes: [], cannotWrite: [e.message, e.hint].filter(Boolean).join(' ') };
    }
  }

  private endingsIn(modules: ReadModel['modules']): Ending[] {
    const known = this.endings.get(modules) ?? endingsOf(modules);
    this.endings.set(modules, known);
    return known;
  }

  /** The layers; the same array for one model and output, since derived results are cached by it. */
  private layersIn(summary: ModelSummary): TaskLayer[] {
    const { choice } = this.values ?? NO_EXPERIMENT;
    const key = JSON.stringify(choice);
    const known = this.layers.get(summary);
    if (known?.key === key) return known.layers;
    const layers = taskLayers(summary, choice);
    this.layers.set(summary, { key, layers });
    return layers;
  }

  private async read(id: string): Promise<ReadModel | { failure: ModelState }> {
    const source = this.known.sources.get(id);
    const label = this.known.choices.find((c) => c.id === id)?.label ?? id;
    if (!source)
      return { failure: { state: 'failed', label, message: `The model ${label} no longer exists.` } };
    if ('paper' in source) return paperModel(source.paper);
    try {
      const ready = this.ports.cached(source.path);
      if (!ready) this.ports.post({ type: 'reading', label });
      const summary = ready ?? (await this.ports.inspect(source.path));
      if (summary.layers.length === 0)
        throw new AuroraError(
          'model',
          `${label} has no linear layers with constant weights, so there is nothing to adapt.`,
        );
      const { parameters, step } = summary;
      const length = step?.length;
      return { modules: this.layersIn(summary), parameters, label, length };
    } catch (e) {
      const { message, hint } = e as AuroraError;
      return { failure: { state: 'failed', label, message, ...(hint && { hint }) } };
    }
  }
}
