import { ROUTED, ROUTER } from '../../graph/routed';
import type { Activation } from './activation';
import { type Choice, type ExpertSize, Routing } from './experts';
import { linear } from './layers';
import type { Network } from './network';
import { type BalanceLoss, largest, summingToOne } from './router';

/** The names of a layer's router and experts. */
export interface ExpertNames {
  /** The module of both, below the layer: mlp. */
  module: string;
  /** The linear layers of an expert. */
  gate: string;
  up: string;
  down: string;
}

export interface GatedExperts {
  size: ExpertSize;
  names: ExpertNames;
  act: Activation;
  /** True if the shares of a token's experts are made to sum to 1. */
  normalized: boolean;
  balance?: BalanceLoss;
}

/** Where transformers 5 has router and experts in its own modules. */
const STACKED = 'mlp';

/**
 * Experts that are Llama's feed-forward parts, down(act(gate(x)) · up(x)), by the shares of a softmax over all experts, on x (tokens,
 * hidden). A step multiplies only the rows that an expert gets.
 *
 * Published folders have a weight for each linear layer of each expert, and modules have their paths. A model in the memory of
 * transformers 5 has one tensor for all experts' gates and ups, (experts, 2 · inner, hidden), and one for their downs.
 *
 * @param at path of the layer
 */
export function gatedExperts(net: Network, at: string, x: string, part: GatedExperts): string {
  const { size, names, act, normalized, balance } = part;
  const { hidden, inner, experts } = size;
  const module = `${at}.${names.module}`;
  const expert = (e: number) => `${module}.experts.${e}`;
  divideStacked(net, at, part);
  const from = net.graph.nodes.length;

  const logits = linear(net, `${module}.gate`, x, { from: hidden, to: experts, bias: false, router: true });
  const shares = net.op(module, 'Softmax', [logits], { axis: -1 });
  const chosen = largest(net, module, shares, size);
  balance?.add(module, shares, chosen.experts);
  const choice: Choice = normalized ? summingToOne(net, module, chosen) : chosen;

  const routing = new Routing(net, module, choice, size);
  const product = (name: string, parts: readonly string[], sizes: { from: number; to: number }) =>
    routing.together(parts, (own, e) => linear(net, `${expert(e)}.${name}`, own, { ...sizes, bias: false }));
  const rows = routing.parts(routing.dealt(x));
  const wider = { from: hidden, to: inner };
  const gate = act(net, `${module}.act_fn`, product(names.gate, rows, wider));
  const wide = net.op(module, 'Mul', [gate, product(names.up, rows, wider)]);
  const y = routing.mixed(product(names.down, routing.parts(wide), { from: inner, to: hidden }));
  markRouted(net, from, size);
  return y;
}

/** The operators of linear layers, also of those in few bits. */
const PRODUCTS = new Set(['Gemm', 'MatMulNBits', 'MatMulBnb4']);

/** Marks the products of a layer's router and experts: those among the nodes from this one on, the router's first. */
export function markRouted(net: Network, from: number, { each, experts }: ExpertSize): void {
  const [router, ...others] = net.graph.nodes.slice(from).filter((n) => PRODUCTS.has(n.opType));
  router.metadata.set(ROUTED, ROUTER);
  for (const node of others) node.metadata.set(ROUTED, `${each}/${experts}`);
}

/** Finds the weights of a folder that has them stacked under the names of published ones. */
function divideStacked({ weights }: Network, at: string, { size, names }: GatedExperts): void {
  const { hidden, inner, experts } = size;
  const module = `${at}.${names.module}`;
  const stacked = `${at}.${STACKED}`;
  const [both, downs] = ['gate_up_proj', 'down_proj'].map((name) => `${stacked}.experts.${name}`);
  if (!weights.has(both)) return;
  const router = { name: `${stacked}.gate.weight`, dims: [experts, hidden] };
  if (stacked !== module) weights.divide(`${module}.gate.weight`, router.dims, router, 0);
  const matrix = inner * hidden;
  for (let e = 0; e < experts; e++) {
    const part = (name: string, dims: number[], whole: { name: string; dims: number[] }, nth: number) =>
      weights.divide(`${module}.experts.${e}.${name}.weight`, dims, whole, nth * matrix);
    const wide = { name: both, dims: [experts, 2 * inner, hidden] };
    part(names.gate, [inner, hidden], wide, 2 * e);
    part(names.up, [inner, hidden], wide, 2 * e + 1);
    part(names.down, [hidden, inner], { name: downs, dims: [experts, hidden, inner] }, e);
  }
}
