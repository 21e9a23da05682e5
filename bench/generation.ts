import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openEvaluator } from '../src/engine/open-task';
import { CPU } from '../src/engine/place';
import type { Evaluator } from '../src/engine/stepper';
import { loadExperiment } from '../src/runs/experiment/load';
import { IGNORE_LABEL } from '../src/tasks/objective';
import type { LanguageText } from '../src/tasks/text/language-text';
import type { Writing } from '../src/tasks/kind';
import { openWriter } from '../src/training/generation/writer';
import { MicroBatches } from '../src/training/micro-batch/micro-batches';
import { initialParameters, prepareTask, type Task } from '../src/training/task/task';
import { answerCommands } from './commands';

/** The number of texts that are written side by side. */
const TEXTS = 4;
/** Tokens of each. */
const PROMPT = 128;
const NEW = 32;
/** By command. */
const BEAMS = { greedy: 1, beams: 4 };
type Command = keyof typeof BEAMS;

/**
 * Writes texts with a language model, after the beginnings of an experiment's texts. Usage: generation EXPERIMENT THREADS
 * WAY, where WAY is "cache" or "no-cache". Its commands are "greedy" and "beams"; it has written the texts of both once
 * before it is ready, says which, and stops if they differ later.
 */
async function main(path: string, threads: number, way: string): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), 'graph-'));
  const task = await prepareTask(loadExperiment(path), folder);
  const opened = await openEvaluator(task.model, task.infos, task.graph, folder, { threads });
  const evaluator: Evaluator = way === 'cache' ? opened : { ...opened, openGraph: undefined };
  const micro = new MicroBatches(task, evaluator, CPU, (message) => process.stderr.write(`${message}\n`));
  const { dataset } = task.data.train;
  const writer = await openWriter(evaluator, task, micro, dataset, initialParameters(task));
  const starts = prompts(task);
  const write = (command: Command) => writer.write(starts.map((prompt) => writing(prompt, BEAMS[command])));
  const texts = { greedy: await write('greedy'), beams: await write('beams') };
  const again = async (command: Command) => {
    const found = JSON.stringify(await write(command));
    if (found !== JSON.stringify(texts[command]))
      throw new Error(`${way}, ${command}: other texts than before.`);
    return {};
  };
  await answerCommands(
    { greedy: () => again('greedy'), beams: () => again('beams') },
    { texts, count: TEXTS, prompt: PROMPT, tokens: NEW, beams: BEAMS.beams },
  );
  await writer.dispose();
  await opened.dispose();
  rmSync(folder, { recursive: true, force: true });
}

/** The beginnings of the first texts that are long enough. */
function prompts({ data }: Task): number[][] {
  const found: number[][] = [];
  for (const { ids } of data.train.dataset.examples as Iterable<LanguageText>) {
    if (ids.length >= PROMPT) found.push([...ids.subarray(0, PROMPT)]);
    if (found.length === TEXTS) return found;
  }
  throw new Error(`Only ${found.length} of the texts have ${PROMPT} tokens.`);
}

/** No token ends a text, so that all have one length. */
const writing = (prompt: readonly number[], beams: number): Writing => ({
  prompt,
  maxTokens: NEW,
  beams,
  ends: new Set(),
  example: (ids): LanguageText => ({
    size: ids.length,
    ids: Int32Array.from(ids),
    targets: new Int32Array(ids.length).fill(IGNORE_LABEL),
    row: 0,
  }),
  keep: () => [],
});

process.env.ORT_DISABLE_TELEMETRY = '1';
const [path, threads, way] = process.argv.slice(2);
main(path, Number(threads), way).catch((e: unknown) => {
  console.error(e);
  process.exit(1);
});
