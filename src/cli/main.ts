import { inspect } from 'node:util';
import { diskError } from '../files/atomic';
import { escapeControls } from '../base/controls';
import { AuroraError, EXIT } from '../base/errors';
import { nearest } from '../base/nearest';
import { useGpuSupport } from '../trainer/gpu-support/use';
import { parse, type Command } from './command';
import { diskHint } from './disk-hint';
import { keepOwnCopy } from './own-copy';
import { terminalIsGone } from './signals';

/** Loaded when they are asked for: the runtime alone takes as long to load as `inspect` takes to run. */
const COMMANDS: Record<string, { summary?: string; load: () => Promise<Command> }> = {
  train: {
    summary: 'train the adapters of an experiment',
    load: async () => (await import('./commands/train/train')).train,
  },
  sweep: {
    summary: 'train the trials of a sweep, as many at a time as there is room for',
    load: async () => (await import('./commands/sweep/sweep')).sweepCommand,
  },
  compare: {
    summary: 'make a sweep that compares methods at equal numbers of parameters',
    load: async () => (await import('./commands/compare')).compareCommand,
  },
  preflight: {
    summary: 'check an experiment and measure a few real steps, leaving nothing behind',
    load: async () => (await import('./commands/preflight/preflight')).preflightCommand,
  },
  inspect: {
    summary: 'list the layers of a model that can take an adapter',
    load: async () => (await import('./commands/inspect')).inspect,
  },
  budget: {
    summary: 'count what an adapter trains, beside LoRA, on your model or one of the paper',
    load: async () => (await import('./commands/budget/budget')).budgetCommand,
  },
  export: {
    summary: 'write a trained adapter or model for others, and measure it',
    load: async () => (await import('./commands/export/export')).exportCommand,
  },
  import: {
    summary: 'make a run of an adapter from the disk, to evaluate, compare and train on',
    load: async () => (await import('./commands/import')).importCommand,
  },
  study: {
    summary: 'compare runs: groups over seeds, paired tests, figures, a report',
    load: async () => (await import('./commands/study/study')).studyCommand,
  },
  reproduce: {
    summary: 'train and compare what a study of the repository reports',
    load: async () => (await import('./commands/reproduce')).reproduceCommand,
  },
  errors: {
    summary: 'show where a trained model is wrong: confused labels, slices, texts',
    load: async () => (await import('./commands/errors/errors')).errorsCommand,
  },
  play: {
    summary: 'ask a trained run, or any classifier or language model, and see what it answers',
    load: async () => (await import('./commands/play/play')).play,
  },
  doctor: {
    summary: 'look at this machine and measure what it could train on',
    load: async () => (await import('./commands/doctor/doctor')).doctorCommand,
  },
  gpu: {
    summary: 'install, check or remove what an NVIDIA GPU needs',
    load: async () => (await import('./commands/gpu/gpu')).gpuCommand,
  },
  verify: {
    summary: 'run an experiment on both engines and compare losses and gradients',
    load: async () => (await import('./commands/verify/verify')).verifyCommand,
  },
  reference: {
    summary: 'check losses, gradients and training against PyTorch reference files',
    load: async () => (await import('./commands/reference/reference')).reference,
  },
  // Without a summary: for the program itself.
  'check-trials': { load: async () => (await import('./commands/sweep/check-trials')).checkTrialsCommand },
  'measure-device': { load: async () => (await import('./commands/measure-device')).measureDevice },
};
const SHOWN = Object.entries(COMMANDS).filter(([, { summary }]) => summary !== undefined);

const HELP = `AuroRA Lab: train AuroRA and LoRA adapters on an ONNX transformer, here, without Python.

Usage: aurora <command> [options]

${SHOWN.map(([name, c]) => `  ${name.padEnd(11)}${c.summary}`).join('\n')}

  aurora <command> --help   all options of a command
  --verbose                 show where in the program an error came from

Exit codes: 0 done · 1 a check or the program failed · 2 usage · 3 experiment file · 4 to 8 model ·
9 operator · 10 targets · 11 rank · 12 to 14 data · 15, 16 tokenizer · 17 diverged · 18 disk · 19 device ·
20 run folder · 21 memory · 22 adapter · 23 export that loses too much · 24 owned by another process ·
25 model, tokenizer or data changed · 26 run folder lost · 130 stopped
`;

let current: Command | undefined;

async function main(argv: string[]): Promise<number> {
  keepOwnCopy(__filename);
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  // An object also has what every object inherits.
  if (!Object.hasOwn(COMMANDS, name)) throw unknownCommand(name);
  const command = await COMMANDS[name].load();
  current = command;
  const args = parse(command, rest, name);
  if (args.flag('help')) {
    process.stdout.write(command.help);
    return EXIT.ok;
  }
  return command.run(args);
}

const WRITES = /^(mkd|rm|unlink|rename|link|symlink|write|fsync|ftruncate|copyfile|utime)/;

/** A write that the file system refused, and that nobody has named yet, is the disk's error and not the program's. */
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
      ? `"${name}" is an option, and the command comes first.`
      : `aurora has no command "${name}".`,
    near ? `Did you mean "${near}"?` : `It has ${names.join(', ')}; see \`aurora --help\`.`,
  );
}

// The runtime would report its use to its maker, and leave files of that in the temporary folder.
process.env.ORT_DISABLE_TELEMETRY = '1';
useGpuSupport(__dirname);

// A reader that has seen enough, such as `head`, is no fault; a run whose log is gone trains on.
process.stdout.on('error', () => {
  if (!terminalIsGone()) process.exit(EXIT.failed);
});
process.stderr.on('error', () => {});

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const e = asDiskError(error);
    const known = e instanceof AuroraError;
    process.stderr.write(
      `\nerror: ${escapeControls(known ? e.message : `unexpected: ${(e as Error)?.message ?? String(e)}`, '\n\t')}\n`,
    );
    const hint = known && diskHint(current, e);
    if (hint) process.stderr.write(`       ${hint}\n`);
    if (!known)
      process.stderr.write('       This is a fault of AuroRA Lab; --verbose shows where it happened.\n');
    if (process.argv.includes('--verbose')) process.stderr.write(`${inspect(e)}\n`);
    process.exitCode = known ? e.exitCode : EXIT.failed;
  },
);
