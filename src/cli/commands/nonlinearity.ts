import { resolve } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { NONLINEARITY_EXAMPLES, type NonlinearityLine } from '../../protocol/nonlinearity';
import { nonlinearityParts, nonlinearityProgress } from '../../protocol/reports/nonlinearity-report';
import { nonlinearityFile } from '../../runs/nonlinearity';
import { parseAt } from '../../training/checkpoint/trained-run';
import { nonlinearityOf } from '../../training/fit/nonlinearity';
import { problemOf } from '../../training/preflight/preflight-problems';
import { runFolder } from '../arguments';
import { clearLine, LOG_MS, redraw } from '../bar';
import { type Command, one, wholeNumber } from '../command';
import { isQuiet, isScreen, write } from '../output';
import { terminalText } from '../report-text';
import { endOnSignals } from '../signals';

export const nonlinearityCommand: Command = {
  help: `Usage: aurora nonlinearity RUN [--at best|last|STEP]

Shows how much of an AuroRA adapter's effect needs its nonlinearity σ. Each layer's σ is fitted by a line, M z + c, on
training tokens. Then the loss on validation examples is measured as trained, with all σ replaced by their lines, with
the adapters removed, and with each layer's σ alone replaced. Differences are paired over the examples. If a run of the
same experiment trained only a head (adapter.method "none", same seed), it is measured too.

The time is shown after the first pass. The result is kept in RUN/nonlinearity and computed again only if the run or the
data have changed since.

  --at WHICH      best (default), last, or the step of a checkpoint
  --examples N    validation examples to measure at most, evenly spaced (default: ${NONLINEARITY_EXAMPLES})
  --no-layers     measure only the run as a whole: three passes, whatever the number of layers
  --again         measure again even if a result exists
  --json          JSON lines: fitting, measuring, result with the file, problem
`,
  options: {
    at: { type: 'string' },
    examples: { type: 'string' },
    'no-layers': { type: 'boolean' },
    again: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  values: { at: ['best', 'last'] },
  async run(args) {
    endOnSignals();
    const json = args.flag('json');
    const progress = new Progress();
    const emit = (line: NonlinearityLine) =>
      json ? write(`${JSON.stringify(line)}\n`) : progress.show(line);
    try {
      const run = resolve(runFolder(one(args, 'run folder', 'nonlinearity')));
      const result = await nonlinearityOf({
        run,
        at: parseAt(args.text('at')),
        examples: parseExamples(args.text('examples') ?? String(NONLINEARITY_EXAMPLES)),
        layers: !args.flag('no-layers'),
        again: args.flag('again'),
        emit,
      });
      progress.clear();
      const file = nonlinearityFile(run, result.step);
      if (json) await emit({ kind: 'result', file, step: result.step });
      else await write(`${terminalText(nonlinearityParts(result))}\nFull results: ${file}\n`);
      return EXIT.ok;
    } catch (e) {
      progress.clear();
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

function parseExamples(text: string): number {
  const examples = wholeNumber('examples', text);
  if (examples >= 2) return examples;
  throw new AuroraError(
    'usage',
    `--examples takes a whole number of at least 2, not "${text}": the interval of a difference needs two examples.`,
  );
}

/** One line on stderr: redrawn in place in a terminal, repeated from time to time in a log. */
class Progress {
  private written = -Infinity;
  private onScreen = false;

  show(line: NonlinearityLine): void {
    const text = nonlinearityProgress(line);
    if (text === undefined || isQuiet()) return;
    const { stderr } = process;
    this.onScreen = isScreen(stderr);
    if (this.onScreen) return redraw(stderr, text);
    // The first estimate of the time comes after the first pass.
    const first = line.kind === 'measuring' && line.done <= 1;
    if (!first && performance.now() - this.written < LOG_MS) return;
    this.written = performance.now();
    stderr.write(`${text}\n`);
  }

  clear(): void {
    if (this.onScreen) clearLine(process.stderr);
    this.onScreen = false;
  }
}
