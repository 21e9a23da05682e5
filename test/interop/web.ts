import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type * as Ort from 'onnxruntime-node';
import { ensureOnnxRuntimeWeb } from '../../scripts/lib/onnxruntime-web.mjs';
import { launch } from '../vscode/driver/browser';
import type { OnnxJob } from './jobs';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

const PAGE = `<!doctype html><script type="module">
  import * as ort from '/ort.wasm.min.mjs';
  window.ort = ort;
</script>`;

/** The logits of each job, computed by ONNX Runtime's WebAssembly in Chromium. */
export async function inBrowser(jobs: readonly OnnxJob[], adapters: readonly Adapter[]): Promise<number[][]> {
  const runtime = ensureOnnxRuntimeWeb();
  const server = createServer(({ url = '/' }, response) => {
    const model = /^\/model\/(\d+)$/.exec(url);
    const path = model ? jobs[Number(model[1])].path : join(runtime, url.slice(1));
    response.setHeader('Content-Type', TYPES[extname(url)] ?? 'application/octet-stream');
    if (url === '/page.html') return response.end(PAGE);
    // Browsers request a favicon.
    response.statusCode = existsSync(path) ? 200 : 404;
    return response.end(existsSync(path) ? readFileSync(path) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const page = await (await launch()).newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`);
    await page.waitForFunction('window.ort');
    const given = jobs.map((job, i) => ({ ...job, adapter: adapters[i] }));
    return await page.evaluate(run, given);
  } finally {
    server.close();
  }
}

/** Tensors to feed in addition to the tokens. */
export type Adapter = Record<string, { dims: number[]; data: number[] }>;

/** Runs in the page. */
async function run(jobs: (Omit<OnnxJob, 'adapter'> & { adapter: Adapter })[]): Promise<number[][]> {
  const { ort } = window as unknown as { ort: typeof Ort };
  ort.env.wasm.numThreads = 1;
  const results: number[][] = [];
  for (const [i, { output, inputs, adapter }] of jobs.entries()) {
    const session = await ort.InferenceSession.create(`/model/${i}`, { executionProviders: ['wasm'] });
    const tokens = Object.entries(inputs).map(([name, rows]) => {
      const data = BigInt64Array.from(rows.flat(), BigInt);
      return [name, new ort.Tensor('int64', data, [rows.length, rows[0].length])] as const;
    });
    const more = Object.entries(adapter).map(
      ([name, { dims, data }]) => [name, new ort.Tensor('float32', Float32Array.from(data), dims)] as const,
    );
    const feeds = Object.fromEntries([...tokens, ...more]);
    const own = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]));
    const out = await session.run(own);
    results.push([...(out[output].data as Float32Array)]);
  }
  return results;
}
