import { createContext, Script } from 'node:vm';
import type { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';

/** For one call of an expression, and for each character of its text. Ordinary ones take a hundredth of it. */
const [CALL_MS, CHARACTER_MS] = [250, 0.002];

/** A machine that is busy with something else can stop any call for a while. */
const TRIES = 4;

/** Texts up to this length are matched without a limit where an expression cannot take many steps. */
const FEW_STEPS = 1e6;

/** The methods of the library's parts with an expression, on a text or a list of tokens. */
const METHODS = ['normalize', 'pre_tokenize_text', 'decode_chain'] as const;

/** A part of a tokenizer, as the library has made it from tokenizer.json. */
type Part = { pattern?: unknown; config?: { pattern?: { Regex?: unknown } } } & Partial<
  Record<(typeof METHODS)[number], (input: string | string[], ...more: unknown[]) => unknown>
>;

/**
 * Gives the regular expressions of a tokenizer.json a limit: backtracking can take any time for a few characters. Changes
 * normalizers, pre-tokenizers and decoders in place, those in sequences too.
 */
export function limitPatterns(hf: HuggingFaceTokenizer): void {
  limit(hf.normalizer, new Set());
  limit(hf.pre_tokenizer, new Set());
  limit(hf.decoder, new Set());
}

function limit(value: unknown, seen: Set<unknown>): void {
  // The library's parts are functions.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
  seen.add(value);
  if (Array.isArray(value)) return value.forEach((part) => limit(part, seen));
  const part = value as Part;
  if (part.pattern instanceof RegExp && part.config?.pattern?.Regex !== undefined)
    limitPart(part, part.pattern, String(part.config.pattern.Regex));
  for (const inner of Object.values(value)) if (holdsParts(inner)) limit(inner, seen);
}

/** Maps of the vocabulary and configurations hold none. */
const holdsParts = (value: unknown): boolean =>
  Array.isArray(value) || METHODS.some((method) => typeof (value as Part | null)?.[method] === 'function');

function limitPart(part: Part, { source }: RegExp, written: string): void {
  for (const method of METHODS) {
    const own = part[method];
    if (typeof own !== 'function') continue;
    part[method] = (input, ...more) => {
      const length = typeof input === 'string' ? input.length : input.reduce((sum, s) => sum + s.length, 0);
      const call = () => own.call(part, input, ...more);
      return matched(call, source, length, written);
    };
  }
}

/**
 * The result of a call that matches an expression.
 *
 * @param source of the expression
 * @param length characters of the text
 * @param written the expression for the error
 * @throws Error if it takes too long
 */
export const matched = <T>(call: () => T, source: string, length: number, written = source): T =>
  stepsOf(source, length) < FEW_STEPS ? call() : limited(call, length, written);

/**
 * An upper bound on the steps of matching everywhere in a text: at each position, each alternative has at most as many ways
 * as its repetitions have lengths. Infinite where a group is repeated or repeats itself.
 */
export function stepsOf(source: string, length: number): number {
  let [sum, ways] = [0, 1];
  let depth = 0;
  let afterGroup = false;
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    const isGroup = afterGroup;
    afterGroup = false;
    if (c === '\\') {
      if (/[1-9k]/.test(source[++i] ?? '')) return Infinity;
      if (/[pPu]/.test(source[i] ?? '') && source[i + 1] === '{') i = source.indexOf('}', i);
    } else if (c === '[') i = endOfClass(source, i);
    else if (c === '(') {
      depth++;
      // The kind of group.
      if (source[i + 1] === '?') i++;
    } else if (c === ')') {
      depth--;
      afterGroup = true;
    } else if (c === '|') {
      if (depth === 0) [sum, ways] = [sum + ways, 1];
      else ways *= 2;
    } else if (c === '?') ways *= 2;
    else if (c === '*' || c === '+' || c === '{') {
      if (isGroup) return Infinity;
      ways *= length + 1;
    }
  }
  return (sum + ways) * (length + 1);
}

/** Classes can hold others with the flag v, which the library does not set. */
function endOfClass(source: string, start: number): number {
  let i = start + 1;
  while (i < source.length && source[i] !== ']') i += source[i] === '\\' ? 2 : 1;
  return i;
}

const context = createContext({ call: undefined as (() => unknown) | undefined });
const script = new Script('call()');

/** @throws Error if the expression takes too long */
function limited<T>(call: () => T, length: number, written: string): T {
  const timeout = Math.ceil(CALL_MS + CHARACTER_MS * length);
  for (let tries = 1; ; tries++)
    try {
      context.call = call;
      return script.runInContext(context, { timeout }) as T;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw e;
      if (tries === TRIES) throw tooSlow(written, length, timeout);
    } finally {
      context.call = undefined;
    }
}

function tooSlow(written: string, length: number, timeout: number): Error {
  const shown = written.length > 200 ? `${written.slice(0, 200)}…` : written;
  return new Error(
    `its regular expression "${shown}" takes more than ${timeout} ms for ${length} characters, ${TRIES} times in a row`,
  );
}
