import * as vscode from 'vscode';
import { PIPELINE_INDEX } from '../../files/model-path';

/** A single search for everything that an experiment may name: models, tokenizers, data. */
const DATA = ['csv', 'tsv', 'jsonl', 'ndjson', 'conll', 'iob', 'iob2', 'bio'];
const PATTERN = `**/*.{onnx,parquet,${DATA.flatMap((d) => [d, `${d}.gz`]).join(',')}}`;
const TOKENIZERS = '**/*{tokenizer,preprocessor}*.json';
const PIPELINES = `**/${PIPELINE_INDEX}`;
/** Folders that hold no files of an experiment. */
export const EXCLUDED = '**/{node_modules,.git,.aurora,.venv,__pycache__}/**';
const LIMIT = 2000;

/** The time in which new files may be missing from the result. */
const FRESH_MS = 30_000;

/** Absolute paths of the workspace's models (of a pipeline, its model_index.json), tokenizers and data files; cached for a short time. */
export class WorkspaceFiles {
  private found: Promise<string[]> | undefined;
  private at = 0;

  all(): Promise<string[]> {
    if (!this.found || performance.now() - this.at > FRESH_MS) {
      this.at = performance.now();
      this.found = search();
    }
    return this.found;
  }
}

async function search(): Promise<string[]> {
  const files = await Promise.all(
    [PATTERN, TOKENIZERS, PIPELINES].map((p) => vscode.workspace.findFiles(p, EXCLUDED, LIMIT)),
  );
  return files
    .flat()
    .filter((uri) => uri.scheme === 'file' && !/tokenizer_config\.json$/.test(uri.path))
    .map((uri) => uri.fsPath)
    .sort();
}
