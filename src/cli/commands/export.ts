import { join, resolve } from 'node:path';
import { shellQuote } from '../../base/shell-quote';
import {
  dropReason,
  dropText,
  eventsText,
  exportParts,
  exportProgress,
  isWorthRefining,
} from '../../protocol/reports/export-report';
import { limitsText, unmetLimits } from '../../protocol/vllm-limits';
import { hints } from '../output';
import { terminalText, writeReport } from '../report-text';
import { AuroraError, EXIT } from '../../base/errors';
import { MATTERS } from '../../experiment/shown-metrics';
import { exportRun } from '../../exports/export';
import type { RefineSettings } from '../../exports/refined-model';
import {
  EXPORT_FORMS,
  type ExportForm,
  type ExportLine,
  type ExportLoss,
  type ExportRecord,
  GGUF_PRECISIONS,
  type GgufPrecision,
  isMergedForm,
  type MergeChoice,
  MERGED_FORMS,
  MERGES,
  TENSORBOARD,
} from '../../protocol/export';
import { type EventFile, exportEvents } from '../../runs/tensorboard';
import { parseAt } from '../../training/checkpoint/trained-run';
import { problemOf } from '../../training/preflight/preflight-problems';
import { runFolder } from '../arguments';
import { ReadingProgress } from '../bar';
import { type Command, one, type ParsedArgs, threadCount, wholeNumber } from '../command';
import { write } from '../output';
import { askAtTerminal, nextLine } from '../owning';
import { endOnSignals } from '../signals';
import { commandLine } from '../suggested-commands';
import { Progress } from './train/training-progress';

export const exportCommand: Command = {
  help: `Usage: aurora export RUN --as FORM [--at best|last|STEP] [--out DIR]

  adapter               the adapter in PEFT's file layout, as trained, with aurora_peft_loader.py for PyTorch
  peft-lora             the adapter as a LoRA that PEFT can load
  kohya                 of a pipeline of Stable Diffusion: the adapter as one LoRA file for ComfyUI and AUTOMATIC1111, in the layout
                        of kohya's scripts
  onnx-dynamic          the model with its adapters as nodes: exactly what was trained
  onnx-merged           the original model with the adapters merged into its weights, with the same external data files
  onnx-adapter-inputs   the model with its adapters as inputs, to swap them at run time, and a file of their weights
  safetensors           of a model that is a folder from the Hugging Face hub: the folder with the adapters merged into its
                        weights, as transformers loads it
  gguf-lora             of a language model: the adapter as a LoRA for llama.cpp, Ollama and LM Studio
  gguf                  of a language model: the model with the adapters merged into its weights, its tokenizer and its chat template,
                        for llama.cpp, Ollama and LM Studio
  tensorboard           the run's curves, evaluations and settings as an event file for TensorBoard

All but tensorboard run the exported files on the validation set and print their metrics beside those of the trained model and of the
model without adapters. For LoRA, all forms compute the same function. AuroRA's layer is not linear, so in peft-lora, kohya,
onnx-merged, safetensors, gguf-lora and gguf, its nonlinearity is replaced by a linear fit on the training data, or with --merge
paper as in the paper. If that loses more than --max-drop, the command asks before it keeps them.

Before it writes a LoRA for PEFT on a decoder, it prints which limits of vLLM the LoRA does not keep, such as its default rank of 16.

  --at WHICH         best (default), last, or the step of a checkpoint
  --out DIR          the folder to create (default: RUN/export/FORM-step-…; for tensorboard RUN/tensorboard, whose event
                     file is replaced)
  --merge HOW        with those forms, for AuroRA: fitted (default), or paper, which applies the nonlinearity to
                     the columns of A, usually loses much more, and needs no training data
  --refine STEPS     with the same forms: trains the fit further, on the run's task and data with its seeds, optimizer and schedule, and exports
                     the best evaluation, the fit's included; shows the cost first, and Ctrl-C exports nothing
  --requantize       with onnx-merged: weights that were quantized are quantized again, in the same form, instead of in
                     float32; the error that this adds is printed, and the export may lose --max-drop as above
  --precision TYPE   with gguf: float16 (default), q8_0, which has 8 bits for each weight and a scale for 32 of them, or float32
  --max-drop LOSS    the most a merged form may lose (default: ${MATTERS}): points of a share or a correlation, percent of a perplexity,
                     a loss or an RMSE
  --accept-drop      keep the export, whatever it loses
  --json             JSON lines: preparing, fitting, not-fitted, refine-cost, refine-step, refine-evaluation, limits, measuring, ask (answer
                     with a line "yes" or "no"), declined, result, events, problem

Exits with 23 if a merged form loses too much and is not kept.
`,
  options: {
    as: { type: 'string' },
    at: { type: 'string' },
    out: { type: 'string' },
    merge: { type: 'string' },
    refine: { type: 'string' },
    'max-drop': { type: 'string' },
    'accept-drop': { type: 'boolean' },
    requantize: { type: 'boolean' },
    precision: { type: 'string' },
    json: { type: 'boolean' },
  },
  values: {
    as: [...EXPORT_FORMS, TENSORBOARD],
    at: ['best', 'last'],
    merge: [...MERGES],
    precision: [...GGUF_PRECISIONS],
  },
  async run(args) {
    const json = args.flag('json');
    const tell = json ? writeLine : terminalReport();
    endOnSignals();
    try {
      const run = resolve(runFolder(one(args, 'run folder', 'export')));
      if (args.text('as') === TENSORBOARD) {
        await tell({ kind: 'events', ...events(run, args) });
        return EXIT.ok;
      }
      const form = args.text('as') as ExportForm | undefined;
      if (form === undefined || !EXPORT_FORMS.includes(form))
        throw new AuroraError(
          'usage',
          form === undefined
            ? `What to export is missing: --as takes ${[...EXPORT_FORMS, TENSORBOARD].join(', ')}.`
            : `--as takes ${[...EXPORT_FORMS, TENSORBOARD].join(', ')}, not "${form}".`,
          form === undefined
            ? `For the trained model as one ONNX file: ${commandLine('export', args.positionals[0]!, '--as', 'onnx-dynamic')}`
            : 'See `aurora export --help`.',
        );
      const requantize = args.flag('requantize');
      if (requantize && form !== 'onnx-merged')
        throw new AuroraError(
          'usage',
          `--requantize is for --as onnx-merged: ${form} does not write weights of few bits.`,
          'See `aurora export --help`.',
        );
      const precision = precisionOf(form, args.text('precision'));
      const merge = mergeOf(form, args.text('merge'));
      const refine = refineOf(form, merge, args.text('refine'));
      const out = args.text('out');
      const result = await exportRun({
        run,
        at: parseAt(args.text('at')),
        form,
        out: out === undefined ? undefined : resolve(out),
        merge,
        refine,
        maxDrop: maxDropOf(args),
        requantize,
        precision,
        emit: tell,
        accept: (loss) => (args.flag('accept-drop') ? Promise.resolve(true) : accept(form, loss, json, tell)),
      });
      await tell(result ? { kind: 'result', ...result } : { kind: 'declined' });
      return result ? EXIT.ok : EXIT.drop;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

function events(run: string, args: ParsedArgs): EventFile {
  const given = ['at', 'merge', 'refine', 'max-drop', 'accept-drop', 'requantize', 'precision'].find(
    (option) => args.text(option) !== undefined,
  );
  if (given !== undefined)
    throw new AuroraError(
      'usage',
      `--${given} is for a form of the model, and --as tensorboard writes the curves of the whole run.`,
      'See `aurora export --help`.',
    );
  const out = args.text('out');
  return exportEvents(run, out === undefined ? undefined : resolve(out));
}

type Tell = (line: ExportLine) => Promise<void>;

const writeLine: Tell = (line) => write(`${JSON.stringify(line)}\n`);

/** Results go to stdout, progress to stderr. */
function terminalReport(): Tell {
  const reading = new ReadingProgress();
  let steps: Progress | undefined;
  return async (line) => {
    switch (line.kind) {
      case 'fitting':
        return reading.fitting(line.done, line.of);
      case 'refine-step':
        steps ??= new Progress(line.of);
        return steps.step(line);
      case 'result':
        return write(
          [
            `${terminalText(exportParts(line.record))}Wrote ${line.folder}`,
            ...nextSteps(line.record),
            '',
          ].join('\n'),
        );
      case 'events': {
        const hint = hints(`Show them with: tensorboard --logdir ${shellQuote(line.folder)}`);
        return write(`${[eventsText(line), `Wrote ${line.file}`, ...hint].join('\n')}\n`);
      }
      case 'limits': {
        const warning = unmetLimits(line.limits).length > 0 ? 'warning: ' : '';
        return writeReport([], `${warning}${limitsText(line.limits)}`);
      }
      case 'declined':
        return write('Nothing was kept.\n');
      default:
        steps?.clear();
        return writeReport([], exportProgress(line));
    }
  };
}

const nextSteps = (record: ExportRecord): readonly string[] =>
  isWorthRefining(record)
    ? hints('The loss rises by more than its standard error: --refine STEPS trains the fit further.')
    : [];

async function accept(form: ExportForm, loss: ExportLoss, json: boolean, tell: Tell): Promise<boolean> {
  if (json) {
    await tell({ kind: 'ask', ...loss });
    return (await nextLine())?.trim() === 'yes';
  }
  const words = `${dropText(form, loss)} ${dropReason(loss)}`;
  const answer = await askAtTerminal(`${words} Export anyway?`);
  if (answer !== undefined) return answer;
  throw new AuroraError(
    'drop',
    words,
    'Keep it with --accept-drop, or export with --as onnx-dynamic or adapter, which lose nothing.',
  );
}

const FITTED = `${MERGED_FORMS.slice(0, -1).join(', ')} and ${MERGED_FORMS.at(-1)}`;

/** The value of --precision. */
function precisionOf(form: ExportForm, precision: string | undefined): GgufPrecision | undefined {
  if (precision === undefined) return undefined;
  if (form !== 'gguf')
    throw new AuroraError(
      'usage',
      `--precision is for --as gguf, not for ${form}.`,
      'See `aurora export --help`.',
    );
  const known = GGUF_PRECISIONS.find((each) => each === precision);
  if (known) return known;
  throw new AuroraError('usage', `--precision takes ${GGUF_PRECISIONS.join(', ')}, not "${precision}".`);
}

/** The value of --merge. */
export function mergeOf(form: ExportForm, merge: string | undefined): MergeChoice | undefined {
  if (merge === undefined) return undefined;
  if (!isMergedForm(form))
    throw new AuroraError(
      'usage',
      `--merge is for --as ${FITTED}: ${form} holds the adapters as trained.`,
      'See `aurora export --help`.',
    );
  const known = MERGES.find((each) => each === merge);
  if (known) return known;
  throw new AuroraError('usage', `--merge takes ${MERGES.join(' or ')}, not "${merge}".`);
}

/** The value of --refine. */
function refineOf(
  form: ExportForm,
  merge: MergeChoice | undefined,
  steps: string | undefined,
): RefineSettings | undefined {
  if (steps === undefined) return undefined;
  const usage = (message: string) => new AuroraError('usage', message, 'See `aurora export --help`.');
  if (!isMergedForm(form))
    throw usage(`--refine is for --as ${FITTED}: ${form} holds the adapters as trained.`);
  if (merge === 'paper')
    throw usage('--refine trains the linear fit further: it cannot be combined with --merge paper.');
  const count = wholeNumber('refine', steps);
  if (count === 0) throw usage('--refine takes a number of steps, 1 or more.');
  return { steps: count, threads: threadCount(undefined), program: join(__dirname, 'cli.cjs') };
}

/** In points or percent. */
export function maxDropOf(args: ParsedArgs): number {
  const text = args.text('max-drop') ?? String(MATTERS);
  const loss = Number(text);
  if (text.trim() !== '' && loss >= 0) return loss;
  throw new AuroraError('usage', `--max-drop takes points or percent, at least 0, not "${text}".`);
}
