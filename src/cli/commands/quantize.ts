import { resolve } from 'node:path';
import { modelSource } from '../../architectures/model-source';
import { AuroraError, EXIT } from '../../base/errors';
import { bytes, count, sharePercent } from '../../base/number-text';
import type { QuantizedLayer, QuantizeResult } from '../../protocol/quantize';
import { companionsOf, copyCompanions } from '../../quantize/companions';
import { quantizeModel } from '../../quantize/quantize';
import { type Command, one } from '../command';

const BLOCKS = [16, 32, 64, 128, 256];

export const quantize: Command = {
  help: `Usage: aurora quantize MODEL --bits 4|8 --out FILE [options]

Writes an ONNX file whose linear layers have weights of 4 or 8 bits (MatMulNBits), to train adapters on. MODEL is an ONNX
file, or a folder with config.json and safetensors. Embeddings are quantized only where --modules names them. Each block of a row gets the scale that rounds it best; the relative
error of each layer is printed. The weights are in FILE.data; tokenizer and config files are copied beside it.

  --bits N           4 or 8
  --out FILE         the ONNX file to create
  --block N          values with one scale: ${BLOCKS.join(', ')} (default: 32)
  --modules NAMES    the layers and embeddings to quantize, separated by commas, as in targetModules. By default all layers
                     but the model's own output, such as lm_head, and those that share their weight with an embedding
  --asymmetric       a zero point for each block, for weights that are not centered on zero
  --symmetric        none, the default
  --json             print one JSON object instead
`,
  options: {
    bits: { type: 'string' },
    out: { type: 'string' },
    block: { type: 'string' },
    modules: { type: 'string' },
    asymmetric: { type: 'boolean' },
    symmetric: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  values: { bits: ['4', '8'], block: BLOCKS.map(String) },
  async run(args) {
    const source = one(args, 'model', 'quantize');
    const bits = Number(args.text('bits'));
    if (bits !== 4 && bits !== 8) throw usage(`--bits takes 4 or 8, not "${args.text('bits') ?? ''}".`);
    const out = args.text('out');
    if (!out?.endsWith('.onnx')) throw usage('--out takes the name of an ONNX file, such as model_q4.onnx.');
    const blockSize = Number(args.text('block') ?? 32);
    if (!BLOCKS.includes(blockSize))
      throw usage(`--block takes ${BLOCKS.join(', ')}, not "${args.text('block')}".`);
    if (args.flag('symmetric') && args.flag('asymmetric'))
      throw usage('--symmetric and --asymmetric exclude each other.');
    const modules = (args.text('modules') ?? '').split(',').filter((name) => name !== '');
    const json = args.flag('json');
    const model = modelSource(source);
    const companions = companionsOf(model, out);
    const result = quantizeModel(
      model,
      resolve(out),
      { bits, blockSize, symmetric: !args.flag('asymmetric') },
      modules,
      (layer) => json || process.stdout.write(layerText(layer)),
      () => copyCompanions(companions),
    );
    const copied = companions.map(({ name }) => name);
    process.stdout.write(json ? `${JSON.stringify({ ...result, copied })}\n` : resultText(result, copied));
    return Promise.resolve(EXIT.ok);
  },
};

const usage = (message: string): AuroraError =>
  new AuroraError('usage', message, 'See `aurora quantize --help`.');

const layerText = ({ path, inFeatures, outFeatures, error }: QuantizedLayer): string =>
  `  ${path}  ${outFeatures} × ${inFeatures}  error ${sharePercent(error)}\n`;

function resultText({ path, bytes: size, layers, kept }: QuantizeResult, copied: readonly string[]): string {
  const worst = layers.reduce((a, b) => (b.error > a.error ? b : a));
  const weights = layers.reduce((n, l) => n + l.inFeatures * l.outFeatures, 0);
  const lines = [
    `${count(layers.length)} layers with ${count(weights)} weights; the largest error is ${sharePercent(worst.error)}, of ${worst.path}`,
    ...(kept.length > 0
      ? [`not quantized: ${kept.slice(0, 5).join(', ')}${kept.length > 5 ? ' …' : ''}`]
      : []),
    ...(copied.length > 0 ? [`copied: ${copied.join(', ')}`] : []),
    `${path}, ${bytes(size)} of weights`,
  ];
  return `${lines.join('\n')}\n`;
}
