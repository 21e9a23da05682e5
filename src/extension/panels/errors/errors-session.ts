import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import type { MeasuredOn } from '../../../experiment/evaluation-sets';
import type { RunEvent } from '../../../protocol/events';
import type { ErrorsFromHost, ErrorsFromPage, PredictionsMessage } from '../../../protocol/panels/errors';
import { parsePredictions, type Predictions } from '../../../protocol/predictions';
import { rowIn } from '../../../protocol/row-place';
import { dataStamp, outdated, readPredictions } from '../../../runs/predictions';
import { errorText } from '../../words/error-text';

/** The facts about its run that the panel needs. */
export interface RunFacts {
  name: string;
  experiment: string;
  events: readonly RunEvent[];
  /** The sets that the experiment has. */
  sets: readonly MeasuredOn[];
}

/** The editor's side, so that the rest runs without VS Code. */
export interface ErrorsHost {
  run: string;
  step: number;
  on: MeasuredOn;
  post(message: ErrorsFromHost): void;
  /** Reads the run; rejects with an AuroraError if it cannot be read. */
  facts(): Promise<RunFacts>;
  /**
   * Predicts, and reports how far. Resolves when that has ended, also if it was canceled.
   *
   * @param again even if there are predictions
   */
  predict(again: boolean, told: (so: Predicting) => void): Promise<void>;
  /** Ends that. */
  cancel(): void;
  openRow(file: string, line: number): void;
  /** Opens the errors on another set. */
  openSet(on: MeasuredOn): void;
  copy(text: string): void;
  failed(error: unknown): void;
}

/** The progress of predicting the examples; before the first result, without numbers. */
export interface Predicting {
  done?: number;
  of?: number;
  /** The content of a file with the predictions so far. */
  predictions?: string;
}

type Post = ErrorsHost['post'];

/** Serves one page with a checkpoint's predictions. */
export class ErrorsSession {
  private predictions: Predictions | undefined;
  /** Counts requests, so that outdated answers are dropped. */
  private turn = 0;
  private disposed = false;
  private predicting = false;
  /** The state of the data when the shown predictions were last compared with them. */
  private stamp: string | undefined;
  /** The last messages while it predicts, for a page that is shown again. */
  private soFar: ErrorsFromHost[] = [];

  constructor(private readonly host: ErrorsHost) {}

  dispose(): void {
    this.disposed = true;
    // Nobody waits for the rest.
    if (this.predicting) this.host.cancel();
  }

  receive(message: ErrorsFromPage): void {
    if (message.type === 'copy') this.host.copy(message.text);
    else if (message.type === 'openSet') this.host.openSet(message.on);
    else if (message.type === 'predict') void this.predict(true);
    else if (message.type === 'cancel') this.host.cancel();
    else this.openRow(message.example);
  }

  /** Predicts, unless that is in progress, then sends everything. */
  private async predict(again: boolean): Promise<void> {
    if (this.predicting || this.disposed) return;
    this.predicting = true;
    this.soFar = [];
    // An earlier message must not arrive after later ones.
    this.turn++;
    let failure: unknown;
    try {
      const { name } = await this.host.facts();
      this.keep({ type: 'predicting', run: name });
      await this.host.predict(again, (so) => void this.tell(name, so));
    } catch (e) {
      failure = e;
    } finally {
      this.predicting = false;
    }
    this.refresh({ failure });
  }

  /** Sends a message, unless it has ended, and keeps the last of its type. */
  private keep(message: ErrorsFromHost): void {
    if (!this.predicting || this.disposed) return;
    this.soFar = [...this.soFar.filter((m) => m.type !== message.type), message];
    this.host.post(message);
  }

  private async tell(run: string, { done, of, predictions }: Predicting): Promise<void> {
    this.keep({ type: 'predicting', run, done, of });
    if (predictions === undefined || done === undefined || of === undefined) return;
    try {
      const parsed = parsePredictions('', predictions);
      const message = await this.message(parsed);
      if (!this.predicting) return;
      this.predictions = parsed;
      this.keep({ ...message, partial: { done, of } });
    } catch (e) {
      // A metric may have no value yet. The next result has more examples.
      if (!(e instanceof AuroraError)) this.host.failed(e);
    }
  }

  /**
   * Sends everything, then a notice if it is out of date. Examples that have not been predicted yet are predicted.
   *
   * @param tried set if it was tried just now, with the error
   */
  refresh(tried?: { failure: unknown }): void {
    if (this.predicting) return this.soFar.forEach((message) => this.host.post(message));
    const turn = ++this.turn;
    const post: Post = (message) => {
      if (turn === this.turn && !this.disposed) this.host.post(message);
    };
    this.send(post, tried).catch((e: unknown) => this.fail(post, e, false));
  }

  /** A file was saved, perhaps the data. */
  saved(file: string): void {
    const { data } = this.predictions ?? {};
    const named = data?.parts?.map((part) => join(dirname(data.file), part.file)) ?? [data?.file];
    if (named.includes(file)) this.refresh();
  }

  /** Checks whether any program has changed the data; call it from time to time while the page is shown. */
  async look(): Promise<void> {
    const { predictions, stamp } = this;
    if (predictions === undefined || stamp === undefined || this.predicting || this.disposed) return;
    const now = await dataStamp(predictions);
    // It may have been refreshed in between.
    if (now !== stamp && this.stamp === stamp && !this.predicting && !this.disposed) this.refresh();
  }

  private async send(post: Post, tried: { failure: unknown } | undefined): Promise<void> {
    const { events } = await this.host.facts();
    const predictions = await this.read(post);
    if (!predictions) return;
    if (predictions === 'none' && !tried) return void this.predict(false);
    const failure = tried?.failure;
    if (predictions === 'none' && failure === undefined)
      return post({ type: 'error', message: t('Nothing was predicted.'), again: true });
    if (predictions !== 'none') {
      this.predictions = predictions;
      post(await this.message(predictions));
    }
    if (predictions === 'none' || failure !== undefined) return this.fail(post, failure, true);
    const { step, on } = this.host;
    // Before the data are read, so that a later change is noticed.
    this.stamp = await dataStamp(predictions);
    const because = await outdated(predictions, step, events, on);
    if (because) post({ type: 'outdated', because });
  }

  private async message({ data, ...shown }: Predictions): Promise<PredictionsMessage> {
    const { name, experiment, sets } = await this.host.facts();
    const { parts, file } = data;
    return {
      type: 'predictions',
      run: name,
      experiment,
      file: basename(file),
      on: this.host.on,
      sets,
      predictions: shown,
      parts,
    };
  }

  /** Undefined, after a message, if they cannot be read. */
  private async read(post: Post): Promise<Predictions | 'none' | undefined> {
    const { run, step, on } = this.host;
    try {
      return (await readPredictions(run, step, on)) ?? 'none';
    } catch (e) {
      this.fail(post, e, true);
      return undefined;
    }
  }

  private fail(post: Post, e: unknown, again: boolean): void {
    this.host.failed(e);
    post({ type: 'error', message: errorText(e), again });
  }

  private openRow(example: number): void {
    const { data, columns } = this.predictions ?? {};
    const line = columns?.line[example];
    if (!data || line === undefined) return;
    const { file, row } = rowIn(data.file, line, data.parts);
    this.host.openRow(file, row);
  }
}
