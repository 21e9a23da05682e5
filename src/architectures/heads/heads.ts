import { HEAD_LABELS, HEAD_LAYER, OF_HEAD, type HeadLayer } from '../../graph/task-head';
import type { Network } from '../blocks/network';
import type { Config } from '../folder/config';
import { headLinear, type Features, type Hidden, type LabelHead, pooler } from './hidden';
import { onImages, withTeacher } from './image-heads';
import { onTexts, onTokens } from './label-heads';
import { maskedHead } from './masked';

const WHOLE = ['batch'];
const TOKENS = ['batch', 'sequence'];

/** Heads by the end of the class that config.json names. */
const LABEL_HEADS: readonly [ends: string, head: LabelHead, axes: string[]][] = [
  ['ForSequenceClassification', onTexts, WHOLE],
  ['ForTokenClassification', onTokens, TOKENS],
  ['ForImageClassification', onImages, WHOLE],
];

/**
 * Adds the parts of the folder beside the base model as outputs: `logits` of the head of the class that config.json
 * names, and `pooler_output`. Without their weights there is nothing to add.
 */
export function addHeads(net: Network, config: Config, type: string): void {
  const { graph } = net;
  const output = graph.outputs.find((o) => o.name === 'last_hidden_state');
  const size = output?.shape?.at(-1);
  if (typeof size !== 'number' || graph.outputs.some((o) => o.name === 'logits')) return;
  const states: Hidden = { net, config, type, states: 'last_hidden_state', size };
  const pooled = pooler(states);
  if (pooled) net.output('pooler_output', pooled.x, [...WHOLE, pooled.size]);
  const from = graph.nodes.length;
  const hidden = { ...states, ...(pooled && { pooled: { ...pooled, x: 'pooler_output' } }) };
  const found = LABEL_HEADS.find(([ends]) => config.isFor(ends));
  if (found) addLabels(hidden, found[1], found[2]);
  else if (config.isFor('ForImageClassificationWithTeacher')) {
    const logits = withTeacher(hidden);
    if (logits) addLogits(hidden, logits, WHOLE);
  } else if (config.isFor('ForMaskedLM') || config.isFor('ForPreTraining')) {
    const logits = maskedHead(hidden);
    if (logits) addLogits(hidden, logits, TOKENS);
  }
  // Adapters are for the base model, which the pooler is a part of.
  for (const node of graph.nodes.slice(from)) node.metadata.set(OF_HEAD, type);
}

/** The last layer's input is an output too: a head that is trained further begins there. */
function addLabels(hidden: Hidden, head: LabelHead, axes: string[]): void {
  const last = head(hidden);
  if (!last) return;
  const { net } = hidden;
  const { module, bias, x: read, size } = last;
  const isOutput = net.graph.outputs.some((o) => o.name === read);
  const input = isOutput ? read : 'head_input';
  if (!isOutput) net.output(input, inRows(hidden, last, axes), [...axes, size]);
  const x = axes === TOKENS ? net.op(module, 'Reshape', [input, net.g.ints([-1, size])]) : input;
  addLogits(hidden, headLinear(hidden, module, { x, size }, bias), axes);
  net.metadata.set(HEAD_LAYER, JSON.stringify({ module, input, bias } satisfies HeadLayer));
}

/** Names logits, one row for each text or token, as an output. */
function addLogits(hidden: Hidden, logits: Features, axes: string[]): void {
  const { net, config } = hidden;
  net.output('logits', inRows(hidden, logits, axes), [...axes, logits.size]);
  const labels = config.names('id2label');
  if (labels?.length === logits.size) net.metadata.set(HEAD_LABELS, JSON.stringify(labels));
}

/** (tokens, size) as (batch, sequence, size), and (batch, size) as it is. */
function inRows({ net, states }: Hidden, { x, size }: Features, axes: string[]): string {
  if (axes === WHOLE) return x;
  const rows = net.op('', 'Slice', [net.op('', 'Shape', [states]), net.g.ints([0]), net.g.ints([2])]);
  return net.op('', 'Reshape', [x, net.op('', 'Concat', [rows, net.g.ints([size])], { axis: 0 })]);
}
