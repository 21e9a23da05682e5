import { basename, join } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import type { ReadWatch } from '../../data/stream/build-index';
import type { PreflightLine, PreflightReading } from '../../protocol/preflight';
import { onlyChanges, type Reading, readingOf } from '../../protocol/preparing';
import {
  addPreflightLine,
  partsOfPreflight,
  type PreflightLines,
} from '../../protocol/reports/preflight-report';
import { agreedText } from '../../runs/experiment/agreed-text';
import { ignoredIn, readExperiment, readText } from '../../runs/experiment/load';
import { preflight } from '../../training/preflight/preflight';
import { problemOf } from '../../training/preflight/preflight-problems';
import { ReadingProgress } from '../bar';
import { type Command, one, type ParsedArgs, threadCount, wholeNumber } from '../command';
import { write } from '../output';
import { deviceRequest, FALLBACK_OPTION, PLACE_HELP, PLACE_OPTIONS, PLACE_VALUES } from '../device-options';
import { writeReport } from '../report-text';
import { temporaryFolder } from '../temporary';

export const preflightCommand: Command = {
  help: `Usage: aurora preflight FILE.aurora.json [options]

Checks an experiment before training: which modules get an adapter, which targets match nothing, label balance, text
lengths and truncation, unusable rows, and duplicates between training and validation. Then trains a few real steps to
estimate how long the run will take and how much memory it needs. Keeps nothing on disk but the index of large data.

  --steps N          training steps to measure (default: 3)
  --set KEY=VALUE    override a setting, such as --set training.batchSize=16 (may be given several times)
  --text-sha256 HASH run only if the file's text has this hash
${PLACE_HELP}  --threads N        threads on the CPU (default: OMP_NUM_THREADS, or one per core)
  --json             JSON lines, each as soon as it is known: modules, reading, data, measuring, device, step, estimate,
                     problem

Exits with 0 even if there are warnings, with 12 if bad rows would stop training, with 19 if the device cannot be used,
and with 21 if not even one example fits into memory.
`,
  options: {
    steps: { type: 'string' },
    set: { type: 'string', multiple: true },
    'text-sha256': { type: 'string' },
    ...PLACE_OPTIONS,
    ...FALLBACK_OPTION,
    threads: { type: 'string' },
    json: { type: 'boolean' },
  },
  values: PLACE_VALUES,
  async run(args) {
    const json = args.flag('json');
    try {
      const reading = new ReadingProgress();
      const said = onlyChanges<Reading>((now) => {
        if (now) void write(`${JSON.stringify({ kind: 'reading', ...now } satisfies PreflightReading)}\n`);
      });
      const lines: PreflightLines = { steps: [], problems: [] };
      const stops = await check(
        args,
        (line) => {
          if (json) return write(`${JSON.stringify(line)}\n`);
          const progress = addPreflightLine(lines, line);
          return writeReport(partsOfPreflight(line, lines), progress);
        },
        json
          ? ({ path, done, of, unit }) => unit === 'bytes' && said(readingOf(basename(path), done, of))
          : (at) => reading.show(at),
      );
      return stops ? EXIT.data : EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

async function check(
  args: ParsedArgs,
  emit: (line: PreflightLine) => Promise<void>,
  watch: ReadWatch | undefined,
): Promise<boolean> {
  const file = one(args, 'experiment file', 'preflight');
  const steps = wholeNumber('steps', args.text('steps') ?? '3');
  if (steps < 1) throw new AuroraError('usage', '--steps takes a whole number of at least 1.');
  const threads = threadCount(args.text('threads'));
  const device = deviceRequest(args);
  const valid = readExperiment(
    file,
    args.list('set'),
    agreedText(file, readText(file), args.text('text-sha256')),
  );
  for (const { path, message } of ignoredIn(valid))
    await emit({ kind: 'problem', severity: 'warning', key: path.join('.'), message });
  return preflight(valid.experiment, {
    folder: temporaryFolder('preflight'),
    device,
    program: join(__dirname, 'cli.cjs'),
    threads,
    steps,
    watch,
    emit,
  });
}
