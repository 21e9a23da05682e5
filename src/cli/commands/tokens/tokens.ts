import { AuroraError, EXIT } from '../../../base/errors';
import { isSplit, type SplitName, SPLITS } from '../../../protocol/tokens';
import { readExperiment } from '../../../runs/experiment/load';
import { tokenRow } from '../../../training/tokens/token-row';
import { ReadingProgress } from '../../bar';
import { type Command, one } from '../../command';
import { asControl, hasColors, hints, write } from '../../output';
import { tokensText } from './tokens-text';

export const tokensCommand: Command = {
  help: `Usage: aurora tokens FILE.aurora.json [options]

Shows a row of an experiment's texts as training reads it: its tokens, which of them count in the loss, special tokens,
tags and hidden tokens, what model.maxLength cuts off, and the texts that share its row with training.packing. Tokens
that count are green; without colors they are in ⟦⟧. Runs no model.

  --row N           the row by its number, as in errors: the line of a text file, the row of a Parquet file, or
                    train.csv:12 (default: the first row)
  --split SPLIT     ${SPLITS.join(' or ')} (default: the one with the row, or train)
  --batch           also its batch, with padding: reads all texts, which takes a while if they are many
  --set KEY=VALUE   override a setting, such as --set model.maxLength=256 (may be given several times)
  --json            print one JSON object instead
`,
  options: {
    row: { type: 'string' },
    split: { type: 'string' },
    batch: { type: 'boolean' },
    set: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  values: { split: SPLITS },
  async run(args) {
    const { experiment } = readExperiment(one(args, 'experiment file', 'tokens'), args.list('set'));
    const json = args.flag('json');
    const progress = new ReadingProgress();
    const row = await tokenRow(experiment, {
      row: args.text('row'),
      split: splitIn(args.text('split')),
      batch: args.flag('batch'),
      watch: json ? undefined : (at) => progress.show(at),
    });
    if (json) {
      await write(`${JSON.stringify(row)}\n`);
      return EXIT.ok;
    }
    await asControl(() => write(tokensText(row, hasColors(process.stdout))));
    if (row.batch === undefined && row.leftOut === undefined)
      for (const hint of hints('--batch also shows its batch, with padding: it reads all texts.'))
        process.stderr.write(`${hint}\n`);
    return EXIT.ok;
  },
};

function splitIn(given: string | undefined): SplitName | undefined {
  if (given === undefined || isSplit(given)) return given;
  throw new AuroraError('usage', `--split takes ${SPLITS.join(' or ')}, not "${given}".`);
}
