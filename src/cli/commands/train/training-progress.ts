import { durationText, epochText, progressPercent, rateText, shortNumber } from '../../../base/number-text';
import type { EvaluationSet } from '../../../experiment/evaluation-sets';
import { formatMetric, metricInfo, metricValue } from '../../../experiment/metrics';
import { shownMetrics } from '../../../experiment/shown-metrics';
import type { DivergedEvaluation, Evaluated, EvaluationMetrics } from '../../../protocol/events';
import type { Drawn } from '../../../training/diffusion/picture-recorder';
import type { StepRecord } from '../../../training/loop/loop';
import { bar, clearLine, LOG_MS, redraw, REDRAW_MS } from '../../bar';
import { isScreen } from '../../output';

/** Weight of the newest step in the shown loss and speed; about the last twenty steps count. */
const SMOOTHING = 0.1;

/** "the test set", or its name in data.evaluations. */
export const setWords = ({ name }: Pick<EvaluationSet, 'name'>): string => name ?? 'the test set';

const numbersText = (m: EvaluationMetrics): string =>
  shownMetrics(undefined, m)
    .map((name) => `${metricInfo(name).label} ${formatMetric(name, metricValue(m, name))}`)
    .join(' · ');

type ShownStep = Pick<StepRecord, 'step' | 'loss' | 'learningRate' | 'examples' | 'seconds'>;

/** A line of training progress: redrawn in place in a terminal, repeated from time to time in a log. */
export class Progress {
  private loss: number | undefined;
  private secondsPerStep: number | undefined;
  private drawn = -Infinity;
  private onScreen = false;

  constructor(
    private readonly total: number,
    private readonly out: NodeJS.WriteStream = process.stderr,
  ) {}

  step(r: ShownStep): void {
    const smooth = (old: number | undefined, now: number) =>
      old === undefined ? now : old + SMOOTHING * (now - old);
    this.loss = smooth(this.loss, r.loss);
    this.secondsPerStep = smooth(this.secondsPerStep, r.seconds);
    const now = performance.now();
    if (now - this.drawn < (isScreen(this.out) ? REDRAW_MS : LOG_MS) && r.step < this.total) return;
    this.drawn = now;
    this.draw(r);
  }

  evaluation(step: number, epoch: number, m: EvaluationMetrics, best: boolean): void {
    this.line(
      `step ${step} (epoch ${epochText(epoch)}): validation ${numbersText(m)}${best ? ' · best so far' : ''}`,
    );
  }

  drew(step: number, { base, adapted }: Drawn, seconds: number): void {
    const pictures = (n: number) => (n === 1 ? '1 picture' : `${n} pictures`);
    const parts = [
      ...(adapted > 0 ? [pictures(adapted)] : []),
      ...(base > 0 ? [`${pictures(base)} without the adapter`] : []),
    ];
    this.line(`step ${step}: drew ${parts.join(' and ')} in ${durationText(seconds)}`);
  }

  scored(set: EvaluationSet, m: Evaluated): void {
    this.line(`${setWords(set)}: ${m === 'diverged' ? 'diverged: not finite' : numbersText(m)}`);
  }

  diverged({ step, epoch, metrics }: Pick<DivergedEvaluation, 'step' | 'epoch' | 'metrics'>): void {
    const found = metrics
      ? `loss ${formatMetric('loss', metrics.loss)}, far above that of random guessing`
      : 'not finite';
    this.line(`step ${step} (epoch ${epochText(epoch)}): validation diverged: ${found}`);
  }

  /** Prints a line above the bar. */
  line(text: string): void {
    this.clear();
    this.out.write(`${text}\n`);
  }

  clear(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }

  private draw(r: ShownStep): void {
    const share = r.step / this.total;
    const left = (this.total - r.step) * this.secondsPerStep!;
    const onScreen = isScreen(this.out);
    const parts = [
      ...(onScreen ? [bar(share)] : []),
      `step ${r.step}/${this.total}${onScreen ? '' : ` (${progressPercent(share, 1)})`}`,
      `loss ${formatMetric('loss', this.loss!)}`,
      `lr ${rateText(r.learningRate)}`,
      `${shortNumber(r.examples / this.secondsPerStep!)} samples/s`,
      `${durationText(left)} left`,
    ];
    const text = parts.join(' · ');
    if (!onScreen) {
      this.out.write(`${text}\n`);
      return;
    }
    redraw(this.out, text);
    this.onScreen = true;
  }
}
