import type { AttributeLike } from '../../graph/attributes';
import { CONSTANTS, GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { Graph } from '../../graph/model';
import type { Weights } from '../folder/weights';
import { dequantized } from './few-bits';

/** The lowest float32: the value of masked scores. Finite, so that a row without any key does not become NaN. */
export const LOWEST = -3.4028234663852886e38;

/** In a model's metadata: the number of tokens of a text that it has positions for, if that is limited. */
export const POSITIONS = 'aurora.positions';

/**
 * In a model's metadata: the number of tokens, padding included, up to which positions count alike, if longer texts
 * have another scaling.
 */
export const SCALED_AFTER = 'aurora.scaled-after';

/** In a model's metadata: usual sizes of axes that are open, by name, as JSON. */
export const USUAL_SIZES = 'aurora.usual-sizes';

/** In a model's metadata: the prefix of the base model's names in transformers' task models. */
export const TASK_PREFIX = 'aurora.prefix';

/**
 * Writes a model's graph. Nodes are named after their module, as torch.onnx does: module `encoder.layer.0.output` and
 * Add make `/encoder/layer.0/output/Add`, later ones `…/Add_1`.
 */
export class Network {
  readonly graph: Graph = { name: 'model', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  readonly g = new GraphBuilder(this.graph, CONSTANTS);
  /** The metadata of the model. */
  readonly metadata = new Map<string, string>();
  private readonly counts = new Map<string, number>();
  private readonly widened = new Map<string, string>();

  /** @param cached true if a decoder has a key/value cache among its inputs and outputs */
  constructor(
    readonly weights: Weights,
    readonly cached = false,
  ) {}

  /** Emits a node; returns its output. */
  op(
    module: string,
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeLike> = {},
    domain = '',
  ): string {
    return this.ops(module, opType, inputs, attributes, 1, domain)[0];
  }

  /** Emits a node with several outputs. */
  ops(
    module: string,
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeLike>,
    outputs: number,
    domain = '',
  ): string[] {
    // A layer's number belongs to its name: layer.0 is one component of the path.
    const scope = module === '' ? '' : `/${module.replace(/\.(?!\d)/g, '/')}`;
    const base = `${scope}/${opType}`;
    const count = this.counts.get(base) ?? 0;
    this.counts.set(base, count + 1);
    const name = count ? `${base}_${count}` : base;
    const names = Array.from({ length: outputs }, (_, i) => `${name}_output_${i}`);
    return this.g.ops(opType, inputs, attributes, { name, outputs: names, domain });
  }

  /** A weight as a constant of the graph, under its name in the base model, or the values of one of few bits. */
  weight(name: string, dims: number[], fromTop = false): string {
    const known = this.widened.get(name);
    if (known !== undefined) return known;
    const packed = this.weights.packed(name, dims, fromTop);
    if (!packed) return this.g.addInitializer(this.weights.get(name, dims, fromTop));
    const values = dequantized(this, packed, dims);
    this.widened.set(name, values);
    return values;
  }

  float(value: number): string {
    return this.g.scalar(value, DType.float);
  }

  /** Names a tensor as an output of the model. */
  output(name: string, tensor: string, shape: (number | string)[]): void {
    this.g.op('Identity', [tensor], {}, { name, outputs: [name] });
    this.graph.outputs.push({ name, dtype: DType.float, shape });
  }
}
