import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { escapeControls } from '../../../base/controls';
import { AuroraError, EXIT } from '../../../base/errors';
import {
  GENERATION_DEFAULTS,
  isGenerationSettings,
  parsePlayRequest,
  type GenerationSettings,
  type PlayFacts,
  type PlayLine,
  type PlayRequest,
  type PlaySource,
} from '../../../protocol/playground';
import { Player } from '../../../trainer/playground/player';
import { parseAt } from '../../../trainer/checkpoint/trained-run';
import { threadCount, type Command, type ParsedArgs } from '../../command';
import { answersText, generatedText, loadedText, subjectName } from './report';
import { temporaryFolder } from '../../temporary';
import { write } from '../../write';

const D = GENERATION_DEFAULTS;

export const play: Command = {
  help: `Usage: aurora play RUN [--at best|last|STEP] [--with RUN …]
       aurora play --model MODEL.onnx [--adapter DIR] [--tokenizer FILE]

Loads a checkpoint of a run, or any classifier or language model in ONNX, and answers each line that is typed: the
likeliest labels and how long the model took, beside the base model's; of a language model the text, as it is written.

  --at WHICH         best (default), last, or the step of a checkpoint
  --with RUN         another run that answers, too, at its best (may be given several times)
  --model FILE       an ONNX model: a classifier of texts, or a language model without past key values
  --adapter DIR      an adapter for it in PEFT's layout (LoRA, or AuroRA Lab's own)
  --tokenizer FILE   its tokenizer.json, where that does not lie beside it
  --threads N        threads on the processor (default: one a core)

Of language models:
  --max-tokens N     tokens to write at most (default: ${D.maxTokens})
  --temperature T    0 (default) always takes the likeliest token
  --top-k K          only the K likeliest tokens (default: all)
  --top-p P          only the likeliest tokens that have the share P together (default: ${D.topP})
  --seed N           of what is drawn; the same seed gives the same text (default: ${D.seed})

  --json             speaks JSON lines on both sides, images included: load, unload, predict, generate, sample and
                     stop come in; loading, loaded, prediction, token, generated, sample, answered and problem go out
`,
  options: {
    at: { type: 'string' },
    with: { type: 'string', multiple: true },
    model: { type: 'string' },
    adapter: { type: 'string' },
    tokenizer: { type: 'string' },
    threads: { type: 'string' },
    'max-tokens': { type: 'string' },
    temperature: { type: 'string' },
    'top-k': { type: 'string' },
    'top-p': { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(args) {
    const sources = sourcesOf(args);
    const settings = settingsOf(args);
    const options = { folder: temporaryFolder('play'), threads: threadCount(args.text('threads')) };
    if (args.flag('json')) return speakJson(sources, options);
    return atTerminal(sources, settings, options);
  },
};

type PlayerOptions = ConstructorParameters<typeof Player>[1];

/** In the order in which they are to answer. */
function sourcesOf(args: ParsedArgs): PlaySource[] {
  const { positionals } = args;
  const model = args.text('model');
  const usage = (message: string) => new AuroraError('usage', message, 'See `aurora play --help`.');
  const alone = model === undefined ? ['adapter', 'tokenizer'] : ['at', 'with'];
  const stray = alone.find((name) => [args.text(name)].flat().some((v) => v !== undefined));
  if (stray !== undefined)
    throw usage(`--${stray} is of ${model === undefined ? 'a model (--model)' : 'a run, not of a model'}.`);
  if (model !== undefined) {
    if (positionals.length > 0) throw usage('aurora play takes a run or --model, not both.');
    const path = (name: string) => {
      const given = args.text(name);
      return given !== undefined && { [name]: resolve(given) };
    };
    return [{ kind: 'model', model: resolve(model), ...path('adapter'), ...path('tokenizer') }];
  }
  if (positionals.length > 1 || (positionals.length === 0 && !args.flag('json')))
    throw usage(`aurora play takes one run folder, and got ${positionals.length}.`);
  const runs = [...positionals, ...args.list('with')];
  const at = parseAt(args.text('at'));
  return runs.map((run, i) => ({ kind: 'run', run: resolve(run), at: i === 0 ? at : 'best' }));
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
    '--max-tokens, --top-k and --seed take whole numbers from 0 on, --temperature a number from 0 on, and --top-p one above 0, up to 1.',
    'See `aurora play --help`.',
  );
}

/** Until the standard input has ended and what came in by it is answered, or a signal. */
async function speakJson(sources: readonly PlaySource[], options: PlayerOptions): Promise<number> {
  const emit = (line: PlayLine) => write(`${JSON.stringify(line)}\n`);
  const problem = (e: unknown) => {
    if (!(e instanceof AuroraError)) throw e;
    return emit({ kind: 'problem', message: e.message, ...(e.hint !== undefined && { hint: e.hint }) });
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

async function atTerminal(
  sources: readonly PlaySource[],
  settings: GenerationSettings,
  options: PlayerOptions,
): Promise<number> {
  const facts = new Map<string, PlayFacts>();
  const teller = new Teller(facts);
  const player = new Player((line) => teller.tell(line), options);
  for (const [i, source] of sources.entries()) await player.load(String(i + 1), source, i === 0);
  const { input, answer, name } = facts.get('1')!;
  if (input === 'image')
    throw new AuroraError(
      'usage',
      `${name} reads images, and a line of text is none.`,
      'Open it in the playground of the editor, or send it images with --json.',
    );
  const typed = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    ...(typed && { output: process.stderr, prompt: '> ' }),
  });
  let request = 0;
  let busy = false;
  // The first Ctrl-C ends the text in hand, and the program where there is none.
  lines.on('SIGINT', () => (busy ? void player.receive({ kind: 'stop', request }) : lines.close()));
  if (typed) process.stderr.write('Type a text and press Enter. Ctrl-D ends.\n');
  if (typed) lines.prompt();
  for await (const text of lines) {
    if (text.trim() !== '') {
      request++;
      busy = true;
      await player.receive(
        answer === 'text'
          ? { kind: 'generate', request, text, settings }
          : { kind: 'predict', request, text },
      );
      busy = false;
    }
    if (typed) lines.prompt();
  }
  return EXIT.ok;
}

/** What a person at a terminal reads: answers on the standard output, all else on the other one. */
class Teller {
  private answers: Extract<PlayLine, { kind: 'prediction' }>[] = [];
  private writing = '';

  constructor(private readonly facts: Map<string, PlayFacts>) {}

  async tell(line: PlayLine): Promise<void> {
    switch (line.kind) {
      case 'loading':
        process.stderr.write('Loading …\n');
        return;
      case 'loaded':
        this.facts.set(line.subject, line);
        process.stderr.write(loadedText(line));
        return;
      case 'prediction':
        this.answers.push(line);
        return;
      case 'token':
        await this.head(line);
        return write(escapeControls(line.text, '\n\t'));
      case 'generated':
        await this.head(line);
        return write(generatedText(line));
      case 'answered':
        this.writing = '';
        if (this.answers.length > 0) await write(answersText(this.answers, this.facts));
        this.answers = [];
        return;
      case 'problem':
        process.stderr.write(
          `error: ${line.message}\n${line.hint === undefined ? '' : `       ${line.hint}\n`}`,
        );
    }
  }

  /** Whose text it is, before its first piece. */
  private async head({
    subject,
    variant,
  }: Extract<PlayLine, { kind: 'token' | 'generated' }>): Promise<void> {
    const of = this.facts.get(subject)!;
    const who = `${subject} ${variant}`;
    if (this.writing === who) return;
    this.writing = who;
    if (of.base !== undefined) await write(`${escapeControls(subjectName(of, variant))}:\n`);
  }
}
