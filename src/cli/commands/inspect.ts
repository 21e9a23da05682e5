import { readStructure } from '../../architectures/load';
import { summarize, type ModelSummary } from '../../graph/summary';
import { EXIT } from '../../base/errors';
import { one, type Command } from '../command';
import { table } from '../table';
import { count } from '../../base/number-text';

export const inspect: Command = {
  help: `Usage: aurora inspect MODEL [--json]

Lists inputs, outputs and every linear layer (module path, shape), and the operators that block gradients. MODEL is an
ONNX file, or a folder with config.json and safetensors; it is read without running it.

  --json    print one JSON object instead
`,
  options: { json: { type: 'boolean' } },
  async run(args) {
    const path = one(args, 'model', 'inspect');
    const summary = summarize(readStructure(path));
    process.stdout.write(args.flag('json') ? `${JSON.stringify(summary, null, 2)}\n` : text(path, summary));
    return EXIT.ok;
  },
};

type Layer = ModelSummary['layers'][number];

function text(path: string, s: ModelSummary): string {
  const value = (v: ModelSummary['inputs'][number]) =>
    `${v.name} ${v.type} [${v.shape?.map((d) => d ?? '?').join(', ') ?? '?'}]`;
  const outputs = s.outputs.map((o) => o.name);
  const lines = [
    `${path}: ${count(s.parameters)} parameters, opset ${s.opset}${s.producer ? `, from ${s.producer}` : ''}`,
    `inputs   ${s.inputs.map(value).join(' · ')}`,
    `outputs  ${s.outputs.map(value).join(' · ')}`,
    ...(s.cachedLayers
      ? [`cache    keys and values of ${s.cachedLayers} layers; empty in training, used to write texts`]
      : []),
    '',
    `${s.layers.length} linear layers (module path, in → out):`,
    ...table(s.layers.map((l) => [`  ${l.path}`, `${l.inFeatures} → ${l.outFeatures}`, notes(l, outputs)])),
    '',
    s.missingRules.length
      ? 'Gradients cannot pass these operators; adapters below them cannot be trained:'
      : 'Every operator between these layers and the outputs has a gradient rule.',
    ...s.missingRules.map(
      (m) =>
        `  ${m.operator}: ${m.nodes.slice(0, 5).join(', ')}${m.nodes.length > 5 ? ` and ${m.nodes.length - 5} more` : ''}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** The outputs that depend on a layer, unless all do: a task that reads another output cannot train the layer. */
function reaching({ reaches }: Layer, outputs: readonly string[]): string {
  if (reaches.length === 0) return 'reaches no output';
  return reaches.length < outputs.length ? `reaches only ${reaches.join(', ')}` : '';
}

function notes(l: Layer, outputs: readonly string[]): string {
  return [
    reaching(l, outputs),
    l.output ? 'the model\'s own output: left out by "all-linear"' : '',
    l.calls > 1 ? `called ${l.calls} times` : '',
    l.sharedWith.length ? `weight shared with ${l.sharedWith.join(', ')}` : '',
    l.mergeable ? '' : 'weight is computed: cannot be merged',
  ]
    .filter((t) => t)
    .join('; ');
}
