import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { numberIn } from '../../../base/csv';
import { AuroraError, EXIT } from '../../../base/errors';
import { PICTURE_DEFAULTS, SAMPLERS } from '../../../experiment/pictures';
import {
  GENERATION_DEFAULTS,
  isGenerationSettings,
  type GenerationSettings,
  type PlayAdapter,
  type PlayImage,
  type PlaySource,
} from '../../../protocol/play-question';
import {
  parsePlayRequest,
  type ImageShape,
  type PlayFacts,
  type PlayLine,
  type PlayRequest,
} from '../../../protocol/playground';
import { fittedPixels } from '../../../data/images/shown-image';
import { Player } from '../../../inference/player';
import { parseAt } from '../../../training/checkpoint/trained-run';
import { missingOrMany, threadCount, type Command, type ParsedArgs } from '../../command';
import { runFolder } from '../../arguments';
import { temporaryFolder } from '../../temporary';
import { write, controlled } from '../../output';
import { drawingOf, drawingOptionsOf, type DrawingOptions } from './drawing';
import { Teller } from './play-report';

const D = GENERATION_DEFAULTS;
const P = PICTURE_DEFAULTS;

export const play: Command = {
  help: `Usage: aurora play RUN [--at best|last|STEP] [--adapter ADAPTER[:WEIGHT] …] [--with RUN …]
       aurora play --model MODEL [--adapter ADAPTER[:WEIGHT] …] [--tokenizer FILE]

Loads a checkpoint of a run, or any classifier, language model or pipeline, and answers each line that you type (pairs: two
texts with a tab between them; questions: a tab before each choice; images: the path of one; texts with hidden tokens:
the mask token in the place of each). A classifier prints the most likely labels and the time taken, beside those of the
base model; a language model streams its text; a pipeline draws a picture of each prompt and writes it into a PNG file.

  --at WHICH         best (default), last, or the step of a checkpoint
  --adapter ADAPTER  another adapter to add to it, at once with its own: a run on the same model, at its best checkpoint, or
                     an adapter from disk; ADAPTER:0.5 adds half of its change (may be given several times)
  --weight W         the weight of the run's own adapter beside others (default: 1)
  --with RUN         another run to answer as well, at its best checkpoint (may be given several times)
  --model MODEL      an ONNX file or a folder from the hub: a classifier of texts or images, a language model,
                     or a pipeline of diffusers
  --adapter ADAPTER  an adapter for it: a folder in PEFT's layout (LoRA, or AuroRA Lab's own), a LoRA of diffusers or of
                     kohya's scripts, or a run; with a weight as above (may be given several times)
  --tokenizer FILE   its tokenizer.json, vocab.txt or vocab.json, if it is not beside the model
  --threads N        threads on the CPU (default: OMP_NUM_THREADS, or one per core)

For language models:
  --as-typed         do not put prompts into data.promptTemplate, as training does
  --max-tokens N     the most tokens to generate (default: ${D.maxTokens})
  --temperature T    0 (default) always takes the most likely token
  --top-k K          sample only from the K most likely tokens (default: all)
  --top-p P          sample only from the most likely tokens with a total probability of P (default: ${D.topP})
  --seed N           seed for sampling; the same seed gives the same text, or picture (default: ${D.seed})

For pipelines:
  --negative TEXT    what pictures should not show
  --steps N          predictions for a picture (default: ${P.steps}, or as in the run's training.pictures)
  --guidance G       how closely to follow the prompt; up to 1 for not at all (default: ${P.guidance}, or as in the run)
  --sampler NAME     ${SAMPLERS.join(' or ')} (default: ${P.sampler}, or as in the run)
  --size WxH         such as 512x512 (default: that of training)
  --out DIR          where pictures are written (default: the current folder); no file is overwritten

  --json             JSON lines in both directions, including images. Input: load, unload, weigh, predict, generate, draw, sample,
                     stop. Output: loading, loaded, prediction, token, generated, drawing, picture, sample, answered,
                     problem
`,
  options: {
    at: { type: 'string' },
    with: { type: 'string', multiple: true },
    model: { type: 'string' },
    adapter: { type: 'string', multiple: true },
    weight: { type: 'string' },
    tokenizer: { type: 'string' },
    threads: { type: 'string' },
    'max-tokens': { type: 'string' },
    temperature: { type: 'string' },
    'top-k': { type: 'string' },
    'top-p': { type: 'string' },
    seed: { type: 'string' },
    'as-typed': { type: 'boolean' },
    negative: { type: 'string' },
    steps: { type: 'string' },
    guidance: { type: 'string' },
    sampler: { type: 'string' },
    size: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  values: { sampler: SAMPLERS },
  async run(args) {
    const sources = sourcesOf(args);
    const settings = settingsOf(args);
    const drawing = drawingOptionsOf(args);
    const options = { folder: temporaryFolder('play'), threads: threadCount(args.text('threads')) };
    if (args.flag('json')) return speakJson(sources, options);
    return atTerminal(sources, { settings, asTyped: args.flag('as-typed'), drawing }, options);
  },
};

type PlayerOptions = ConstructorParameters<typeof Player>[1];

/** In the order in which they answer. */
function sourcesOf(args: ParsedArgs): PlaySource[] {
  const { positionals } = args;
  const model = args.text('model');
  const usage = (message: string) => new AuroraError('usage', message, 'See `aurora play --help`.');
  const alone = model === undefined ? ['tokenizer'] : ['at', 'with', 'weight'];
  const stray = alone.find((name) => [args.text(name)].flat().some((v) => v !== undefined));
  const adapters = args.list('adapter').map(playAdapter);
  if (stray !== undefined)
    throw usage(
      `--${stray} applies to ${model === undefined ? 'a model (--model), not to a run' : 'a run, not to a model'}.`,
    );
  if (model !== undefined) {
    if (positionals.length > 0) throw usage('aurora play takes a run or --model, not both.');
    const tokenizer = args.text('tokenizer');
    const [own, ...others] = adapters;
    return [
      {
        kind: 'model',
        model: resolve(model),
        ...(own && { adapter: own.path, weight: own.weight, adapters: others }),
        ...(tokenizer !== undefined && { tokenizer: resolve(tokenizer) }),
      },
    ];
  }
  if (positionals.length > 1 || (positionals.length === 0 && !args.flag('json')))
    throw usage(missingOrMany('play', 'run folder', positionals.length));
  const runs = [...positionals, ...args.list('with')].map(runFolder);
  const at = parseAt(args.text('at'));
  const weight = weightOf(args.text('weight'));
  return runs.map((run, i) =>
    i === 0
      ? { kind: 'run', run: resolve(run), at, weight, adapters }
      : { kind: 'run', run: resolve(run), at: 'best' },
  );
}

/** An adapter and its weight, after the last colon of a text that is no path itself. */
function playAdapter(given: string): PlayAdapter {
  const [, named, weight] = /^(.+):([^:\\/]*)$/.exec(existsSync(given) ? '' : given) ?? [];
  // C:name is a path of Windows.
  const isPath = named === undefined || (/^[A-Za-z]$/.test(named) && numberIn(weight) === undefined);
  if (isPath) return { path: resolve(runFolder(given)), weight: 1 };
  return { path: resolve(runFolder(named)), weight: weightOf(weight) };
}

function weightOf(text: string | undefined): number {
  const weight = text === undefined ? 1 : numberIn(text);
  if (weight !== undefined) return weight;
  throw new AuroraError(
    'usage',
    `"${text}" is not the weight of an adapter: a number such as 0.5.`,
    'See `aurora play --help`.',
  );
}

function settingsOf(args: ParsedArgs): GenerationSettings {
  const number = (name: string, otherwise: number) => Number(args.text(name) ?? otherwise);
  const settings = {
    maxTokens: number('max-tokens', D.maxTokens),
    temperature: number('temperature', D.temperature),
    topK: number('top-k', D.topK),
    topP: number('top-p', D.topP),
    seed: number('seed', D.seed),
  };
  if (isGenerationSettings(settings)) return settings;
  throw new AuroraError(
    'usage',
    '--max-tokens, --top-k and --seed take whole numbers of at least 0, --temperature a number of at least 0, and --top-p a number above 0 and up to 1.',
    'See `aurora play --help`.',
  );
}

/** Runs until standard input has ended and all requests are answered, or until a signal. */
async function speakJson(sources: readonly PlaySource[], options: PlayerOptions): Promise<number> {
  const emit = (line: PlayLine) => write(`${JSON.stringify(line)}\n`);
  const problem = (e: unknown) => {
    if (!(e instanceof AuroraError)) throw e;
    return emit({ kind: 'problem', message: e.message, hint: e.hint });
  };
  const player = new Player(emit, options);
  return new Promise((_, fail) => {
    let answered = Promise.resolve();
    const receive = (request: PlayRequest) => {
      answered = player.receive(request);
      answered.catch(fail);
    };
    sources.forEach((source, i) => receive({ kind: 'load', subject: String(i + 1), source }));
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => {
      try {
        const request = parsePlayRequest(line);
        if (request) receive(request);
      } catch (e) {
        problem(e).catch(fail);
      }
    });
    lines.on('close', () => void answered.then(() => process.exit(EXIT.ok), fail));
  });
}

interface Asking {
  settings: GenerationSettings;
  asTyped: boolean;
  drawing: DrawingOptions;
}

async function atTerminal(
  sources: readonly PlaySource[],
  { settings, asTyped, drawing }: Asking,
  options: PlayerOptions,
): Promise<number> {
  const facts = new Map<string, PlayFacts>();
  const teller = new Teller(facts, drawing);
  const player = new Player((line) => teller.tell(line), options);
  for (const [i, source] of sources.entries()) await player.load(String(i + 1), source, i === 0);
  const { input, answer, image: shape } = facts.get('1')!;
  const typed = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    ...(typed && { output: controlled(process.stderr), prompt: '> ' }),
  });
  let request = 0;
  let busy = false;
  // Ctrl-C stops the text or the picture that is being made; otherwise it ends the program.
  lines.on('SIGINT', () => (busy ? void player.receive({ kind: 'stop', request }) : lines.close()));
  if (typed)
    process.stderr.write(`Type ${TYPED[answer] ?? WANTED[input]} and press Enter. Press Ctrl-D to quit.\n`);
  if (typed) lines.prompt();
  for await (const text of lines) {
    if (text.trim() !== '') {
      request++;
      busy = true;
      teller.question = text;
      try {
        if (answer === 'text') await player.receive({ kind: 'generate', request, text, asTyped, settings });
        else if (answer === 'picture') {
          const { negative } = drawing;
          await player.receive({
            kind: 'draw',
            request,
            text,
            negative,
            settings: drawingOf(facts.get('1')!, drawing),
          });
        } else
          await player.receive({
            kind: 'predict',
            request,
            ...(shape ? { image: await pictureOf(text.trim(), shape) } : textsOf(text, facts.get('1')!)),
          });
      } catch (e) {
        // The next path may be right.
        if (!(e instanceof AuroraError)) throw e;
        await teller.tell({ kind: 'problem', request, message: e.message, ...(e.hint && { hint: e.hint }) });
      }
      busy = false;
    }
    if (typed) lines.prompt();
  }
  return EXIT.ok;
}

/** Input types by the answer, where the input does not determine it. */
const TYPED: Partial<Record<PlayFacts['answer'], string>> = {
  choice: 'a question, with a tab before each choice,',
  picture: 'a prompt',
  tokens: 'a text with masks',
};

const WANTED: Record<PlayFacts['input'], string> = {
  text: 'a text',
  chat: 'a text',
  pair: 'two texts with a tab between them',
  image: 'the path of an image',
};

/** An image file as a model reads it. */
const pictureOf = (path: string, { width, height, shortestEdge, patches }: ImageShape): Promise<PlayImage> =>
  fittedPixels(
    { path },
    patches
      ? { resample: 'bilinear', patches }
      : {
          resample: 'bilinear',
          resize: shortestEdge === undefined ? { width, height } : { shortestEdge },
          crop: { width, height },
        },
  );

/** A typed line: one text, a pair with a tab between its texts, or a question with a tab before each choice. */
function textsOf(
  line: string,
  { input, answer }: PlayFacts,
): { text: string; pair?: string; choices?: string[] } {
  if (answer === 'choice') {
    const [text, ...choices] = line.split('\t');
    return { text, ...(choices.length > 0 && { choices }) };
  }
  const tab = input === 'pair' ? line.indexOf('\t') : -1;
  return tab < 0 ? { text: line } : { text: line.slice(0, tab), pair: line.slice(tab + 1) };
}
