import { basename } from 'node:path';
import { hasSigma } from '../../../adapters/activations/curves';
import { callOuts } from '../../../adapters/activations/shape-words';
import { methodOf } from '../../../adapters/methods/registry';
import { splineSupport } from '../../../adapters/methods/spline';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import {
  type AdapterSpec,
  type AuroraSpec,
  isHeadAlone,
  isNonlinear,
  isReference,
  METHOD_NAMES,
} from '../../../experiment/methods';
import { patchOf, readsPrompt, tokenInText } from '../../../protocol/activation-examples';
import type { Snapshot } from '../../../protocol/activations';
import type { RunEvent } from '../../../protocol/events';
import type { Nonlinearity } from '../../../protocol/nonlinearity';
import type {
  ActivationsFromHost,
  ActivationsFromPage,
  CallOut,
  LayerCard,
  MeasuringProgress,
  NonlinearityMessage,
  SigmaInfo,
  ViewMessage,
  Word,
} from '../../../protocol/panels/activations';
import { nonlinearityFacts } from '../../../protocol/reports/nonlinearity-report';
import { rowIn } from '../../../protocol/row-place';
import { errorText } from '../../words/error-text';
import { KeptNonlinearity } from './kept-nonlinearity';
import { binEdges, layerCard, layerMessage, layerShape, samplesOf, Snapshots } from './layer-view';

/** The facts about its run that the panel needs. */
export interface RunFacts {
  name: string;
  experiment: string;
  /** More snapshots may follow. */
  live: boolean;
  adapter: AdapterSpec;
  events: readonly RunEvent[];
  /** Steps with snapshots that count in the journal; those undone by a resume are excluded. */
  steps: readonly number[];
  /** The first step that was evaluated in the static form (training.staticEpochs), if any. */
  staticFrom?: number;
}

/** The editor's side, so that the rest runs without VS Code. */
export interface ActivationsHost {
  run: string;
  post(message: ActivationsFromHost): void;
  /** Reads the run; rejects with an AuroraError if it cannot be read. */
  facts(): Promise<RunFacts>;
  /**
   * Measures the effect of σ at the best step, even if there is a result, and reports the progress. Resolves when that has
   * ended, also if it was canceled.
   */
  measure(told: (progress: MeasuringProgress) => void): Promise<void>;
  /** Ends that. */
  cancel(): void;
  openRow(file: string, line: number): void;
  copy(text: string): void;
  failed(error: unknown): void;
}

interface Made {
  key: string;
  layers: LayerCard[];
  callOuts: CallOut[];
}

/** Cached views, so that replaying a run costs nothing. */
const VIEWS = 64;
/** Longest time to compute curves without a break: half a frame, so that typing in the editor stays smooth. */
const SLICE_MS = 8;

/** Serves one page: which step and layer it shows, and their data. */
export class ActivationsSession {
  private readonly snapshots: Snapshots;
  private readonly views = new Map<string, Made>();
  private step: number | 'latest' = 'latest';
  private layer: { path: string; output: number; input: number } | undefined;
  private facts: RunFacts | undefined;
  private busy = false;
  private again = false;
  private disposed = false;
  private readonly kept: KeptNonlinearity;
  /** The progress, while the effect of σ is measured. */
  private measuring: MeasuringProgress | undefined;
  /** The reason why it was not measured the last time. */
  private unmeasured: string | undefined;

  constructor(private readonly host: ActivationsHost) {
    this.snapshots = new Snapshots(host.run);
    this.kept = new KeptNonlinearity(host.run);
  }

  dispose(): void {
    this.disposed = true;
    // Nobody waits for the rest.
    if (this.measuring !== undefined) this.host.cancel();
  }

  receive(message: ActivationsFromPage): void {
    if (message.type === 'show') {
      this.step = message.step;
      this.refresh();
    } else if (message.type === 'layer') {
      const { path, output, input } = message;
      this.layer = path === undefined ? undefined : { path, output, input };
      this.guard(this.sendLayer());
    } else if (message.type === 'bin')
      this.guard(this.sendWords(message.path, message.coordinate, message.bin));
    else if (message.type === 'openRow') this.guard(this.openRow(message.example));
    else if (message.type === 'measure') void this.measure();
    else if (message.type === 'cancel') this.host.cancel();
    else this.host.copy(message.text);
  }

  /** Sends the current view; calls in the meantime are merged into one. */
  refresh(): void {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.guard(
      this.send().finally(() => {
        this.busy = false;
        if (!this.again || this.disposed) return;
        this.again = false;
        this.refresh();
      }),
    );
  }

  private guard(work: Promise<void>): void {
    work.catch((e: unknown) => {
      this.host.failed(e);
      this.post({ type: 'error', message: errorText(e) });
    });
  }

  private post(message: ActivationsFromHost): void {
    if (!this.disposed) this.host.post(message);
  }

  private async send(): Promise<void> {
    const facts = (this.facts = await this.host.facts());
    const steps = await this.steps();
    const step = this.shownStep(steps);
    const plain = { type: 'view' as const, run: facts.name, experiment: facts.experiment, live: facts.live };
    const view: ViewMessage = {
      ...plain,
      steps,
      step: step ?? 0,
      following: this.step === 'latest',
      layers: [],
      callOuts: [],
    };
    if (step === undefined) {
      this.post({ ...view, notice: this.nothingYet(facts) });
      return this.sendNonlinearity(step, facts);
    }
    const { layers, callOuts: outs } = await this.make(step, steps[0], facts);
    const sigma = sigmaInfo(facts.adapter, layers);
    const notice = sigma ? this.otherForm(step, facts) : this.noCurve(facts);
    this.post({ ...view, layers, callOuts: outs, sigma, notice });
    await this.sendLayer();
    await this.sendNonlinearity(step, facts);
  }

  private async measure(): Promise<void> {
    if (this.measuring !== undefined || this.disposed) return;
    const tell = (progress: MeasuringProgress) => {
      this.measuring = progress;
      this.guard(this.sendCurrentNonlinearity());
    };
    this.unmeasured = undefined;
    tell({ words: t('Reading model and data…') });
    try {
      await this.host.measure(tell);
    } catch (e) {
      this.host.failed(e);
      this.unmeasured = errorText(e);
    } finally {
      this.measuring = undefined;
    }
    if (!this.disposed) this.refresh();
  }

  private async sendCurrentNonlinearity(): Promise<void> {
    const facts = (this.facts ??= await this.host.facts());
    await this.sendNonlinearity(this.shownStep(await this.steps()), facts);
  }

  /** The result of the shown step or, if that was not measured, of the best. */
  private async sendNonlinearity(step: number | undefined, facts: RunFacts): Promise<void> {
    const best = bestStep(facts);
    const kept = (await this.keptAt(step, facts)) ?? (await this.keptAt(best, facts));
    const message: NonlinearityMessage = {
      type: 'nonlinearity',
      ...(kept && { result: nonlinearityFacts(kept.result) }),
      ...(kept?.outdated && { outdated: kept.outdated }),
      ...(best !== undefined && { best }),
      ...(this.measuring !== undefined && { measuring: this.measuring }),
      ...(this.unmeasured !== undefined && { error: this.unmeasured }),
    };
    this.post(message);
  }

  /** Undefined also if it cannot be read: the page offers to measure it again. */
  private async keptAt(
    step: number | undefined,
    { events }: RunFacts,
  ): Promise<{ result: Nonlinearity; outdated?: 'run' | 'data' } | undefined> {
    try {
      return step === undefined ? undefined : await this.kept.read(step, events);
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      this.host.failed(e);
      return undefined;
    }
  }

  /** Files that count in the journal; all files if it lists none. */
  private async steps(): Promise<number[]> {
    const files = await this.snapshots.steps();
    const counted = new Set(this.facts?.steps ?? []);
    return counted.size ? files.filter((s) => counted.has(s)) : files;
  }

  private shownStep(steps: readonly number[]): number | undefined {
    const { step } = this;
    // If the step no longer exists, or comes from a restored page: the nearest one before it.
    return step === 'latest' ? steps.at(-1) : (steps.findLast((s) => s <= step) ?? steps[0]);
  }

  private async make(step: number, firstStep: number, facts: RunFacts): Promise<Made> {
    const { key: own, snapshot } = await this.snapshots.read(step);
    const { key: base, snapshot: first } = await this.snapshots.read(firstStep);
    const key = `${own}|${base}`;
    const known = this.views.get(key);
    if (known) return known;
    const spec = auroraOf(facts.adapter);
    const layers: LayerCard[] = [];
    for (let i = 0, since = performance.now(); i < snapshot.layers.length; i++) {
      layers.push(layerCard(snapshot.layers[i], firstOf(first, snapshot, i), spec));
      if (performance.now() - since < SLICE_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
    const shapes = layers.flatMap((l, i) => (l.shape ? [layerShape(snapshot.layers[i], l.shape)] : []));
    const made = { key, layers, callOuts: spec && shapes.length ? callOuts(shapes, spec) : [] };
    this.views.set(key, made);
    if (this.views.size > VIEWS) this.views.delete(this.views.keys().next().value!);
    return made;
  }

  private async sendLayer(): Promise<void> {
    if (!this.layer) return;
    const chosen = this.layer;
    const facts = (this.facts ??= await this.host.facts());
    const steps = await this.steps();
    const step = this.shownStep(steps);
    if (step === undefined) return;
    const { snapshot } = await this.snapshots.read(step);
    const { snapshot: first } = await this.snapshots.read(steps[0]);
    const i = snapshot.layers.findIndex((l) => l.path === chosen.path);
    // A path from a page restored for another run's folder.
    if (i < 0 || chosen !== this.layer) return;
    const { output, input } = chosen;
    const kept = await this.keptAt(step, facts);
    // Another layer may have been chosen while it was read.
    if (chosen !== this.layer) return;
    this.post(
      layerMessage(snapshot.layers[i], firstOf(first, snapshot, i), auroraOf(facts.adapter), {
        step,
        firstStep: steps[0],
        output,
        input,
        // The fit of values that the run no longer has at this step.
        fit: kept?.outdated === 'run' ? undefined : kept?.result.layers.find((l) => l.path === chosen.path),
      }),
    );
  }

  private async sendWords(path: string, coordinate: number, bin: number): Promise<void> {
    this.facts ??= await this.host.facts();
    const step = this.shownStep(await this.steps());
    if (step === undefined) return;
    const { snapshot } = await this.snapshots.read(step);
    const layer = snapshot.layers.find((l) => l.path === path);
    if (!layer || coordinate >= layer.rank || bin >= layer.bins + 2) return;
    const known = await this.snapshots.readExamples();
    const words = samplesOf(layer, coordinate, bin).flatMap(([example, token]): Word[] => {
      const row = known?.examples[example];
      if (!row) return [];
      const { label, ids } = row;
      const image = readsPrompt(path) ? undefined : row.image;
      const { file, row: line } = rowIn(basename(known.file), row.line, known.parts);
      const patch = image && patchOf(image, layer.tokens / known.examples.length, token);
      return [
        {
          ...{ example, file, line, label, id: ids[token] ?? -1, ...tokenInText(row, token) },
          image,
          patch,
          ...(row.image && !image && { position: token }),
        },
      ];
    });
    const [from, to] = binEdges(layer, bin);
    this.post({
      type: 'words',
      step,
      path,
      coordinate,
      bin,
      from,
      to,
      count: layer.counts[coordinate * (layer.bins + 2) + bin],
      words,
      examples: known?.examples.length ?? 0,
      notice: known
        ? undefined
        : t('This run has no activations/examples.json, so the words in its bins are not known.'),
    });
  }

  private async openRow(example: number): Promise<void> {
    const known = await this.snapshots.readExamples();
    const row = known?.examples[example];
    if (!known || !row) return;
    const own = rowIn(known.file, row.line, known.parts);
    this.host.openRow(own.file, own.row);
  }

  private nothingYet({ adapter, live }: RunFacts): string {
    if (isHeadAlone(adapter))
      return t('This run trains no adapter (adapter.method is "none"), so there are no layers to show.');
    if (!methodOf(adapter).showsZ)
      return t('{0} has no matrix A, so there are no activations to show.', METHOD_NAMES[adapter.method]);
    return live
      ? t(
          'No snapshots yet. The first one is taken at the next evaluation, or after training.activationsEvery steps if that is set.',
        )
      : t(
          'This run has no activation snapshots. Set training.activationsEvery (for example, to 20) in the experiment and run it again.',
        );
  }

  private otherForm(step: number, { staticFrom = Infinity }: RunFacts): string | undefined {
    return step < staticFrom
      ? undefined
      : t(
          'At this step the static form is trained: σ acts on the columns of A. The histograms show z = A x, its input in the dynamic form.',
        );
  }

  private noCurve({ adapter }: RunFacts): string {
    if (isReference(adapter))
      return t(
        'LoRA has no σ between A and B: its z = A x reaches B unchanged, so there is no curve. The histograms show the values of z in each layer.',
      );
    if (!isNonlinear(adapter))
      return t(
        'Only AuroRA has a σ between A and B, so there is no curve. The histograms show the values of z = A x in each layer.',
      );
    return t('The snapshots of this run do not contain H and W, so there are no curves to draw.');
  }
}

/** The step that `aurora nonlinearity` measures by default; undefined if it would measure nothing. */
function bestStep({ adapter, events }: RunFacts): number | undefined {
  if (isHeadAlone(adapter)) return undefined;
  return events.flatMap((e) => (e.kind === 'evaluation' && e.best ? [e.step] : [])).at(-1);
}

const auroraOf = (adapter: AdapterSpec): AuroraSpec | undefined =>
  isNonlinear(adapter) ? adapter : undefined;

/** The layer in the first snapshot; the layer itself if that lacks it. */
const firstOf = (first: Snapshot, snapshot: Snapshot, i: number) => {
  const own = snapshot.layers[i];
  return first.layers.find((l) => l.path === own.path && l.rank === own.rank && hasSigma(l)) ?? own;
};

function sigmaInfo(adapter: AdapterSpec, layers: readonly LayerCard[]): SigmaInfo | undefined {
  if (!isNonlinear(adapter) || !layers.some((l) => l.shape)) return undefined;
  const { activation, fixed, learnable, spline, gridRange } = adapter;
  const support = learnable ? { support: splineSupport(adapter) } : {};
  return { activation, fixed, learnable, spline, gridRange, ...support };
}
