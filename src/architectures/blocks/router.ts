import { DType } from '../../graph/dtype';
import { ROUTER_LOSS } from '../../graph/routed';
import type { Config } from '../folder/config';
import type { DecoderInputs } from './decoder';
import type { Choice, ExpertSize } from './experts';
import type { Network } from './network';
import { hasLanguageHead } from './text';

/** The largest of all shares (tokens, experts), for each token. */
export function largest(net: Network, module: string, x: string, { each }: ExpertSize): Choice {
  const [shares, experts] = net.ops(module, 'TopK', [x, net.g.ints([each])], { axis: -1 }, 2);
  return { shares, experts };
}

/** The shares, in proportion, with a sum of 1 for each token. */
export function summingToOne(net: Network, module: string, { shares, experts }: Choice): Choice {
  const sum = net.op(module, 'ReduceSum', [shares, net.g.ints([-1])], { keepdims: 1 });
  return { shares: net.op(module, 'Div', [shares, sum]), experts };
}

/**
 * The loss of routers that prefer some experts, over all tokens of all layers: the number of experts times the sum, over experts, of
 * the part of the tokens that chose one and the mean of its share before the choice (equations 4 to 6 of arXiv 2101.03961;
 * load_balancing_loss_func in transformers' modeling_mixtral.py).
 */
export class BalanceLoss {
  private readonly chosen: string[] = [];
  private readonly shares: string[] = [];

  /** @param real 1 for each token, 0 for padding: float (1, tokens) */
  private constructor(
    private readonly net: Network,
    private readonly size: ExpertSize,
    private readonly coefficient: number,
    private readonly real: string,
  ) {}

  /** Undefined if config.json does not ask for it, or the model is none that has a loss. */
  static of(net: Network, config: Config, size: ExpertSize, inputs: DecoderInputs): BalanceLoss | undefined {
    const coefficient = config.any('router_aux_loss_coef', 0.001);
    const isAsked = config.flag('output_router_logits', false);
    if (
      !isAsked ||
      net.cached ||
      !hasLanguageHead(net, config, { tied: config.flag('tie_word_embeddings', false) })
    )
      return undefined;
    return new BalanceLoss(net, size, coefficient, inputs.real);
  }

  /**
   * Counts the tokens of a layer.
   *
   * @param shares of all experts: (tokens, experts)
   * @param experts the chosen ones: int64 (tokens, each)
   */
  add(module: string, shares: string, experts: string): void {
    const { net, size, real } = this;
    const { g } = net;
    const token = net.op(module, 'Reshape', [real, g.ints([-1, 1])]);
    const each = net.op(module, 'Expand', [token, g.ints([1, size.each])]);
    const flat = (x: string) => net.op(module, 'Reshape', [x, g.ints([-1])]);
    const none = g.constant(DType.float, [size.experts], new Array<number>(size.experts).fill(0));
    const counts = net.op(module, 'ScatterElements', [none, flat(experts), flat(each)], {
      axis: 0,
      reduction: 'add',
    });
    this.chosen.push(counts);
    this.shares.push(net.op(module, 'MatMul', [real, shares]));
  }

  /** Names the loss as the output aux_loss, a scalar. */
  end(): void {
    const { net, size, real, coefficient } = this;
    const sum = (all: readonly string[]) => all.reduce((a, b) => net.op('', 'Add', [a, b]));
    const tokens = net.op('', 'ReduceSum', [real], { keepdims: 0 });
    const all = net.op('', 'Mul', [tokens, net.float(this.chosen.length)]);
    const mean = (x: string) => net.op('', 'Div', [x, all]);
    const products = net.op('', 'Mul', [mean(sum(this.chosen)), mean(sum(this.shares))]);
    const loss = net.op('', 'ReduceSum', [products], { keepdims: 0 });
    net.output('aux_loss', net.op('', 'Mul', [loss, net.float(size.experts)]), []);
    net.metadata.set(ROUTER_LOSS, JSON.stringify({ output: 'aux_loss', coefficient }));
  }
}
