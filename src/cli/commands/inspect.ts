import { join } from 'node:path';
import { inspectionReport } from '../../adapters/inspection-report';
import { AuroraError, EXIT } from '../../base/errors';
import { machineRates } from '../../checks/cost/machine-rates';
import { inspectModel, type InspectionChoice } from '../../checks/cost/step-cost';
import {
  type AdapterSpec,
  DEFAULT_METHOD,
  HEAD_ALONE,
  isMethod,
  LAYER_METHODS,
} from '../../experiment/methods';
import { targetsOf } from '../arguments';
import { type Command, one, type ParsedArgs, threadCount, wholeNumber } from '../command';
import { optionText } from '../help-text';
import { terminalText } from '../report-text';
import { temporaryFolder } from '../temporary';

const METHODS = [...LAYER_METHODS, HEAD_ALONE.method];

export const inspect: Command = {
  help: `Usage: aurora inspect MODEL [options]

Says what a model offers, before anything runs: its family, inputs, outputs and weights, every linear layer (module path,
shape), the operators that block gradients and what to do about them; and what a training step takes on this machine's CPU,
estimated from the graph that would run. MODEL is an ONNX file, a folder with config.json and safetensors, or a
pipeline of diffusers, whose U-Net it is. No weight is read, and no runtime is loaded except to measure the machine once, for about three seconds.

  --batch N,…       examples in the step, one or several numbers (default: 8, or 1 for a U-Net)
  --length N,…      tokens of each text (default: 128)
  --method METHOD   ${optionText(`${METHODS.join(', ')} (default: ${DEFAULT_METHOD})`, 20)}
  --rank R          the adapter's rank (default: the method's)
  --targets NAMES   the adapted modules: names or path endings, separated by commas, or all-linear (default: the model's
                    query and value layers, in a U-Net all four of its attentions)
  --head HEAD       linear for a new head, none for the model's own logits (default: none if it has logits)
  --output NAME     the output that is trained on, if several could be
  --quantize BITS   4 or 8: with the weights of linear layers in so many bits, as with model.quantize
  --precision P     int8: with products of frozen weights in int8, as with training.precision
  --threads N       threads on the CPU (default: OMP_NUM_THREADS, or one per core)
  --measure         measure the machine again
  --no-measure      do not measure it: if its speed is not known, neither is the time
  --json            print one JSON object instead
`,
  options: {
    batch: { type: 'string' },
    length: { type: 'string' },
    method: { type: 'string' },
    rank: { type: 'string' },
    targets: { type: 'string' },
    head: { type: 'string' },
    output: { type: 'string' },
    quantize: { type: 'string' },
    precision: { type: 'string' },
    threads: { type: 'string' },
    measure: { type: 'boolean' },
    'no-measure': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run(args) {
    const path = one(args, 'model', 'inspect');
    const threads = threadCount(args.text('threads'));
    const choice = {
      method: methodIn(args),
      rank: numbersIn(args, 'rank')?.[0],
      targetModules: targetsOf(args.text('targets')),
      head: headIn(args),
      output: args.text('output'),
      ...storedAs(args),
      batches: numbersIn(args, 'batch'),
      lengths: numbersIn(args, 'length'),
    };
    const measure = args.flag('no-measure') ? 'never' : args.flag('measure') ? 'again' : 'once';
    const program = join(__dirname, 'cli.cjs');
    const folder = () => temporaryFolder('rates');
    const inspection = await inspectModel(path, choice, () =>
      machineRates({ threads, program, folder, measure }),
    );
    const { title, parts } = inspectionReport(path, inspection);
    process.stdout.write(
      args.flag('json') ? `${JSON.stringify(inspection, null, 2)}\n` : terminalText([title, ...parts]),
    );
    return EXIT.ok;
  },
};

function methodIn(args: ParsedArgs): AdapterSpec['method'] {
  const method = args.text('method') ?? DEFAULT_METHOD;
  if (isMethod(method) || method === HEAD_ALONE.method) return method;
  throw new AuroraError('usage', `--method ${method} is not a method.`, `Choose from ${METHODS.join(', ')}.`);
}

function headIn(args: ParsedArgs): boolean | undefined {
  const head = args.text('head');
  if (head === undefined || head === 'linear' || head === 'none')
    return head === undefined ? undefined : head === 'linear';
  throw new AuroraError('usage', `--head ${head} is not a head.`, 'Choose linear or none.');
}

/** @throws AuroraError 'usage' for a setting that experiments do not have either */
function storedAs(args: ParsedArgs): Pick<InspectionChoice, 'quantize' | 'precision'> {
  const [bits, precision] = [args.text('quantize'), args.text('precision')];
  if (bits !== undefined && bits !== '4' && bits !== '8')
    throw new AuroraError('usage', `--quantize ${bits} is not a number of bits.`, 'Choose 4 or 8.');
  if (precision !== undefined && precision !== 'int8' && precision !== 'float32')
    throw new AuroraError(
      'usage',
      `--precision ${precision} cannot be estimated.`,
      'Choose float32 or int8.',
    );
  const isInt8 = precision === 'int8';
  if (isInt8 && bits === '4')
    throw new AuroraError(
      'usage',
      '--precision int8 is for weights in float32 or in 8 bits, and --quantize is 4.',
      'Choose --quantize 8, or --precision float32.',
    );
  return {
    ...(bits !== undefined && { quantize: bits === '4' ? 4 : 8 }),
    ...(isInt8 && { precision: 'int8' }),
  };
}

/** Numbers of at least 1, separated by commas. */
function numbersIn(args: ParsedArgs, option: string): number[] | undefined {
  return args
    .text(option)
    ?.split(',')
    .map((given) => {
      const value = wholeNumber(option, given.trim());
      if (value < 1) throw new AuroraError('usage', `--${option} takes a whole number of at least 1.`);
      return value;
    });
}
