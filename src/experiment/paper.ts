import type { TrainingSpec } from './experiment';
import { metricInfo } from './metrics';

/** The AuroRA paper's data sets, training and reported values. The values are in `src/recipes`. */

export interface PaperDataSet {
  id: string;
  /** The name as spelled in the paper. */
  name: string;
  metric: 'accuracy' | 'matthews' | 'pearson';
}

/** The labels in a sentence. */
export const PAPER_METRIC_LABELS: Readonly<Record<PaperDataSet['metric'], string>> = {
  accuracy: metricInfo('accuracy').longLabel,
  matthews: metricInfo('matthews').longLabel,
  pearson: 'Pearson correlation',
};

/** The settings that the paper states, under the names used in an experiment. */
export type RecipeSettings = Partial<
  Pick<
    TrainingSpec,
    | 'epochs'
    | 'batchSize'
    | 'learningRate'
    | 'headLearningRate'
    | 'schedule'
    | 'warmupRatio'
    | 'warmupSteps'
    | 'weightDecay'
  >
> & { maxLength?: number; dropout?: number };

/** The paper's training of one of its models on one set of training data. */
export interface Recipe {
  /** "roberta-base/rte" */
  id: string;
  /** Id of a paper's model. */
  model: string;
  /** The training data. */
  name: string;
  /** The data sets that it is tested on, of the 22; several if one training run serves them all. */
  dataSets: readonly PaperDataSet[];
  settings: RecipeSettings;
  /** The choices that a reader must make to repeat it; they are common to all recipes of one model. */
  unsaid: readonly string[];
}

export type PaperMethod = 'full' | 'lora' | 'aurora';

/** Published results of one model; one value per method, in the order of `methods`. */
export interface PaperResults {
  methods: readonly {
    method: PaperMethod;
    /** The number as printed: "0.3M". */
    parameters: string;
    average: number;
  }[];
  rows: readonly { dataSet: PaperDataSet; values: readonly number[] }[];
  /** Differences between the printed value and the count. */
  notes: readonly string[];
}

/** A smaller table from the paper: an ablation, a comparison. */
export interface PaperVariants {
  title: string;
  columns: readonly string[];
  rows: readonly { name: string; values: readonly string[] }[];
}

/** Everything in the paper about one model, to be shown beside a budget. */
export interface PaperReport {
  source: string;
  /** The adapter settings of a recipe. */
  adapter: { rank: number; alpha: number; gridSize: number; splineOrder: number };
  recipes: readonly Recipe[];
  results?: PaperResults;
  variants: readonly PaperVariants[];
  notes: readonly string[];
}
