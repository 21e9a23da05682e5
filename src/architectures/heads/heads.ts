import { HEAD_LABELS, HEAD_LAYER, OF_HEAD, type HeadLayer } from '../../graph/task-head';
import { linear } from '../blocks/layers';
import type { Network } from '../blocks/network';
import type { Config } from '../folder/config';
import { firstToken, headLinear, type Hidden } from './hidden';
import { onImages, onTexts, onTokens, type LabelHead } from './labels';
import { maskedHead } from './masked';

const TOKENS = ['batch', 'sequence'];

/** By the end of the class that config.json names. */
const LABEL_HEADS: readonly [ends: string, head: LabelHead, axes: string[]][] = [
  ['ForSequenceClassification', onTexts, ['batch']],
  ['ForTokenClassification', onTokens, TOKENS],
  ['ForImageClassification', onImages, ['batch']],
];

/**
 * Adds what the folder has beside the base model as outputs: `logits` of the head of the class that config.json names,
 * and `pooler_output`. Without their weights there is nothing to add.
 */
export function addHeads(net: Network, config: Config, type: string): void {
  const { graph } = net;
  const output = graph.outputs.find((o) => o.name === 'last_hidden_state');
  const size = output?.shape?.at(-1);
  if (typeof size !== 'number' || graph.outputs.some((o) => o.name === 'logits')) return;
  const from = graph.nodes.length;
  const states: Hidden = { net, config, type, states: 'last_hidden_state', size };
  const pooled = pooler(states);
  if (pooled !== undefined) net.output('pooler_output', pooled, ['batch', size]);
  const hidden = { ...states, ...(pooled !== undefined && { pooled: 'pooler_output' }) };
  const found = LABEL_HEADS.find(([ends]) => config.isFor(ends));
  if (found) addLabels(hidden, found[1], found[2]);
  else if (config.isFor('ForMaskedLM') || config.isFor('ForPreTraining')) {
    const logits = maskedHead(hidden);
    if (logits !== undefined) named(hidden, logits, TOKENS);
  }
  // Adapters are for the base model.
  for (const node of graph.nodes.slice(from)) node.metadata.set(OF_HEAD, type);
}

/** Whose pooler is BertPooler: the first token, a dense layer and tanh. */
const POOLED = ['bert', 'roberta', 'xlm-roberta', 'camembert', 'mpnet'];

function pooler(hidden: Hidden): string | undefined {
  const { net, type, size } = hidden;
  if (!POOLED.includes(type) || !net.weights.has('pooler.dense.weight')) return undefined;
  const dense = linear(net, 'pooler.dense', firstToken(hidden), { from: size, to: size });
  return net.op('pooler', 'Tanh', [dense]);
}

/** What the last layer reads is an output too: a head that is trained further begins there. */
function addLabels(hidden: Hidden, head: LabelHead, axes: string[]): void {
  const last = head(hidden);
  if (!last) return;
  const { net, states, size } = hidden;
  const { module, bias } = last;
  const isOutput = net.graph.outputs.some((o) => o.name === last.x);
  const input = isOutput ? last.x : 'head_input';
  if (!isOutput) net.output(input, last.x, ['batch', size]);
  const x = input === states ? net.op(module, 'Reshape', [states, net.g.ints([-1, size])]) : input;
  const count = named(hidden, headLinear(hidden, module, x, size, bias), axes);
  net.metadata.set(HEAD_LAYER, JSON.stringify({ module, input, bias } satisfies HeadLayer));
  const labels = hidden.config.names('id2label');
  if (labels?.length === count) net.metadata.set(HEAD_LABELS, JSON.stringify(labels));
}

/** Names logits, one row for each text or token, as an output; returns how many there are. */
function named({ net, states }: Hidden, logits: string, axes: string[]): number {
  const { inputs } = net.graph.nodes.find((n) => n.outputs[0] === logits)!;
  const [count] = net.graph.initializers.get(inputs[1])!.dims;
  const rows = net.op('', 'Slice', [net.op('', 'Shape', [states]), net.g.ints([0]), net.g.ints([2])]);
  const all = net.op('', 'Concat', [rows, net.g.ints([count])], { axis: 0 });
  const shaped = axes === TOKENS ? net.op('', 'Reshape', [logits, all]) : logits;
  net.output('logits', shaped, [...axes, count]);
  return count;
}
