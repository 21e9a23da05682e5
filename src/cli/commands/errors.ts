import { resolve } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { count } from '../../base/number-text';
import { type MeasuredOn, parseMeasuredOn } from '../../experiment/evaluation-sets';
import type { PredictLine } from '../../protocol/predictions';
import { predictionsFile } from '../../runs/predictions';
import { parseAt } from '../../training/checkpoint/trained-run';
import { predictRun } from '../../training/predictions/predict';
import { problemOf } from '../../training/preflight/preflight-problems';
import { runFolder } from '../arguments';
import { ReadingProgress } from '../bar';
import { type Command, one, wholeNumber } from '../command';
import { write } from '../output';
import { endOnSignals } from '../signals';
import { errorsText } from './errors-report';

const TOP = 10;

export const errorsCommand: Command = {
  help: `Usage: aurora errors RUN [--at best|last|STEP] [--on SET] [--top N]

Shows where a trained model is wrong: confused labels, accuracy by length and by label, and the most informative
validation texts: wrong ones with the largest loss, then right ones with the narrowest margin. Predictions are kept in
RUN/predictions and computed again only if the run or the data have changed since.

  --at WHICH   best (default), last, or the step of a checkpoint
  --on SET     validation (default), test for data.test, or evaluations.NAME for a set of data.evaluations
  --top N      how many texts to list (default: ${TOP})
  --again      predict again even if predictions exist
  --json       JSON lines: predicting, writing (of answers), partial (so far), result with the file, problem
`,
  options: {
    at: { type: 'string' },
    on: { type: 'string' },
    top: { type: 'string' },
    again: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  values: { at: ['best', 'last'], on: ['validation', 'test'] },
  async run(args) {
    endOnSignals();
    const json = args.flag('json');
    const emit = (line: PredictLine) => tell(line, json);
    try {
      const run = resolve(runFolder(one(args, 'run folder', 'errors')));
      const top = wholeNumber('top', args.text('top') ?? String(TOP));
      const on = parseOn(args.text('on'));
      const predictions = await predictRun({
        run,
        on,
        at: parseAt(args.text('at')),
        again: args.flag('again'),
        emit,
        partial: json,
      });
      const file = predictionsFile(run, predictions.step, on);
      if (json) await emit({ kind: 'result', file, step: predictions.step });
      else await write(errorsText(predictions, file, top, on));
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

function parseOn(text = 'validation'): MeasuredOn {
  const on = parseMeasuredOn(text);
  if (on) return on;
  throw new AuroraError(
    'usage',
    `--on takes validation, test, or evaluations.NAME, not "${text}".`,
    'NAME is a name in data.evaluations. Omit --on for the validation data.',
  );
}

const progress = new ReadingProgress();

/** Results go to stdout, progress to stderr. */
async function tell(line: PredictLine, json: boolean): Promise<void> {
  if (json) return write(`${JSON.stringify(line)}\n`);
  if (line.kind === 'writing') progress.writing(line.done, line.of);
  if (line.kind === 'predicting') process.stderr.write(`Predicting ${count(line.examples)} examples…\n`);
}
