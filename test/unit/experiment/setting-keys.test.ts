import { describe, expect, it } from 'vitest';
import type { ClaimSearch, ClaimSpec } from '../../../src/experiment/claim';
import type { ClusterSettings, KubernetesSettings, SlurmSettings } from '../../../src/experiment/cluster';
import type { EvaluationSpec } from '../../../src/experiment/evaluation-sets';
import type {
  DataSpec,
  Experiment,
  ModelSpec,
  TaskSpec,
  TrainingSpec,
} from '../../../src/experiment/experiment';
import type {
  AuroraSpec,
  BitfitSpec,
  C3aSpec,
  DeloraSpec,
  DoraSpec,
  FourierftSpec,
  FrodSpec,
  FullSpec,
  GraloraSpec,
  LilySpec,
  RandloraSpec,
  ShiraSpec,
  TokensSpec,
  HiraSpec,
  LohaSpec,
  LokrSpec,
  LoraSpec,
  MosloraSpec,
  NoAdapterSpec,
  PeanutSpec,
  SineloraSpec,
  StartSpec,
  VeraSpec,
} from '../../../src/experiment/methods';
import type { PicturesSpec } from '../../../src/experiment/pictures';
import schema from '../../../src/experiment/experiment.schema.json';
import type { Pruning, SweepRange, SweepSpec } from '../../../src/experiment/sweep';

/** Every key of a type: the compiler rejects missing or additional ones. */
/** All but those that a type rules out. */
type Keys<T> = { [K in keyof T as T[K] extends undefined ? never : K]-?: true };

const tokenTargets = {
  targetModules: true,
  excludeModules: true,
  layersToTransform: true,
  layersPattern: true,
} as const;
const targets = { ...tokenTargets, modulesToSave: true } as const;
const ranked = { ...targets, rank: true, rankPattern: true, dropout: true, initialization: true } as const;
const scaled = {
  ...ranked,
  alpha: true,
  alphaPattern: true,
  useRslora: true,
  trainableTokenIndices: true,
} as const;
const experiment: Keys<Experiment> = {
  name: true,
  model: true,
  task: true,
  data: true,
  adapter: true,
  training: true,
};
const model: Keys<ModelSpec> = {
  path: true,
  tokenizer: true,
  preprocessor: true,
  maxLength: true,
  output: true,
  quantize: true,
};
const task: Keys<TaskSpec> = {
  type: true,
  head: true,
  headWeights: true,
  pooling: true,
  lossOn: true,
  scoring: true,
  answers: true,
  chatTemplate: true,
  labelSmoothing: true,
  classWeights: true,
  instancePrompt: true,
  classPrompt: true,
  priorWeight: true,
  noiseOffset: true,
  snrGamma: true,
  trainTextEncoder: true,
  resolution: true,
  centerCrop: true,
};
const data: Keys<DataSpec> = {
  train: true,
  validation: true,
  validationFraction: true,
  test: true,
  evaluations: true,
  textColumn: true,
  textPairColumn: true,
  imageColumn: true,
  classImages: true,
  augmentation: true,
  labelColumn: true,
  labelColumns: true,
  labelSeparator: true,
  completionColumn: true,
  choicesColumn: true,
  choiceColumns: true,
  messagesColumn: true,
  promptTemplate: true,
  header: true,
  quoting: true,
  onBadRow: true,
};
const evaluation: Keys<EvaluationSpec> = {
  path: true,
  textColumn: true,
  textPairColumn: true,
  imageColumn: true,
  labelColumn: true,
  labelColumns: true,
  labelSeparator: true,
  completionColumn: true,
  choicesColumn: true,
  choiceColumns: true,
  messagesColumn: true,
  header: true,
  quoting: true,
};
const aurora: Keys<AuroraSpec> = {
  ...ranked,
  method: true,
  alpha: true,
  alphaPattern: true,
  gridSize: true,
  splineOrder: true,
  spline: true,
  gridRange: true,
  activation: true,
  fixed: true,
  learnable: true,
};
const started: Keys<StartSpec> = {
  evaRho: true,
  evaTau: true,
  evaWhiten: true,
  cordaMethod: true,
  cordaSamples: true,
};
const tokens: Keys<TokensSpec> = { ...tokenTargets, method: true, tokenIndices: true };
const lora: Keys<LoraSpec> = { ...scaled, ...started, method: true, loraBias: true };
const moslora: Keys<MosloraSpec> = { ...scaled, method: true };
const dora: Keys<DoraSpec> = { ...scaled, ...started, method: true };
const sinelora: Keys<SineloraSpec> = { ...ranked, method: true, frequency: true, gamma: true };
const vera: Keys<VeraSpec> = {
  ...targets,
  method: true,
  rank: true,
  dInitial: true,
  projectionSeed: true,
  dropout: true,
};
const fourierft: Keys<FourierftSpec> = {
  ...targets,
  method: true,
  frequencies: true,
  scaling: true,
  locationSeed: true,
  dropout: true,
};
const peanut: Keys<PeanutSpec> = {
  ...targets,
  method: true,
  rank: true,
  depth: true,
  actFn: true,
  scaling: true,
};
const hira: Keys<HiraSpec> = { ...ranked, method: true };
const layerScaled = { ...targets, rank: true, rankPattern: true, alpha: true, alphaPattern: true } as const;
const loha: Keys<LohaSpec> = { ...layerScaled, method: true };
const lokr: Keys<LokrSpec> = { ...layerScaled, method: true, decomposeBoth: true, decomposeFactor: true };
const delora: Keys<DeloraSpec> = {
  ...targets,
  method: true,
  rank: true,
  rankPattern: true,
  lambda: true,
  dropout: true,
};
const oneAlpha = { ...targets, rank: true, alpha: true, dropout: true } as const;
const randlora: Keys<RandloraSpec> = {
  ...oneAlpha,
  method: true,
  sparse: true,
  verySparse: true,
  projectionSeed: true,
};
const gralora: Keys<GraloraSpec> = { ...oneAlpha, method: true, graloraK: true, hybridR: true };
const c3a: Keys<C3aSpec> = {
  ...targets,
  method: true,
  blockSize: true,
  initWeights: true,
  inputGradient: true,
};
const shira: Keys<ShiraSpec> = { ...targets, method: true, rank: true, randomSeed: true };
const frod: Keys<FrodSpec> = {
  ...targets,
  method: true,
  sparseRate: true,
  regularizationAlpha: true,
  projectionSeed: true,
  dropout: true,
};
const lily: Keys<LilySpec> = {
  ...targets,
  method: true,
  rank: true,
  scaling: true,
  strideA: true,
  numB: true,
};
const bitfit: Keys<BitfitSpec> = { ...targets, method: true };
const full: Keys<FullSpec> = { ...targets, method: true, trainBias: true };
const none: Keys<NoAdapterSpec> = { method: true };
const training: Keys<TrainingSpec> = {
  epochs: true,
  maxSteps: true,
  batchSize: true,
  gradientAccumulation: true,
  microBatchSize: true,
  precision: true,
  gradientCheckpointing: true,
  staticEpochs: true,
  learningRate: true,
  loraPlusRatio: true,
  headLearningRate: true,
  schedule: true,
  warmupRatio: true,
  warmupSteps: true,
  weightDecay: true,
  headWeightDecay: true,
  decayBiases: true,
  betas: true,
  epsilon: true,
  maxGradientNorm: true,
  seed: true,
  groupByLength: true,
  packing: true,
  evaluateEvery: true,
  checkpointEvery: true,
  activationsEvery: true,
  samples: true,
  pictures: true,
  metric: true,
  earlyStopping: true,
};
const pictures: Keys<PicturesSpec> = {
  prompts: true,
  negativePrompt: true,
  every: true,
  steps: true,
  guidance: true,
  sampler: true,
  seed: true,
};
const sweep: Keys<SweepSpec> = {
  type: true,
  parameters: true,
  trials: true,
  count: true,
  seed: true,
  metric: true,
  parallel: true,
  pruning: true,
  learningRateSearch: true,
};
const claim: Keys<ClaimSpec> = {
  relation: true,
  first: true,
  than: true,
  of: true,
  metric: true,
  by: true,
  on: true,
  search: true,
  looks: true,
  seed: true,
};
const claimSearch: Keys<ClaimSearch> = { parameters: true, seeds: true, extend: true };
const cluster: Keys<ClusterSettings> = { slurm: true, kubernetes: true };
const slurm: Keys<SlurmSettings> = {
  host: true,
  folder: true,
  partition: true,
  account: true,
  qos: true,
  reservation: true,
  constraint: true,
  time: true,
  memory: true,
  cpus: true,
  gres: true,
  parallel: true,
  signalBefore: true,
  modules: true,
  prologue: true,
  node: true,
  options: true,
};
const kubernetes: Keys<KubernetesSettings> = {
  context: true,
  namespace: true,
  image: true,
  claim: true,
  mount: true,
  folder: true,
  cpus: true,
  memory: true,
  gpus: true,
  gpuResource: true,
  parallel: true,
  retries: true,
  serviceAccount: true,
  imagePullSecrets: true,
  nodeSelector: true,
  tolerations: true,
};
const range: Keys<SweepRange> = { min: true, max: true, scale: true, integer: true };
const pruning: Keys<Pruning> = { eta: true, minEpochs: true, minSteps: true };
const earlyStopping: Keys<NonNullable<TrainingSpec['earlyStopping']>> = { patience: true, minDelta: true };

describe('the schema and the types', () => {
  const { properties: p, definitions: d } = schema;
  it.each([
    ['experiment', p, { ...experiment, $schema: true, sweep: true, claim: true, cluster: true }],
    ['model', p.model.properties, model],
    ['task', p.task.properties, task],
    ['data', p.data.properties, data],
    ['evaluation set', p.data.properties.evaluations.additionalProperties.properties, evaluation],
    ['aurora', d.aurora.properties, aurora],
    ['lora', d.lora.properties, lora],
    ['moslora', d.moslora.properties, moslora],
    ['dora', d.dora.properties, dora],
    ['sinelora', d.sinelora.properties, sinelora],
    ['vera', d.vera.properties, vera],
    ['fourierft', d.fourierft.properties, fourierft],
    ['peanut', d.peanut.properties, peanut],
    ['hira', d.hira.properties, hira],
    ['loha', d.loha.properties, loha],
    ['lokr', d.lokr.properties, lokr],
    ['delora', d.delora.properties, delora],
    ['randlora', d.randlora.properties, randlora],
    ['gralora', d.gralora.properties, gralora],
    ['c3a', d.c3a.properties, c3a],
    ['shira', d.shira.properties, shira],
    ['lily', d.lily.properties, lily],
    ['frod', d.frod.properties, frod],
    ['trainable-tokens', d['trainable-tokens'].properties, tokens],
    ['bitfit', d.bitfit.properties, bitfit],
    ['full', d.full.properties, full],
    ['none', d.none.properties, none],
    ['training', p.training.properties, training],
    ['pictures', p.training.properties.pictures.properties, pictures],
    ['early stopping', p.training.properties.earlyStopping.properties, earlyStopping],
    ['sweep', p.sweep.properties, sweep],
    ['range', d.sweepRange.properties, range],
    ['pruning', p.sweep.properties.pruning.properties, pruning],
    ['claim', p.claim.properties, claim],
    ['search of a claim', p.claim.properties.search.properties, claimSearch],
    ['cluster', p.cluster.properties, cluster],
    ['slurm', p.cluster.properties.slurm.properties, slurm],
    ['kubernetes', p.cluster.properties.kubernetes.properties, kubernetes],
  ])('agree on the keys: %s', (_, properties, keys) => {
    expect(Object.keys(properties).sort()).toEqual(Object.keys(keys).sort());
  });

  it('describe every key and close every object', () => {
    let keys = 0;
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties, additionalProperties } = node as Record<string, Record<string, object>>;
      // The method's definition closes the adapter; a side of a claim has any setting; an "if" only tests.
      if (properties && !/adapter$|claimSide$|\/if$/.test(path))
        expect(additionalProperties, path).toBe(false);
      for (const [key, property] of Object.entries(properties ?? {})) {
        if (path.endsWith('/if') || (path.includes('/definitions/') && key === 'method')) continue;
        const target =
          '$ref' in property ? d[String(property.$ref).split('/').at(-1) as 'dropout'] : property;
        expect(target, `${path}/${key}`).toHaveProperty('description');
        keys++;
      }
      for (const [key, child] of Object.entries(node)) visit(child, `${path}/${key}`);
    };
    visit(schema, '');
    expect(keys).toBeGreaterThan(50);
  });
});
