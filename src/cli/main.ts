import { AuroraError, EXIT } from '../shared/errors';
import { parse, type Command } from './command';
import { exportCommand } from './commands/export';
import { inspect } from './commands/inspect';
import { reference } from './commands/reference';
import { train } from './commands/train';

const COMMANDS: Record<string, Command> = { train, inspect, export: exportCommand, reference };

const HELP = `AuroRA Lab: train AuroRA and LoRA adapters on an ONNX transformer, here, without Python.

Usage: aurora <command> [options]

${Object.entries(COMMANDS)
  .map(([name, c]) => `  ${name.padEnd(11)}${c.summary}`)
  .join('\n')}

  aurora <command> --help   all options of a command
  --verbose                 show where in the program an error came from

Exit codes: 0 done · 1 a check or the program failed · 2 usage · 3 experiment file · 4 to 8 model ·
9 operator · 10 targets · 11 rank · 12 to 14 data · 15, 16 tokenizer · 17 diverged · 18 disk · 19 device ·
20 run folder · 130 stopped
`;

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = COMMANDS[name];
  if (!command)
    throw new AuroraError(
      'usage',
      `aurora has no command "${name}".`,
      `It has ${Object.keys(COMMANDS).join(', ')}.`,
    );
  const args = parse(command, rest, name);
  if (args.flag('help')) {
    process.stdout.write(command.help);
    return EXIT.ok;
  }
  return command.run(args);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (e: unknown) => {
    const known = e instanceof AuroraError;
    process.stderr.write(
      `\nerror: ${known ? e.message : `unexpected: ${(e as Error)?.message ?? String(e)}`}\n`,
    );
    if (known && e.hint) process.stderr.write(`       ${e.hint}\n`);
    if (!known)
      process.stderr.write('       This is a fault of AuroRA Lab; --verbose shows where it happened.\n');
    if (process.argv.includes('--verbose')) process.stderr.write(`${(e as Error)?.stack}\n`);
    process.exitCode = known ? e.exitCode : EXIT.failed;
  },
);
