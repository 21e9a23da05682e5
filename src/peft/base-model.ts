import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { referenceOf } from '../experiment/hub-reference';
import { ownFile } from '../files/contained';

/** Information about a model from the files beside it. */
export interface BaseModel {
  /** The name on the hub, or from its config.json, otherwise its folder's name; never its path on this machine. */
  name: string;
  /** The commit, if it is known. */
  revision?: string;
  /** Its config.json; empty if it is missing or cannot be read. */
  config: Record<string, unknown>;
  license: License;
}

export interface License {
  /** The identifier as written in its source, usually SPDX's; undefined if not stated. */
  id?: string;
  /** File names beside the model: license text, notices. */
  files: string[];
}

export const LICENSE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i;

/** The beginnings of license texts, by SPDX identifier. */
const TEXTS: readonly [RegExp, string][] = [
  [/apache license\s+version 2\.0/i, 'apache-2.0'],
  [/\bmit license\b|permission is hereby granted, free of charge/i, 'mit'],
  [/bsd 3-clause|neither the name of .{0,80}nor the names of its/i, 'bsd-3-clause'],
  [/gnu general public license\s+version 3/i, 'gpl-3.0'],
  [/gnu affero general public license\s+version 3/i, 'agpl-3.0'],
  [/creative commons attribution 4\.0/i, 'cc-by-4.0'],
  [/cc0 1\.0 universal/i, 'cc0-1.0'],
  [/llama 3(\.\d)? community license/i, 'llama3'],
  [/gemma terms of use/i, 'gemma'],
];

/** Never fails: unreadable parts are unknown. */
export function baseModel(modelPath: string): BaseModel {
  const folder = dirname(modelPath);
  const config = parse(read(folder, 'config.json'));
  const { _name_or_path: named } = config;
  const known = typeof named === 'string' && /^[\w-][\w.-]*(\/[\w.-]+)?$/.test(named);
  const files = names(folder).filter(
    (name) => LICENSE_FILE.test(name) && ownFile(folder, name) !== undefined,
  );
  const ref = referenceOf(modelPath);
  return {
    name: ref?.repo ?? (known ? named : basename(folder)),
    ...(ref && { revision: ref.revision }),
    config,
    license: { id: licenseOf(folder, config, files), files },
  };
}

/** The license in order of preference: the model card's front matter, config.json, the license text itself. */
function licenseOf(folder: string, config: BaseModel['config'], files: string[]): string | undefined {
  const front = /^---\n([^]*?)\n---/.exec(read(folder, 'README.md'))?.[1] ?? '';
  const stated = /^license:\s*["']?([^"'\n]+?)["']?\s*$/m.exec(front)?.[1];
  if (stated) return stated;
  if (typeof config.license === 'string') return config.license;
  const texts = files.map((name) => read(folder, name).replace(/\s+/g, ' ').slice(0, 5000));
  return TEXTS.find(([begins]) => texts.some((text) => begins.test(text)))?.[1];
}

function read(folder: string, name: string): string {
  const path = ownFile(folder, name);
  if (path === undefined) return '';
  try {
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // The empty config shows it.
  }
  return {};
}
