import { join } from 'node:path';
import type { Inspection } from '../../../adapters/inspection';
import { readStructure } from '../../../architectures/load';
import { storedModel } from '../../../architectures/stored';
import { AuroraError, EXIT } from '../../../base/errors';
import { DEFAULT_METHOD, isMethod, METHOD_ORDER, type MethodName } from '../../../experiment/methods';
import { prepareModel } from '../../../graph/prepare';
import { summarizePrepared } from '../../../graph/summary';
import { machineRates } from '../../../trainer/cost/rates';
import { stepCost } from '../../../trainer/cost/step-cost';
import { one, threadCount, wholeNumber, type Command, type ParsedArgs } from '../../command';
import { targetsOf } from '../../targets';
import { temporaryFolder } from '../../temporary';
import { inspectionText } from './report';

export const inspect: Command = {
  help: `Usage: aurora inspect MODEL [options]

Says what a model offers, before anything runs: its family, inputs, outputs and weights, every linear layer (module path,
shape), the operators that block gradients and what to do about them; and what a training step takes on this machine's CPU,
estimated from the graph that would run. MODEL is an ONNX file, or a folder with config.json and safetensors. No weight is
read, and no runtime is loaded except to measure the machine once, for about two seconds.

  --batch N         examples in the step (default: 8)
  --length N        tokens of each text (default: 128)
  --method METHOD   ${METHOD_ORDER.join(', ')} (default: ${DEFAULT_METHOD})
  --rank R          the adapter's rank (default: the method's)
  --targets NAMES   the adapted modules: names or path endings, separated by commas, or all-linear (default: the model's
                    query and value layers)
  --threads N       threads on the processor (default: OMP_NUM_THREADS, or one per core)
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
    threads: { type: 'string' },
    measure: { type: 'boolean' },
    'no-measure': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run(args) {
    const path = one(args, 'model', 'inspect');
    const threads = threadCount(args.text('threads'));
    const model = readStructure(path);
    const prepared = prepareModel(model);
    const summary = { ...storedModel(path, model), ...summarizePrepared(model, prepared) };
    const choice = {
      method: methodIn(args),
      batch: atLeastOne(args, 'batch') ?? 8,
      length: lengthIn(args, path, summary.positions),
      rank: atLeastOne(args, 'rank'),
      targetModules: targetsOf(args.text('targets')),
    };
    const measure = args.flag('no-measure') ? 'never' : args.flag('measure') ? 'again' : 'once';
    const program = join(__dirname, 'cli.cjs');
    const folder = () => temporaryFolder('rates');
    const rates = await machineRates({ threads, program, folder, measure });
    const inspection: Inspection = { ...summary, step: stepCost(prepared, choice, rates) };
    process.stdout.write(
      args.flag('json') ? `${JSON.stringify(inspection, null, 2)}\n` : inspectionText(path, inspection),
    );
    return EXIT.ok;
  },
};

/** The usual one by default, unless the model has fewer positions. */
function lengthIn(args: ParsedArgs, path: string, positions = Infinity): number {
  const length = atLeastOne(args, 'length') ?? Math.min(128, positions);
  if (length <= positions) return length;
  throw new AuroraError(
    'usage',
    `${path} has positions for ${positions} tokens, but the length is ${length}.`,
    `Choose a length of ${positions} or less.`,
  );
}

function methodIn(args: ParsedArgs): MethodName {
  const method = args.text('method') ?? DEFAULT_METHOD;
  if (isMethod(method)) return method;
  throw new AuroraError(
    'usage',
    `--method ${method} is not a method.`,
    `Choose from ${METHOD_ORDER.join(', ')}.`,
  );
}

function atLeastOne(args: ParsedArgs, option: string): number | undefined {
  const given = args.text(option);
  if (given === undefined) return undefined;
  const value = wholeNumber(option, given);
  if (value < 1) throw new AuroraError('usage', `--${option} takes a whole number of at least 1.`);
  return value;
}
