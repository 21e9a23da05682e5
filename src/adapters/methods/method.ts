import type { Initialization, TrainedSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import type { IntegerType } from '../../graph/file/safetensors';

export interface LayerShape {
  /** Its module's path; omitted for a shape alone. */
  path?: string;
  inFeatures: number;
  outFeatures: number;
  /** True if it adds a bias; omitted if unknown. */
  hasBias?: boolean;
  /** True for an embedding of tokens, whose input is ids; `in` is then the vocabulary. */
  isEmbedding?: boolean;
}

/** A layer in messages: its path, if known, and its sizes. */
export const layerText = ({ path = 'a layer', inFeatures, outFeatures }: LayerShape): string =>
  `${path} (${outFeatures} × ${inFeatures})`;

/** A layer's values before training. */
export interface LayerValues {
  /** (out, in), row-major. */
  weight(): Float32Array;
  /** (out). */
  bias(): Float32Array;
}

/** A layer with an adapter's settings: rank and alpha are this layer's own. */
export interface OnLayer<S extends TrainedSpec = TrainedSpec> {
  layer: LayerShape;
  spec: S;
  /** The largest sizes among all adapted layers, for matrices that they share. */
  widest: LayerShape;
}

/** A tensor of an adapter that is stored with it. */
export interface AdapterTensor {
  /** Short name: A, B, H, W. */
  name: string;
  dims: number[];
  /** Stored and read with the others, but not trained: values that nothing else could restore. */
  frozen?: true;
  /** The axes that are the adapter's rank. */
  rankAxes: number[];
  /** Its key after the module's path in PEFT's file layout. */
  peftName: string;
  /**
   * Its key after `base_model.` in PEFT's file, by the module's path, where modules that share it have it once: `beside` its
   * key in each module, or `only` there.
   */
  outside?: { key: (path: string) => string; where: 'beside' | 'only' };
  /**
   * A frozen tensor that PEFT's file does not have: `init` gives it again from the tensors before it in the list and the
   * layer, without random numbers.
   */
  follows?: true;
  /** The type that PEFT's file has it in, for whole numbers. */
  integers?: IntegerType;
  /** Initial values; `draw` is this tensor's own stream of random numbers. */
  init: (draw: Draw, size: number, base: LayerValues, among: Among) => Float32Array;
}

/** The surroundings of a tensor when it gets its initial values. */
export interface Among {
  /** The layer's tensors before it in the list. */
  values: Values;
  /** The layers that share it, in order, or the one that has it. */
  sharing: readonly LayerValues[];
}

/** A tensor that an adapter uses but neither trains nor stores: it follows from the settings and the layer. */
export interface FrozenTensor {
  name: string;
  dims: number[];
  /** If layers share it: a name for its contents. */
  shared?: string;
  values: (base: LayerValues) => Float32Array;
}

/**
 * The two forms of an adapter: `dynamic` applies the nonlinearity after A x, as AuroRA is trained; `static` applies it
 * to A itself, so that the whole is one low-rank product that can be merged into the weight. For a method without a
 * nonlinearity the two are the same.
 */
export type AdapterForm = 'dynamic' | 'static';

/** Random numbers keyed by position, so that a tensor's values do not depend on earlier draws. */
export interface Draw {
  /** In [0, 1). */
  uniform(i: number): number;
  /** Standard normal. */
  normal(i: number): number;
}

/** A call of a layer, as an adapter sees it. */
export interface LayerCall {
  /** The layer's input, (…, in), after dropout. */
  x: string;
  /** Emits the layer's output, without its bias, for another input (…, in), or for `x`. */
  product: (input?: string) => string;
  /** Emits the frozen weight (out, in) as it multiplies, including Gemm's alpha. Costs the memory of the weight. */
  weight: () => string;
  /** Emits W · Aᵀ (out, r) for A (r, in) and its transpose; W is the frozen weight without Gemm's alpha. */
  weightTimes: (A: string, At: string) => string;
  /** Gemm's: the layer multiplies by alpha · W. */
  alpha: number;
}

export interface Fragment {
  /** In the shape of the layer's output, or broadcastable to it. */
  delta: string;
  /** The input of the nonlinearity, (…, rank), or the input that it would have; for the activation snapshots. */
  z?: string;
  /** Tensors that the method treats as constants: no gradient passes through them. */
  stop?: string[];
}

/** Trained values by their short names. */
export type Values = Record<string, Float32Array>;

/** Changes to a layer's values. */
export interface LayerChange {
  /** (out, in), row-major. */
  weight?: Float32Array | Float64Array;
  /** (out). */
  bias?: Float32Array | Float64Array;
}

/** An adapter, with the names of its tensors by their short names. */
export interface NamedAdapter<S extends TrainedSpec = TrainedSpec> {
  on: OnLayer<S>;
  names: Record<string, string>;
}

/**
 * AdamW as PyTorch has it, or as transformers had it: there epsilon is added before the correction of the second moment's
 * bias, and the decay follows the update.
 */
export type AdamWForm = 'pytorch' | 'transformers';

/** The ranks of all adapters together that are in use, after a change of their number. */
export interface RanksKept {
  kept: number;
  of: number;
}

/** A method's work beside the optimizer during a training. It changes values in place. */
export interface Course {
  /** By default PyTorch's. */
  adamw?: AdamWForm;
  /** Before the first step of a process, also of a resumed one: brings values into the range that the method allows. */
  begin?(parameters: ReadonlyMap<string, Float32Array>): void;
  /** Before the optimizer's step: changes the clipped gradients into those that it reads. */
  project?(parameters: ReadonlyMap<string, Float32Array>, gradients: ReadonlyMap<string, Float32Array>): void;
  /**
   * After the optimizer's step.
   *
   * @param step counts from 1
   * @param gradients as the optimizer read them
   * @returns the ranks in use if their number has changed
   */
  stepped?(
    step: number,
    parameters: ReadonlyMap<string, Float32Array>,
    gradients: ReadonlyMap<string, Float32Array>,
  ): RanksKept | undefined;
  /** Everything that it remembers from step to step, if anything; `load` continues from it bit for bit. */
  state?(): ReadonlyMap<string, Float32Array>;
  load?(state: ReadonlyMap<string, Float32Array>): void;
}

/** Floating-point operations, with a multiply-add as two. */
export interface Flops {
  /** Per token and call. */
  forward: number;
  backward: number;
  /** Once per step, regardless of the batch. */
  step?: number;
}

/**
 * An adapter method: its trained tensors, the nodes that compute its change of a layer's output, the corresponding
 * change of the layer's weights, and its cost.
 */
export interface AdapterMethod<S extends TrainedSpec = TrainedSpec> {
  tensors(on: OnLayer<S>): AdapterTensor[];
  frozen?(on: OnLayer<S>): FrozenTensor[];
  /**
   * Tensors that several layers have in common, by short name: layers that give a tensor the same key share it. It is
   * counted, trained and kept once, under the first of them.
   *
   * @param nth the layer's position among those with the same last name and shape, from 0
   */
  shared?(on: OnLayer<S>, nth: number): Record<string, string>;
  /**
   * @param p tensor names by short name, including frozen ones; `scale`, if present, is a 0-dimensional tensor
   *   instead of the constant
   */
  delta?(
    g: GraphBuilder,
    call: LayerCall,
    p: Record<string, string>,
    on: OnLayer<S>,
    dtype: number,
    form: AdapterForm,
  ): Fragment | undefined;
  /** Emits a scalar that is added to the mean loss of each training step, from all adapters of the run. */
  penalty?(g: GraphBuilder, all: readonly NamedAdapter<S>[], dtype: number): string | undefined;
  /** @param steps of the whole training */
  course?(all: readonly NamedAdapter<S>[], steps: number): Course | undefined;
  /** True if `delta` returns z. */
  showsZ?: true;
  /** The trained tensor (out, in) that replaces the weight; a `delta` is added to the layer's output then. */
  weight?: string;
  /** The change that the static form makes. */
  change(values: Values, on: OnLayer<S>, base: LayerValues): LayerChange;
  /** True if `change` has a bias; false if omitted. */
  changesBias?(spec: S, layer: LayerShape): boolean;
  /** If the static form's weight is scale · B·A: B (out, k) and A (k, in). */
  lowRank?(values: Values, on: OnLayer<S>, base: LayerValues): { A: Float32Array; B: Float32Array };
  /** Only if a number scales the whole. */
  scale?(spec: S): number;
  /** Values that leave the layer unchanged. */
  neutral(values: Values, on: OnLayer<S>, base: LayerValues): Values;
  /**
   * The largest size on these layers, Infinity if unlimited; by default the largest rank that all allow, the smaller of
   * their two sizes.
   */
  sizeLimit?(layers: readonly LayerShape[]): number;
  /** The sizes that all these layers allow, if not every number up to the limit. */
  sizes?(layers: readonly LayerShape[], spec: S): readonly number[];
  /** The settings with which some size has at least this number of parameters on these layers, if those given have none. */
  reaching?(spec: S, layers: readonly LayerShape[], parameters: number): S;
  /** Settings, besides its size and scale, that a reference file must state. */
  stated?: readonly (keyof S & string)[];
  flops(on: OnLayer<S>): Flops;
  /** For display: how one layer's parameter count is computed. */
  formula(spec: S): string;
  peft: PeftConfig<S>;
}

/** Kaiming-uniform with a = √5, as nn.Linear: U(±1/√fan_in). */
export const kaimingUniform = (fanIn: number): AdapterTensor['init'] => uniform(1 / Math.sqrt(fanIn));

export const uniform =
  (bound: number): AdapterTensor['init'] =>
  (draw, size) =>
    Float32Array.from({ length: size }, (_, i) => (2 * draw.uniform(i) - 1) * bound);

export const normal =
  (std: number): AdapterTensor['init'] =>
  (draw, size) =>
    Float32Array.from({ length: size }, (_, i) => draw.normal(i) * std);

export const constant =
  (value: number): AdapterTensor['init'] =>
  (_, size) =>
    new Float32Array(size).fill(value);

export const zeros: AdapterTensor['init'] = constant(0);

/** Reads values of an adapter_config.json; each throws AuroraError `adapter` for a value of the wrong type. */
export interface ConfigReader {
  number(key: string, otherwise?: number): number;
  flag(key: string, otherwise: boolean): boolean;
  /** The raw value, if any; the experiment's schema decides if it is valid. */
  value(key: string): unknown;
}

/** A method's own part of adapter_config.json. */
interface PeftConfig<S extends TrainedSpec> {
  /** PEFT's own type if PEFT can read it unchanged, else one that PEFT rejects. */
  type: string;
  /** If PEFT loads our files: since which release, and if it refuses layers of (in, out), which are its Conv1D. */
  loads?: { since: string; linearOnly?: true };
  /** Keys that all configurations have, but not PEFT's of this type. */
  lacks?: readonly ('bias' | 'modules_to_save' | 'r' | 'rank_pattern' | 'alpha_pattern')[];
  /** Key that is true for this method, and not for others of the same type. */
  flag?: string;
  /** True if aurora_peft_loader.py reads it. */
  loader?: true;
  /** Key of alpha, if any, as patterns and an import need it. */
  alphaKey?: string;
  /** The ends of keys in the file that the default settings do not have; * stands for a number. */
  parts?: readonly string[];
  /** @param steps of the whole training, as far as known */
  write(spec: S, form: AdapterForm, steps?: number): Record<string, unknown>;
  /** Everything except the target modules. */
  read(config: ConfigReader): Omit<S, 'targetModules'>;
  /** If ranks can be switched off: PEFT's file holds only the others, and `rank_pattern` says which they are. */
  ranks?: {
    /** The key of `rank_pattern` after the module's path. */
    key: string;
    /** True for each rank in use. */
    used(values: Values): boolean[];
  };
}

/** Initial values of A, in PEFT's terms; "eva" chose values that are in the file, on the original weights. */
export const initializationOf = (value: unknown): Initialization =>
  value === 'gaussian' || value === 'pissa' || value === 'olora' ? value : 'kaiming-uniform';
