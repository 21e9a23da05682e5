import type { AdapterSpec } from '../../experiment/methods';
import { type ScoredTask, statedScoring, writtenScorings } from '../../experiment/scoring';
import { describeTask } from '../../experiment/tasks/registry';
import { type Baseline, isWorse } from '../../protocol/baseline';
import type { MeanScore, Scores } from '../../protocol/evaluations';
import type {
  Alarm,
  DeviceEvent,
  Evaluated,
  EvaluationMetrics,
  QuantizationCost,
} from '../../protocol/events';
import { type DeviceChoice, deviceFields } from '../device/choose';
import type { BestEvaluation } from '../loop/loop';
import type { Environment } from '../process/environment';
import type { Task } from '../task/task';

/** result.json: a run's result, written last. */
export interface RunResult {
  method: AdapterSpec['method'];
  /** `diverged`: training ended there, or reached its end with an exploded model; the run has not finished. */
  outcome: 'finished' | 'early-stopping' | 'diverged';
  steps: number;
  /** Training time over all segments of the run, evaluations included. */
  seconds: number;
  /** Examples seen in training. */
  examples: number;
  /** Steps whose gradients overflowed float16 and were discarded; mixed precision only. */
  skippedSteps?: number;
  /** For a diverged run: from before the divergence, if it had one. */
  best?: EvaluationMetrics & { step: number };
  /** Left out if the run diverged. */
  last?: EvaluationMetrics;
  /** The best adapter's score on data.test. */
  test?: Evaluated;
  /** The scores on each set of data.evaluations. */
  evaluations?: Record<string, Evaluated>;
  /** The unweighted mean over those sets. */
  evaluationsMean?: MeanScore;
  /** The cost of `model.quantize` on the validation data. */
  quantization?: QuantizationCost;
  /** The best answer that does not depend on the input. */
  baseline: Baseline;
  /** The run has finished, and its best evaluation is worse than that. */
  worseThanBaseline?: true;
  /** The alarms during training, in order. */
  alarms?: Alarm[];
  /** The methods that found the answers to questions with choices, or those in written texts. */
  scoring?: ScoredTask['scoring'];
  /** The form of the written texts. */
  answers?: ScoredTask['answers'];
  trained: { adapters: number; head: number; modules: number; model: number };
  /** Ranks in use after the last step, by module; only of a method that takes ranks away. */
  ranks?: Record<string, number>;
  /** Bytes, this process's peak. */
  peakMemory: number;
  /** The device used by the run's last segment, and why. */
  device: Omit<DeviceEvent, 'kind' | 'step'>;
  environment: Environment;
}

export type FinishedResult = RunResult & Required<Pick<RunResult, 'best' | 'last'>>;

export interface Totals {
  outcome: RunResult['outcome'];
  steps: number;
  seconds: number;
  examples: number;
  skippedSteps: number | undefined;
  best?: BestEvaluation;
  last?: EvaluationMetrics;
  scores?: Scores;
  quantization?: QuantizationCost;
  alarms?: Alarm[];
  ranks?: Record<string, number>;
}

export function makeResult(
  task: Task,
  totals: Totals,
  trained: { adapters: number; head: number },
  environment: Environment,
  device: DeviceChoice,
): RunResult {
  const { best, scores, ...rest } = totals;
  const baseline = task.kind.baseline(task.data);
  const isOver = totals.outcome !== 'diverged';
  return {
    method: task.spec.adapter.method,
    ...rest,
    ...(best && { best: { ...best.metrics, step: best.step } }),
    test: scores?.test,
    ...(scores?.sets.length && {
      evaluations: Object.fromEntries(scores.sets.map(({ name, score }) => [name, score])),
    }),
    evaluationsMean: scores?.mean,
    baseline,
    ...(isOver && best && isWorse(best.metrics, baseline) && { worseThanBaseline: true as const }),
    ...scoringOf(task),
    trained: { ...trained, modules: task.adapters.length, model: task.modelSize },
    peakMemory: process.resourceUsage().maxRSS * 1024,
    device: deviceFields(device),
    environment,
  };
}

const scoringOf = ({ spec: { task, model } }: Task): ScoredTask =>
  describeTask(task.type).answer === 'choice' || writtenScorings(task).length > 0
    ? statedScoring(task, model.maxLength)
    : {};
