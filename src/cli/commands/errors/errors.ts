import { resolve } from 'node:path';
import { predictionsFile } from '../../../runs/predictions';
import { AuroraError, EXIT } from '../../../base/errors';
import type { PredictLine } from '../../../protocol/predictions';
import { problemOf } from '../../../trainer/preflight/problems';
import { predictRun } from '../../../trainer/predictions/predict';
import { parseAt } from '../../../trainer/checkpoint/trained-run';
import { one, wholeNumber, type Command } from '../../command';
import { errorsText } from './report';
import { count } from '../../format';
import { endOnSignals } from '../../signals';
import { write } from '../../write';

const TOP = 10;

export const errorsCommand: Command = {
  help: `Usage: aurora errors RUN [--at best|last|STEP] [--top N]

Shows where a trained model is wrong: confused labels, accuracy by length and by label, and the most telling
validation texts: wrong ones with the largest loss, then right ones with the narrowest margin. Predictions are kept in
RUN/predictions and computed again only if the run or the data have changed since.

  --at WHICH   best (default), last, or the step of a checkpoint
  --top N      how many texts to list (default: ${TOP})
  --again      predict again even if predictions exist
  --json       JSON lines: predicting, result with the file, problem
`,
  options: {
    at: { type: 'string' },
    top: { type: 'string' },
    again: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run(args) {
    endOnSignals();
    const json = args.flag('json');
    const emit = (line: PredictLine) => tell(line, json);
    try {
      const run = resolve(one(args, 'run folder', 'errors'));
      const top = wholeNumber('top', args.text('top') ?? String(TOP));
      const predictions = await predictRun({
        run,
        at: parseAt(args.text('at')),
        again: args.flag('again'),
        emit,
      });
      const file = predictionsFile(run, predictions.step);
      if (json) await emit({ kind: 'result', file, step: predictions.step });
      else await write(errorsText(predictions, file, top));
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

/** Results go to stdout, progress to stderr. */
async function tell(line: PredictLine, json: boolean): Promise<void> {
  if (json) return write(`${JSON.stringify(line)}\n`);
  if (line.kind === 'predicting')
    process.stderr.write(`Predicting ${count(line.examples)} validation examples …\n`);
}
