/**
 * Runs GGUF files in llama.cpp, through node-llama-cpp in the folder that is the first argument. Reads jobs as JSON from
 * its standard input and writes their results.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder] = process.argv.slice(2);
const entry = join(folder, 'node_modules/node-llama-cpp/dist/index.js');
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(entry).href);

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const jobs = JSON.parse(Buffer.concat(chunks).toString());

const llama = await getLlama({
  gpu: false,
  build: 'never',
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: 1,
});

/** The tokens of texts, the probabilities after each token of a prompt, and the tokens that follow it greedily. */
async function run({ path, lora, texts = [], prompts = [], greedy = 0, contextSize = 128 }) {
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const tokens = texts.map((text) => [...model.tokenize(text)]);
  const results = [];
  for (const prompt of prompts) {
    const context = await model.createContext({
      contextSize,
      threads: 1,
      flashAttention: false,
      experimentalKvCacheKeyType: 'F32',
      experimentalKvCacheValueType: 'F32',
      ...(lora && { lora: { adapters: [{ filePath: lora }] } }),
    });
    const sequence = context.getSequence();
    const asked = await sequence.controlledEvaluate(
      prompt.map((token) => [token, { generateNext: { probabilities: true } }]),
    );
    const probabilities = asked.map(({ next }) => spread(next.probabilities));
    const written = [];
    let last = probabilities.at(-1);
    for (let i = 0; i < greedy; i++) {
      const best = last.reduce((most, p, token) => (p > last[most] ? token : most), 0);
      written.push({ token: best, probabilities: last });
      const [{ next }] = await sequence.controlledEvaluate([
        [best, { generateNext: { probabilities: true } }],
      ]);
      last = spread(next.probabilities);
    }
    results.push({ probabilities, written });
    await context.dispose();
  }
  const { bos, eos, shouldPrependBosToken } = model.tokens;
  await model.dispose();
  return { tokens, prompts: results, bos, eos, shouldPrependBosToken };
}

/** By token id. */
function spread(probabilities) {
  const values = new Array(Math.max(...probabilities.keys()) + 1).fill(0);
  for (const [token, probability] of probabilities) values[token] = probability;
  return values;
}

const results = [];
for (const job of jobs) results.push(await run(job));
process.stdout.write(JSON.stringify(results), () => process.exit(0));
