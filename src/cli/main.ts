import { join } from 'node:path';
import { inspect } from 'node:util';
import { version } from '../../package.json';
import { diskError } from '../files/atomic';
import { errorReporter } from '../files/error-pipe';
import { AuroraError, errorRecord, EXIT, type KnownError } from '../base/errors';
import { nearest } from '../base/nearest';
import { useImageWorkers } from '../data/images/pool';
import { onLargeCopy } from '../graph/file/place-weights';
import { useGpuSupport } from '../gpu-support/use';
import { red, stampLog, asControl, filterOutput, beQuiet, sayError } from './output';
import { parse, type Command } from './command';
import { diskHint, helpText } from './help-text';
import { keepOwnCopy } from './own-copy';
import { terminalIsGone } from './signals';

/** Loaded on demand: loading the runtime alone takes as long as running `inspect`. */
const COMMANDS: Record<string, { summary?: string; load: () => Promise<Command> }> = {
  train: {
    summary: 'train the adapters of an experiment',
    load: async () => (await import('./commands/train/train')).train,
  },
  sweep: {
    summary: 'train the trials of a sweep, as many in parallel as fit',
    load: async () => (await import('./commands/sweep/sweep')).sweepCommand,
  },
  claim: {
    summary: 'test a claim about two methods: search, train and decide by rules fixed before',
    load: async () => (await import('./commands/claim/claim')).claimCommand,
  },
  compare: {
    summary: 'create a sweep that compares methods at equal parameter counts',
    load: async () => (await import('./commands/compare')).compareCommand,
  },
  preflight: {
    summary: 'check an experiment and measure a few real steps, without keeping anything',
    load: async () => (await import('./commands/preflight')).preflightCommand,
  },
  tokens: {
    summary: 'show the tokens of a row, and which of them count in the loss',
    load: async () => (await import('./commands/tokens/tokens')).tokensCommand,
  },
  inspect: {
    summary: 'list the layers that adapters can target, and what a training step takes',
    load: async () => (await import('./commands/inspect')).inspect,
  },
  quantize: {
    summary: 'write a model with weights of 4 or 8 bits',
    load: async () => (await import('./commands/quantize')).quantize,
  },
  budget: {
    summary: "count an adapter's parameters beside LoRA's, on your model or one of the paper's",
    load: async () => (await import('./commands/budget/budget')).budgetCommand,
  },
  get: {
    summary: 'download a model or a data set from the Hugging Face hub',
    load: async () => (await import('./commands/get/get')).getCommand,
  },
  start: {
    summary: "get a model and one of the paper's data sets, and write the experiment",
    load: async () => (await import('./commands/start')).startCommand,
  },
  recipe: {
    summary: "write an experiment with one of the paper's data sets, as it is distributed",
    load: async () => (await import('./commands/recipe/recipe')).recipeCommand,
  },
  export: {
    summary: 'export a trained adapter or model, and measure the exported files',
    load: async () => (await import('./commands/export')).exportCommand,
  },
  publish: {
    summary: 'upload the adapter of a run to the Hugging Face hub',
    load: async () => (await import('./commands/publish/publish')).publishCommand,
  },
  import: {
    summary: 'import an adapter as a run, to evaluate, compare or train it further',
    load: async () => (await import('./commands/import')).importCommand,
  },
  combine: {
    summary: 'combine the adapters of several runs into one, as a run',
    load: async () => (await import('./commands/combine')).combineCommand,
  },
  runs: {
    summary: 'list runs as a table: filter, sort, group, export as CSV',
    load: async () => (await import('./commands/runs')).runsCommand,
  },
  study: {
    summary: 'compare runs: groups over seeds, paired tests, figures, a report',
    load: async () => (await import('./commands/study')).studyCommand,
  },
  reproduce: {
    summary: 'train a table of the paper, or the demo’s study, and compare the numbers',
    load: async () => (await import('./commands/reproduce/reproduce')).reproduceCommand,
  },
  errors: {
    summary: 'show where a trained model is wrong: confused labels, slices, texts',
    load: async () => (await import('./commands/errors')).errorsCommand,
  },
  nonlinearity: {
    summary: 'measure how much of what an AuroRA adapter gains needs its nonlinearity',
    load: async () => (await import('./commands/nonlinearity')).nonlinearityCommand,
  },
  play: {
    summary: 'try a trained run, or any classifier or language model, on your own input',
    load: async () => (await import('./commands/play/play')).play,
  },
  doctor: {
    summary: 'inspect this machine and measure the devices it could train on',
    load: async () => (await import('./commands/doctor')).doctorCommand,
  },
  gpu: {
    summary: 'install, check or remove NVIDIA GPU support',
    load: async () => (await import('./commands/gpu')).gpuCommand,
  },
  completion: {
    summary: 'print a script that completes commands and options in bash or zsh',
    load: async () => (await import('./commands/completion')).completion(SHOWN),
  },
  mcp: {
    summary: 'serve the lab to an agent, as tools of the Model Context Protocol',
    load: async () => (await import('./commands/mcp/mcp')).mcpCommand,
  },
  verify: {
    summary: 'run an experiment on both engines and compare losses and gradients',
    load: async () => (await import('./commands/verify')).verifyCommand,
  },
  reference: {
    summary: 'check losses, gradients and training against PyTorch reference files',
    load: async () => (await import('./commands/reference/reference')).reference,
  },
  // Internal commands have no summary, so the help leaves them out.
  'check-input': { load: async () => (await import('./commands/check-input')).checkInputCommand },
  'check-trials': { load: async () => (await import('./commands/sweep/check-trials')).checkTrialsCommand },
  trial: { load: async () => (await import('./commands/trial')).trialCommand },
  'measure-rates': { load: async () => (await import('./commands/measure-rates')).measureRatesCommand },
  'measure-device': { load: async () => (await import('./commands/measure-device')).measureDevice },
};
const SHOWN = Object.entries(COMMANDS).filter(([, { summary }]) => summary !== undefined);

const HELP = `AuroRA Lab: train AuroRA and LoRA adapters on an ONNX transformer, on this machine, without Python.

Usage: aurora <command> [options]

${SHOWN.map(([name, c]) => `  ${name.padEnd(14)}${c.summary}`).join('\n')}

  aurora <command> --help   all options of a command; \`aurora train --help\` also has an experiment to begin with
  aurora help <command>     the same
  --quiet                   print results and errors alone: no progress, notes or warnings
  --verbose                 show the stack trace of an error
  --version                 print the version

Exit codes: 0 done · 1 a check or the program failed · 2 usage · 3 experiment file · 4 to 8 model ·
9 operator · 10 targets · 11 rank · 12 to 14 data · 15, 16 tokenizer · 17 diverged · 18 disk · 19 device ·
20 run folder · 21 memory · 22 adapter · 23 export that loses too much · 24 owned by another process ·
25 model, tokenizer or data changed · 26 run folder lost · 27 trained, but worse than a constant answer ·
28 the hub cannot be reached · 29 a repository that may not be read or written · 130 stopped
`;

filterOutput();
stampLog();
const reportError = errorReporter();

let current: Command | undefined;

async function main(argv: string[]): Promise<number> {
  keepOwnCopy(__filename);
  useImageWorkers(join(__dirname, 'image-worker.cjs'));
  onLargeCopy((message) => process.stderr.write(`note: ${message}\n`));
  const [name, ...rest] = argv;
  if (name === 'help' && rest.length > 0 && !rest[0].startsWith('-'))
    return main([...rest.slice(0, 1), '--help']);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(helpText(HELP, process.stdout));
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return EXIT.ok;
  }
  // Every object also inherits names such as `toString`.
  if (!Object.hasOwn(COMMANDS, name)) throw unknownCommand(name);
  const command = await COMMANDS[name].load();
  current = command;
  const args = parse(command, rest, name);
  if (args.flag('quiet')) beQuiet();
  if (args.flag('help')) {
    process.stdout.write(helpText(command.help, process.stdout));
    return EXIT.ok;
  }
  return command.run(args);
}

/** The error as all readers get it: a person on standard error, programs as JSON, the parent through its pipe. */
function recordOf(e: unknown): KnownError {
  if (e instanceof AuroraError) return { ...errorRecord(e), hint: diskHint(current, e) };
  return {
    kind: 'failed',
    message: `unexpected: ${(e as Error)?.message ?? String(e)}`,
    hint: 'This is a bug in AuroRA Lab; --verbose shows where it happened.',
  };
}

const WRITES = /^(mkd|rm|unlink|rename|link|symlink|write|fsync|ftruncate|copyfile|utime)/;

/** A failed write that reaches this point as a raw file system error is a disk error, not a bug. */
function asDiskError(e: unknown): unknown {
  const { path, syscall = '' } = (e ?? {}) as NodeJS.ErrnoException;
  return typeof path === 'string' && WRITES.test(syscall) ? diskError(path, e) : e;
}

function unknownCommand(name: string): AuroraError {
  const names = SHOWN.map(([known]) => known);
  const near = nearest(name, names);
  return new AuroraError(
    'usage',
    name.startsWith('-')
      ? `"${name}" is an option; the command must come first.`
      : `aurora has no command "${name}".`,
    near ? `Did you mean "${near}"?` : `The commands are ${names.join(', ')}; see \`aurora --help\`.`,
  );
}

// Otherwise the runtime would send usage data to its vendor and leave files in the temporary folder.
process.env.ORT_DISABLE_TELEMETRY = '1';
useGpuSupport(__dirname);

// A reader that closes the pipe early, like `head`, is not an error. A run that has lost its log keeps training.
process.stdout.on('error', () => {
  if (!terminalIsGone()) process.exit(EXIT.failed);
});
process.stderr.on('error', () => {});

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const e = asDiskError(error);
    const record = recordOf(e);
    const code = EXIT[record.kind];
    reportError(record);
    if (process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ error: { ...record, code } })}\n`);
    sayError('\n');
    asControl(() => sayError(red('error:')));
    sayError(` ${record.message}\n`);
    if (record.hint) sayError(`       ${record.hint}\n`);
    if (process.argv.includes('--verbose')) sayError(`${inspect(e)}\n`);
    process.exitCode = code;
  },
);
