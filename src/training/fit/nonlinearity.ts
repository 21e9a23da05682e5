import { join } from 'node:path';
import type { LayerFit, LinearFit } from '../../adapters/fit/linear-fit';
import { AuroraError } from '../../base/errors';
import { pick } from '../../data/list';
import { isHeadAlone, isNonlinear, type MethodName } from '../../experiment/methods';
import { writeAtomic } from '../../files/atomic';
import type { EvaluationMetrics } from '../../protocol/events';
import { hasNote } from '../../protocol/inputs-words';
import {
  isClearlyAbove,
  type LayerNonlinearity,
  type Nonlinearity,
  NONLINEARITY_EXAMPLES,
  type NonlinearityLine,
  type Share,
} from '../../protocol/nonlinearity';
import { evaluationAt, fileSum, outdated } from '../../runs/predictions';
import { nonlinearityFile, readNonlinearity } from '../../runs/nonlinearity';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import { chanceOf, type Difference } from '../../study/statistics/difference';
import { holm, pairedT } from '../../study/statistics/paired-tests';
import { ratioOfMeans } from '../../study/statistics/ratio';
import { type At, openTrained, stepOf, type Trained } from '../checkpoint/trained-run';
import { type Measured, type Measuring, openMeasuring } from '../measure';
import { exampleLosses, riseOf } from '../paired-loss';
import { workFolder } from '../process/leftovers';
import { withoutAdapters } from '../task/adapted-model';
import type { Task } from '../task/task';
import { type FitOptions, fitOf } from './fit-run';
import { headOnlyRun } from './head-only';
import { replaceableSigma, withLines } from './replaceable-sigma';

export interface NonlinearityRequest {
  run: string;
  at: At;
  /** Validation examples at most; all if there are fewer. */
  examples?: number;
  /** Also each layer alone. */
  layers?: boolean;
  /** Even if a result is kept. */
  again?: boolean;
  emit: (line: NonlinearityLine) => void | Promise<void>;
}

/**
 * The loss of a run on validation examples with its σ replaced by their linear fits, all of them and each alone, and
 * without its adapters: kept in the run, and computed again only if the run, its data or the request have changed. One
 * session on the CPU measures everything. The examples are evenly spaced over the validation data, and the same for all
 * rows, so that differences are paired.
 *
 * @throws AuroraError 'run' if there is nothing to measure, and as `fitOf` and `openTrained`
 */
export async function nonlinearityOf(request: NonlinearityRequest): Promise<Nonlinearity> {
  const { run, at, examples = NONLINEARITY_EXAMPLES, layers = true, again = false, emit } = request;
  const summary = readRunSummary(run);
  if (isHeadAlone(summary.spec.adapter))
    throw new AuroraError(
      'run',
      `${run} trains only a head (adapter.method is "none"), so it has no adapter to replace.`,
      'Choose a run with an adapter. Its result includes this run, if model, data, task and seed are the same.',
    );
  const step = stepOf(summary, at);
  if (!again) {
    const kept = await readNonlinearity(run, step);
    if (kept && (await isCurrent(kept, summary, { examples, layers }))) return kept;
  }
  const { path: work, remove } = workFolder(run, 'nonlinearity');
  try {
    const trained = await openTrained(run, at, work);
    const fit = await fitOfRun(run, { trained, emit });
    const result = await new Measurement(trained, fit, { examples, layers, emit, work }).result();
    keep(run, result);
    return result;
  } finally {
    remove();
  }
}

/** @throws AuroraError as `fitOf`, whose next step is for an export */
async function fitOfRun(run: string, options: FitOptions & { trained: Trained }): Promise<LinearFit> {
  try {
    return await fitOf(run, options.trained.step, options);
  } catch (e) {
    if (!(e instanceof AuroraError) || e.kind !== 'inputs') throw e;
    throw new AuroraError(e.kind, e.message, 'Put the data back as they were.', { cause: e });
  }
}

/** Kept results of changed files are measured again, since the files may have been restored. */
async function isCurrent(
  kept: Nonlinearity,
  { events }: RunSummary,
  { examples, layers }: { examples: number; layers: boolean },
): Promise<boolean> {
  if (kept.inputs?.changed.length || kept.examples !== Math.min(examples, kept.of)) return false;
  if (layers && kept.layers.some(({ rise }) => rise === undefined)) return false;
  return (await outdated(kept, kept.step, events)) === undefined;
}

function keep(run: string, result: Nonlinearity): void {
  try {
    writeAtomic(nonlinearityFile(run, result.step), `${JSON.stringify(result)}\n`, run);
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    throw new AuroraError(
      'disk',
      e.message,
      'The result is stored in the run folder: free some space there, or copy the run to a writable folder.',
      { cause: e },
    );
  }
}

interface Options {
  examples: number;
  layers: boolean;
  emit: NonlinearityRequest['emit'];
  /** A folder for graphs. */
  work: string;
}

/** A row's metrics, and the loss of each example, weighted so that their mean is the loss. */
interface Row {
  metrics: EvaluationMetrics;
  losses: Float64Array;
}

/** Everything that one run's result is computed from. */
class Measurement {
  private readonly task: Task;
  private readonly places: number[];
  private readonly layerFits: readonly LayerFit[];
  private readonly headOnly: string | undefined;
  private readonly rows: number;
  private done = 0;
  private began = 0;

  constructor(
    private readonly trained: Trained,
    private readonly fit: LinearFit,
    private readonly options: Options,
  ) {
    const { length } = trained.task.data.validation.dataset.examples;
    this.places = evenlySpaced(length, options.examples);
    this.task = onExamples(
      fit.layers.length > 0 ? replaceableSigma(trained.task) : trained.task,
      this.places,
    );
    this.headOnly = trained.task.head ? headOnlyRun(trained.run) : undefined;
    this.layerFits = options.layers ? fit.layers : [];
    const ofRun = fit.layers.length > 0 ? 3 : 2;
    this.rows = ofRun + (this.headOnly === undefined ? 0 : 1) + this.layerFits.length;
  }

  async result(): Promise<Nonlinearity> {
    const { trained, fit, task, places } = this;
    const { validation } = trained.task.data;
    if (places.length < 2)
      throw new AuroraError(
        'data',
        `${validation.path} has ${places.length} validation example, and the interval of a difference needs at least 2.`,
        'Add validation examples, or choose more with --examples.',
      );
    const opened = await openMeasuring(task, join(this.options.work, 'graph'));
    try {
      const all = new Set(fit.layers.map(({ path }) => path));
      const asTrained = await this.row(opened, this.values(new Set()));
      const fitted = fit.layers.length > 0 ? await this.row(opened, this.values(all)) : asTrained;
      const removed = await this.row(opened, withoutAdapters(task.adapters, this.values(new Set())));
      const head = await this.headOnlyRow();
      const rises: Difference[] = [];
      for (const { path } of this.layerFits) {
        const alone = await this.row(opened, this.values(new Set([path])), false);
        rises.push(pairedT(minus(alone, asTrained)));
      }
      const lost = minus(fitted, asTrained);
      const gain = minus(removed, asTrained);
      const headGain = head && minus(head.row, asTrained);
      return {
        ...(await this.facts()),
        trained: asTrained.metrics,
        fitted: fitted.metrics,
        removed: removed.metrics,
        ...(head && { headOnly: { run: head.run, step: head.step, metrics: head.row.metrics } }),
        head: trained.task.head !== undefined,
        lost: riseOf(pairedT(lost)),
        gain: riseOf(pairedT(gain)),
        ...(headGain && { headGain: riseOf(pairedT(headGain)) }),
        ...shareIn('share', lost, gain),
        ...(headGain && shareIn('headShare', lost, headGain)),
        layers: layerResults(fit, rises),
      };
    } finally {
      await opened.dispose();
    }
  }

  private async facts() {
    const { run, step, form, inputs, task } = this.trained;
    const { validation } = task.data;
    const evaluation = evaluationAt(run.events, step, 'validation')?.metrics;
    const { layers, tokens } = this.fit;
    return {
      version: 1 as const,
      step,
      form,
      method: run.spec.adapter.method as MethodName,
      ...(layers.length === 0 && {
        linear: isNonlinear(run.spec.adapter) ? ('static' as const) : ('method' as const),
      }),
      data: {
        file: validation.path,
        sha256: (await fileSum(validation.path)) ?? '',
        ...(validation.parts && { parts: [...validation.parts] }),
      },
      ...(evaluation && { evaluation }),
      ...(hasNote(inputs) && { inputs }),
      examples: this.places.length,
      of: validation.dataset.examples.length,
      ...(layers.length > 0 && { tokens }),
    };
  }

  private values(replaced: ReadonlySet<string>): ReadonlyMap<string, Float32Array> {
    const { parameters } = this.trained;
    return this.fit.layers.length > 0 ? withLines(this.task, parameters, this.fit, replaced) : parameters;
  }

  /** @param writes false leaves out answers that a model writes, which metrics need but the loss does not */
  private async row(
    opened: Measuring,
    values: ReadonlyMap<string, Float32Array>,
    writes = true,
    task = this.task,
  ): Promise<Row> {
    await this.tell();
    const row = rowOf(task, await opened.measure(values, { writes }), this.trained);
    this.done++;
    return row;
  }

  private async tell(): Promise<void> {
    const { done, rows, places } = this;
    if (done === 0) this.began = performance.now();
    const each = (performance.now() - this.began) / 1000 / Math.max(1, done);
    await this.options.emit({
      kind: 'measuring',
      done,
      of: rows,
      examples: places.length,
      ...(done > 0 && { secondsLeft: each * (rows - done) }),
    });
  }

  private async headOnlyRow(): Promise<{ run: string; step: number; row: Row } | undefined> {
    const { headOnly: run, options, places } = this;
    if (run === undefined) return undefined;
    const work = join(options.work, 'head-only');
    const { task, parameters, step } = await openTrained(run, 'best', work);
    const same = onExamples(task, places);
    const opened = await openMeasuring(same, join(work, 'graph'));
    try {
      return { run, step, row: await this.row(opened, parameters, true, same) };
    } finally {
      await opened.dispose();
    }
  }
}

/** At most `most` of the indices below `length`, evenly spaced: of data in any order, those of every part. */
export const evenlySpaced = (length: number, most: number): number[] => {
  const count = Math.min(length, most);
  return Array.from({ length: count }, (_, i) => Math.floor((i * length) / count));
};

/** The task with some of its validation examples. */
function onExamples(task: Task, places: readonly number[]): Task {
  const { validation } = task.data;
  const { dataset } = validation;
  if (places.length === dataset.examples.length) return task;
  const part = { ...validation, dataset: { ...dataset, examples: pick(dataset.examples, places) } };
  return { ...task, data: { ...task.data, validation: part } };
}

function rowOf(task: Task, { metrics, logits }: Measured, { run, step }: Trained): Row {
  if (metrics === 'diverged')
    throw new AuroraError(
      'run',
      `${run.folder}: at step ${step}, the model's logits are not finite as trained, or with its adapters replaced or removed, so there is nothing to compare.`,
      'Choose an earlier checkpoint with --at.',
    );
  return { metrics, losses: exampleLosses(task, { logits }) };
}

const minus = (a: Row, b: Row): Float64Array => a.losses.map((loss, i) => loss - b.losses[i]);

/** The share under a name, if it can be stated. */
function shareIn<Name extends string>(
  name: Name,
  lost: Float64Array,
  gain: Float64Array,
): Partial<Record<Name, Share>> {
  const share = isClearlyAbove(riseOf(pairedT(gain))) ? ratioOfMeans(lost, gain) : undefined;
  return share ? ({ [name]: share } as Record<Name, Share>) : {};
}

/** Enough to draw the line. */
const DIGITS = 6;
const rounded = (values: Float64Array): number[] => Array.from(values, (v) => Number(v.toPrecision(DIGITS)));

/** @param rises of each layer; none if layers were not measured */
function layerResults({ layers }: LinearFit, rises: readonly Difference[]): LayerNonlinearity[] {
  const chances = holm(rises.map((rise) => chanceOf(rise) ?? (rise.mean === 0 ? 1 : 0)));
  return layers.map(({ path, r2, fallback, M, c }, i) => ({
    path,
    r2,
    ...(fallback && { fallback }),
    M: rounded(M),
    c: rounded(c),
    ...(rises[i] && { rise: { ...riseOf(rises[i]), chance: chances[i] } }),
  }));
}
